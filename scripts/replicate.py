"""Run a batch through Snakemake, show how far it is, name what failed, and print Table 1.

A second batch on the same records is refused. Stopped by a signal, or with `make`, it ends all that it started, and the
same command goes on from there.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path

import yaml
from filelock import FileLock, Timeout
from tqdm import tqdm

from autodpq_budget.batch import register_all
from autodpq_data.prepared import prepare
from autodpq_eval.batch import log_path, status
from autodpq_eval.layout import layout, titled
from autodpq_eval.request import Request
from autodpq_eval.tables import build, collect, tables_of
from autodpq_lib.config import RunConfig
from autodpq_runs.record import record_path
from autodpq_system.atomic import check_place, scratch_folder, sweep, write_text
from autodpq_system.paths import ROOT, runs_root
from autodpq_system.process import cores, warn_if_crowded
from autodpq_system.sentence import Parser, sentence, whole_number
from autodpq_system.stopping import stop_on_signals
from scripts.progress import is_newer, watch
from scripts.report import is_current, report_path
from scripts.web_page import web_page

register_all()
say = tqdm.write
#: Folders below ``runs`` that a run writes to.
WRITTEN = ("prepared", "work", "models", "notebooks", "compiled", "compressed")
#: Executors that Snakemake has without a plugin; how to get that of a Slurm cluster.
BUILT_IN, INSTALL = ("local", "dryrun", "touch"), "for Slurm: pip install -e '.[slurm]'"
#: What a Request has as an option; ``gaps`` is between this command and Snakemake.
OPTIONS = {key: field for key, field in Request.model_fields.items() if key != "gaps"}


def main(arguments: list[str] | None = None) -> int:
    """Exit 0 when every run of the plan is done and reported."""
    options = _arguments(arguments)
    request = Request.model_validate({key: getattr(options, key) for key in OPTIONS})
    os.chdir(ROOT)  # relative paths, here and in Snakemake, count from the project's folder
    if options.plan:
        return _show_plan(request)
    plan = request.plan()
    _refuse_other_builds(request, plan)
    _check_executor(options.executor)
    if options.executor == "local":
        warn_if_crowded(options.jobs)
    sweep(request.out / request.dataset, *(runs_root() / name for name in WRITTEN))
    if not _pending(request, plan) and is_current(request):
        say(f"Nothing to do: all {len(plan)} runs are done.")
        done = True
    else:
        with _alone(request):
            try:
                done = _run(request, plan, options)
            except SystemExit:
                say("stopped; what is finished is kept, and the same command goes on from there")
                raise
    _show_tables(request)
    return 0 if done else 1


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = Parser(description=__doc__)
    for key, field in OPTIONS.items():
        several = "+" if isinstance(field.default, tuple) else None
        parser.add_argument(f"--{key}", nargs=several, default=field.default, help=field.description)
    executors = sorted(path.parent.name for path in ROOT.glob("config/profiles/*/config.yaml"))
    parser.add_argument("--executor", choices=executors, default="local", help="a folder of config/profiles")
    parser.add_argument("--jobs", type=whole_number(1), default=cores(), help="runs at a time")
    parser.add_argument("--plan", action="store_true", help="show what would run, and run nothing")
    return parser.parse_args(arguments)


def _show_plan(request: Request) -> int:
    for config in request.plan():
        found = status(request.out, config)
        name = f"{config.dataset} {config.recipe} {config.name():30}"
        say(f"{found.state:8} {name} log {log_path(request.out, config)} {found.reason}".rstrip())
    say(f"{'done' if is_current(request) else 'to make':8} report {report_path(request)}")
    return 0


def _pending(request: Request, plan: Sequence[RunConfig]) -> list[RunConfig]:
    return [config for config in plan if status(request.out, config).state != "done"]


def _refuse_other_builds(request: Request, plan: Sequence[RunConfig]) -> None:
    """Refuse to replace a good record whose only fault is that it was made with C and there is none, or vice versa."""
    for config in plan:
        found = status(request.out, config)
        if found.state == "stale" and status(request.out, config, anywhere=True).state == "done":
            path = record_path(request.out, config)
            raise ValueError(f"{path}: expected OUT= to name another folder, found a record {found.reason}")


def _check_executor(name: str) -> None:
    """A profile that Snakemake can read, with an executor that is installed."""
    path = ROOT / "config" / "profiles" / name / "config.yaml"
    try:
        executor = (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("executor", "local")
    except yaml.YAMLError as error:
        raise ValueError(f"{path}: {sentence(error)}") from error
    plugin = f"snakemake_executor_plugin_{str(executor).replace('-', '_')}"
    if executor not in BUILT_IN and not find_spec(plugin):
        raise ValueError(f"EXECUTOR={name}: expected the package {plugin.replace('_', '-')}, found none; {INSTALL}")


@contextmanager
def _alone(request: Request) -> Iterator[None]:
    """Two batches would run the same runs twice."""
    request.folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(request.folder / ".lock", timeout=0):
            yield
    except Timeout:
        sys.exit(f"{request.folder}: expected no other batch at work on it, found one")


def _run(request: Request, plan: Sequence[RunConfig], options: argparse.Namespace) -> bool:
    """Let Snakemake make what is missing, and the report; whether all was made."""
    pending = _pending(request, plan)
    stale = [config for config in pending if _told_stale(request, config)]
    if pending:
        prepare(request.dataset)
    since = datetime.now().timestamp()
    code = _snakemake(request, options, pending, stale)
    failed = _pending(request, pending)
    if code < 0 or code > 128:
        say(f"Snakemake was ended with {len(failed)} runs to do")
        raise SystemExit(1)
    begun = [config for config in failed if _told_failed(request, config, since)]
    if failed:
        if not begun:
            log = request.logs / "snakemake.log"
            say(f"no run was begun: {_last_line(log)}; log {log}")
            return False
        code = _snakemake(request.model_copy(update={"gaps": True}), options)  # the report waited for them
    if code:
        log = request.logs / "report.log"
        say(f"the report failed: {_last_line(log)}; log {log}")
    return not failed and not code


def _told_failed(request: Request, config: RunConfig, since: float) -> bool:
    """Tell why a run that was begun failed."""
    log = log_path(request.out, config)
    if begun := is_newer(log, since):
        say(f"failed: {config.dataset} {config.recipe} {config.name()}: {_last_line(log)}; log {log}")
    return begun


def _told_stale(request: Request, config: RunConfig) -> bool:
    found = status(request.out, config)
    if found.state == "stale":
        say(f"stale, run again: {record_path(request.out, config)}: {found.reason}")
    return found.state == "stale"


def _snakemake(
    request: Request, options: argparse.Namespace, pending: Sequence[RunConfig] = (), stale: Sequence[RunConfig] = ()
) -> int:
    """Run Snakemake to its end, its chatter in a log; its exit status."""
    log = request.logs / "snakemake.log"
    asked = log.with_name("request.json")
    write_text(asked, request.model_dump_json())
    command = [
        *(sys.executable, "-m", "snakemake", "report", "--configfile", str(asked)),
        # Relative to ROOT: Snakemake takes it for a pattern, and passes over one that finds nothing.
        *("--profile", f"config/profiles/{options.executor}", "--jobs", str(options.jobs)),
        *("--forcerun", *(str(record_path(request.out, config)) for config in stale)),
    ]
    with scratch_folder(runs_root() / "work" / "tmp") as scratch, log.open("w") as stream:
        keys = {**os.environ, **_cache(), "TMPDIR": str(scratch)}  # what a killed job leaves there goes too
        process = subprocess.Popen(command, cwd=ROOT, env=keys, stdout=stream, stderr=subprocess.STDOUT)
        if pending:
            watch(process, request, pending, options.jobs)
        else:
            say("Making the report ...")
        return process.wait()


def _cache() -> dict[str, str]:
    """A place for what Snakemake keeps between batches, where the person's home can't be written."""
    try:
        check_place(Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "snakemake" / "any")
    except (OSError, RuntimeError):  # RuntimeError: there is no home
        return {"XDG_CACHE_HOME": str(runs_root() / "work" / "cache")}
    return {}


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines() if log.exists() else []
    return lines[-1].removeprefix("FAILED: ") if lines else "ended without a word"


def _show_tables(request: Request) -> None:
    for number in tables_of(request.dataset):
        collected = collect(number, request.out, request.dataset, request.recipe, request.table_seeds, request.profile)
        say(f"\nTable {number}, {titled(request.dataset)}, recipe {request.recipe}, seeds {collected.seeds}\n")
        say(layout(build(collected)).to_string())
        for gap in collected.gaps:
            say(f"not in the table: {gap}")
    if (report := report_path(request)).exists():
        say(f"Report: {web_page(report)}")


if __name__ == "__main__":
    stop_on_signals()
    sys.exit(main())
