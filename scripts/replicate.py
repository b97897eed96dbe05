"""Run a batch through Snakemake, show how far it is, name what failed, and print Table 1."""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from time import monotonic, sleep

import pandas as pd
from tqdm import tqdm

from autodpq_data.prepared import prepare
from autodpq_eval import ledger, plans
from autodpq_eval.batch import log_path, status
from autodpq_eval.layout import as_csv, layout, titled
from autodpq_eval.tables import build, collect, tables_of
from autodpq_lib.config import RunConfig
from autodpq_runs.record import read_record, record_path
from autodpq_system.paths import ROOT, runs_root
from autodpq_system.process import cores, warn_if_crowded
from scripts.report import controls_path, report_path

say = tqdm.write
#: Kernel start and imports, which a record does not see.
STARTUP_SECONDS = 6.0


def main() -> int:
    """Exit 0 when every run of the plan is done."""
    asked = _arguments()
    plan = plans.plan(
        asked.part,
        asked.dataset,
        asked.recipe,
        asked.seeds,
        out=asked.out,
        models=asked.models,
        strategies=asked.strategies,
        profile=asked.profile,
    )
    if asked.plan:
        return _show_plan(plan, asked.out)
    pending = [config for config in plan if status(asked.out, config).state != "done"]
    for config in pending:
        found = status(asked.out, config)
        if found.state == "stale":
            say(f"stale, run again: {record_path(asked.out, config)}: {found.reason}")
    reported = True
    if not pending and _report_is_current(asked):
        say(f"Nothing to do: all {len(plan)} runs are done.")
    else:
        if pending:
            prepare(asked.dataset)
        _run(asked, pending)
        reported = _make_report(asked)
    failed = [config for config in pending if status(asked.out, config).state != "done"]
    for config in failed:
        say(f"failed: {config.dataset} {config.recipe} {config.name()}: {_reason(config)}; log {log_path(config)}")
    _show_tables(asked)
    return 0 if reported and not failed else 1


def _report_is_current(asked: argparse.Namespace) -> bool:
    """Whether the executed notebooks exist and the tables beside them are the ones that these records give."""
    here = report_path(asked).parent.parent
    wanted = {here / "tables" / f"{name}.csv": as_csv(table) for name, table in _tables(asked).items()}
    if asked.dataset == "ml-1m" and asked.profile == "full":
        wanted[asked.out / "ml-1m" / "ledger.csv"] = ledger.as_csv(ledger.ledger(asked.out))
    notebooks = [report_path(asked)] + ([controls_path(asked)] if asked.part in ("controls", "seeds") else [])
    return all(path.exists() for path in notebooks) and all(
        path.exists() and path.read_text(encoding="utf-8") == text for path, text in wanted.items()
    )


def _tables(asked: argparse.Namespace) -> dict[str, pd.DataFrame]:
    """The tables that this data set has, from its records."""
    keys = (asked.out, asked.dataset, asked.recipe, asked.seeds, asked.profile)
    return {f"table{number}": build(collect(number, *keys)) for number in tables_of(asked.dataset)}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", default="ml-1m")
    parser.add_argument("--recipe", default="tuned")
    parser.add_argument("--part", choices=plans.PARTS, default="tables", help="of the evaluation")
    parser.add_argument("--models", nargs="*", default=[], help="of the tables; default: those of Tables 1 and 2")
    parser.add_argument("--strategies", nargs="*", default=[], help="of the tables; default: those of Tables 1 and 2")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--profile", default="full")
    parser.add_argument("--jobs", type=int, default=cores())
    parser.add_argument("--out", type=Path, default=Path("results"))
    parser.add_argument("--plan", action="store_true", help="show what would run, and run nothing")
    asked = parser.parse_args()
    os.chdir(ROOT)  # relative paths, here and in Snakemake, count from the project's folder
    asked.out = Path(os.path.relpath(ROOT / asked.out, ROOT))
    return asked


def _show_plan(plan: Sequence[RunConfig], out: Path) -> int:
    for config in plan:
        found = status(out, config)
        say(
            f"{found.state:8} {config.dataset} {config.recipe} {config.name():30} log {log_path(config)} {found.reason}"
        )
    return 0


def _run(asked: argparse.Namespace, pending: Sequence[RunConfig]) -> None:
    """Let Snakemake make the pending records, and watch them appear."""
    if not pending:
        return
    warn_if_crowded(asked.jobs)
    targets = [str(record_path(asked.out, config)) for config in pending]
    log = runs_root() / "logs" / asked.dataset / asked.recipe / "snakemake.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as stream:
        started = datetime.now().timestamp()
        process = subprocess.Popen(_command(asked, targets), cwd=ROOT, stdout=stream, stderr=subprocess.STDOUT)
        try:
            _watch(process, asked, pending, started)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()


