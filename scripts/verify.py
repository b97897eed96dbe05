"""Recompute what can be recomputed without training; with ``--rerun``, train a sample of runs again beside it.

A line for each check: OK or FAIL, of how many things, and what could not be checked on this machine. A number of a run
trained again is OK where it is the committed one to six digits, OKish where it is no further off than two processors
were seen to be on that data set, OPEN where none were seen there, else FAIL. How far that is, ``python -m
benchmarks.spread`` measured on the records that the project's history has of the same runs from two kinds of processor:
some 0.001 in AUC on MovieLens-1M.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from math import isnan, nan
from pathlib import Path
from unittest.mock import patch

import autodpq_native as native
from autodpq_eval.checks import Check, evidence, predictions, schema_of, sizes, tables
from autodpq_lib.config import STRATEGIES
from autodpq_runs.record import Record
from autodpq_runs.train import train
from autodpq_system.paths import ROOT, folder_named, runs_root
from autodpq_system.process import cpu
from autodpq_system.sentence import Parser, whole_number
from autodpq_system.stopping import stop_on_signals
from benchmarks.measured import read_measures
from benchmarks.spread import NUMBERS, numbers

#: Numbers closer than this are the same.
DIGITS = 5e-7


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit 0 if nothing is wrong."""
    options = _arguments(arguments)
    out = (ROOT / folder_named(options.out, "OUT: ")).resolve()
    first, records = evidence(out)
    wrong = _shown(first) + _shown(sizes(records)) + _shown(predictions(records, _apart()))
    wrong += _shown(tables(out, records))
    urn = [r for r in records.values() if r.config.strategy in options.strategies and _can_be_trained_again(r)]
    return int(wrong + _rerun(urn, options.rerun) > 0)


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", default="results", help="folder of the records")
    parser.add_argument(
        "--rerun", type=whole_number(0), default=0, metavar="N", help="train so many runs again, drawn by lot"
    )
    parser.add_argument("--strategies", type=_strategies, default=STRATEGIES, help="to draw from, in quotes if several")
    return parser.parse_args(arguments)


def _apart() -> dict[str, float]:
    """How far two kinds of processor were seen to move test AUC, by data set."""
    return {name: of["all"]["test_auc, max"] for name, of in read_measures("spread")["by_dataset"].items()}


def _rerun(urn: Sequence[Record], wanted: int) -> int:
    """Train some runs again and compare; how much is wrong."""
    few = Check("trained again", 0, [f"expected {wanted} runs, found {len(urn)} that can be"])
    wrong = _shown(few) if len(urn) < wanted else 0
    for record in random.sample(urn, min(wanted, len(urn))):
        for line in compared(record, _again(record)):
            _say(line)
            wrong += line.startswith("FAIL")
    return wrong


def _strategies(text: str) -> list[str]:
    names = text.split()
    if not names or not set(names) <= set(STRATEGIES):
        raise argparse.ArgumentTypeError(f"expected some of {', '.join(STRATEGIES)}, found {text!r}")
    return names


def _shown(check: Check) -> int:
    """Show a check; how much is wrong."""
    _say(str(check))
    return len(check.wrong)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _can_be_trained_again(record: Record) -> bool:
    """Whether its data are here, and C is as it was there: numbers with it and without differ."""
    here = schema_of(record.config.dataset, record.config.threshold) is not None
    return here and record.compiled == native.available()


def _again(record: Record) -> Record:
    """The run trained again, whose checkpoints, model and predictions replace none of this machine's."""
    config, made = record.config, record.provenance
    where = f"{config.dataset} {config.recipe} {config.name()}"
    _say(f"training {where} again, on {cpu()}; committed from {made.cpu}, {record.seconds:.0f} s")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "prepared").symlink_to(runs_root() / "prepared")
        with patch.dict(os.environ, AUTODPQ_RUNS=folder):
            return train(config, folder)


def compared(committed: Record, again: Record) -> Iterator[str]:
    """A line for each number: OK, OKish, FAIL or OPEN, the number, the committed one, and how far apart they may be.

    OPEN: the two differ, and no run of that data set (for Space, of that strategy too) is known from two processors.
    """
    spread = read_measures("spread")["by_dataset"].get(committed.config.dataset, {})
    before, now = (numbers(record.model_dump(mode="json")) for record in (committed, again))
    for key, old, new in zip(NUMBERS, before, now, strict=True):
        # where a search decides, processors decide otherwise; else not one float may differ
        whose, scale = (committed.config.strategy, old) if key == "space" else ("all", 1)
        most = spread.get(whose, {}).get(f"{key}, max", nan) * scale
        apart = abs(new - old)
        verdict = "OK" if apart < DIGITS else "OPEN" if isnan(most) else "OKish" if apart <= most else "FAIL"
        known = "no two processors known" if isnan(most) else f"processors {most:.2g} at most"
        said = f"{new:.6g}, committed {old:.6g}: {apart:.2g} apart, {known}"
        yield f"{verdict:7}{key:14} {said}"


if __name__ == "__main__":
    stop_on_signals()
    sys.exit(main())
