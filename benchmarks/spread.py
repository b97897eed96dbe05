"""How far apart the numbers of the same run are on two processors: from the records that the project's history has.

A run's identity covers all that decides its numbers but the processor, whose arithmetic differs in the last bits, which
training amplifies. The tables were measured on more than one kind, so the history has the same runs on each.
``python -m benchmarks.spread`` writes ``results/bench/spread.json``, by which ``make verify RERUN=`` judges.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pandas as pd

from autodpq_system.paths import ROOT
from autodpq_system.sentence import Parser
from benchmarks.measured import write_measures

NUMBERS = ("valid_auc", "valid_logloss", "test_auc", "test_logloss", "space")


def main() -> int:
    """Measure, and keep the largest and the median difference of each number: by data set, by strategy and of all."""
    Parser(description=__doc__).parse_args()
    pairs = pd.DataFrame(differences(committed()))
    pairs = pd.concat([pairs, pairs.assign(strategy="all")])
    columns: dict[str, Any] = {"pairs": ("strategy", "size"), "same decision": ("decision", "mean")}
    columns |= {f"{key}, {name}": (key, name) for key in NUMBERS for name in ("median", "max")}
    table = pairs.round(7).groupby(["dataset", "strategy"]).agg(**columns)
    processors = sorted(set(pairs["first"]) | set(pairs["second"]))
    found = {str(name): each.droplevel(0).to_dict("index") for name, each in table.groupby(level=0)}
    write_measures("spread", processors=processors, by_dataset=found)
    sys.stdout.write(table.T.to_string() + "\n")
    return 0


def committed() -> list[dict[str, Any]]:
    """Every version of every record that was ever committed."""
    listed = _git("rev-list", "--objects", "HEAD", "--", "results").decode().splitlines()
    named = [line.split(" ", 1) for line in listed if "/records/" in line and line.endswith(".json")]
    return [json.loads(_git("cat-file", "blob", blob)) for blob in dict(named)]


def _git(*arguments: str) -> bytes:
    return subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, check=True).stdout


def differences(records: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Two records of one identity, both with C, from two kinds of processor: how far each number is apart.

    Space as a share, the others as they are; ``decision`` tells whether it is the same.
    """
    runs = defaultdict(list)
    for record in records:
        if record["provenance"].get("compiled"):
            runs[record["identity"]].append(record)
    for same in runs.values():
        for a, b in combinations(same, 2):
            first, second = (each["provenance"]["cpu"] for each in (a, b))
            if first != second:
                found = {key: abs(x - y) for key, x, y in zip(NUMBERS, numbers(a), numbers(b), strict=True)}
                found["space"] /= a["space"]["paper"]
                decision = a["decision"] == b["decision"]
                yield {
                    "dataset": a["config"]["dataset"],
                    "strategy": a["config"]["strategy"],
                    "first": first,
                    "second": second,
                    "decision": decision,
                } | found


def numbers(record: dict[str, Any]) -> list[float]:
    """What is compared of a record."""
    metrics = [record[part][metric] for part in ("valid", "test") for metric in ("auc", "logloss")]
    return [*metrics, record["space"]["paper"]]


if __name__ == "__main__":
    sys.exit(main())