def _make_report(asked: argparse.Namespace) -> bool:
    """Execute the report in a process of its own, its chatter in a log; tell whether it succeeded."""
    log = runs_root() / "logs" / asked.dataset / asked.recipe / "report.log"
    keys = [f"--{key}={getattr(asked, key)}" for key in ("part", "dataset", "recipe", "profile", "out")]
    command = [sys.executable, "-m", "scripts.report", *keys, "--seeds", *map(str, asked.seeds)]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as stream:
        done = subprocess.run(command, cwd=ROOT, stdout=stream, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        say(f"the report failed; log {log}")
    return done.returncode == 0


def _command(asked: argparse.Namespace, targets: Sequence[str]) -> list[str]:
    settings = {key: getattr(asked, key) for key in ("part", "dataset", "recipe", "profile", "out")}
    settings |= {key: " ".join(map(str, getattr(asked, key))) for key in ("models", "strategies", "seeds")}
    return [
        *(sys.executable, "-m", "snakemake", "--cores", str(asked.jobs), "--keep-going", "--rerun-incomplete"),
        *("--nolock", "--force", "--quiet", "rules", "--config", *(f"{k}={v}" for k, v in settings.items())),
        *("--", *targets),
    ]


def _watch(
    process: subprocess.Popen[bytes], asked: argparse.Namespace, pending: Sequence[RunConfig], started: float
) -> None:
    """A line with done / total, elapsed and, once each kind of run has been seen, the time left."""
    bar = tqdm(total=len(pending), bar_format="{desc} {n_fmt}/{total_fmt} runs |{bar:24}| elapsed {elapsed}{postfix}")
    begun, shown = monotonic(), -60.0
    while True:
        ended = process.poll() is not None
        done = [c for c in pending if _finished(record_path(asked.out, c), started)]
        bar.n = len(done)
        bar.set_description_str(f"{asked.dataset} {asked.recipe}", refresh=False)
        left = _seconds_left(asked, [c for c in pending if c not in done], started)
        bar.set_postfix_str("" if left is None else f"about {left / 60:.1f} min left", refresh=False)
        if sys.stderr.isatty() or monotonic() - shown > 15 or ended:
            bar.refresh()
            shown = monotonic()
        if ended:
            break
        sleep(0.5 if monotonic() - begun < 60 else 2)
    bar.close()


def _finished(path: Path, started: float) -> bool:
    return path.exists() and path.stat().st_mtime >= started


def _seconds_left(asked: argparse.Namespace, waiting: Sequence[RunConfig], started: float) -> float | None:
    """Work left over the number of jobs, from the median duration of each kind of run; None before all were seen."""
    known = _durations(asked.out / asked.dataset / asked.recipe / "records")
    if any(_kind(c) not in known for c in waiting):
        return None
    now = datetime.now().timestamp()
    left = [max(known[_kind(c)] - (now - _begun(c, started, now)), 0.0) for c in waiting]
    return max([sum(left) / asked.jobs, *left]) if left else 0.0


def _kind(config: RunConfig) -> str:
    """Runs that differ in their seed alone."""
    return config.model_copy(update={"seed": 0, "split_seed": 0}).name()


def _durations(folder: Path) -> dict[str, float]:
    """Median seconds of each kind of run, from the records at hand."""
    seen = defaultdict(list)
    for path in folder.glob("*.json"):
        try:
            record = read_record(path)
        except (ValueError, OSError):  # stale or just being replaced: it tells nothing of durations
            continue
        ended, started = (datetime.fromisoformat(getattr(record.provenance, key)) for key in ("ended", "started"))
        seen[_kind(record.config)].append((ended - started).total_seconds() + STARTUP_SECONDS)
    return {kind: statistics.median(seconds) for kind, seconds in seen.items()}


def _begun(config: RunConfig, started: float, otherwise: float) -> float:
    """When a running run began: its log is opened then. ``otherwise`` for one that waits."""
    log = log_path(config)
    return log.stat().st_mtime if log.exists() and log.stat().st_mtime >= started else otherwise


def _reason(config: RunConfig) -> str:
    """Last line of a run's log, which Snakemake empties when the run begins."""
    log = log_path(config)
    lines = log.read_text().strip().splitlines() if log.exists() else []
    return lines[-1].removeprefix("FAILED: ") if lines else "ended without a word (killed?)"


def _show_tables(asked: argparse.Namespace) -> None:
    for number in tables_of(asked.dataset):
        collected = collect(number, asked.out, asked.dataset, asked.recipe, asked.seeds, asked.profile)
        say(f"\nTable {number}, {titled(asked.dataset)}, recipe {asked.recipe}, seeds {collected.seeds}\n")
        say(layout(build(collected)).to_string())
        for gap in collected.gaps:
            say(f"not in the table: {gap}")
    say(f"Report: {report_path(asked)}")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (ValueError, OSError) as error:  # bad input: one sentence, no traceback
        sys.exit(f"{type(error).__name__}: {error}")
