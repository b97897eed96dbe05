"""What stands behind a row of the ledger: ``make explain CLAIM=autodpq-fe-auc``."""

from __future__ import annotations

import json
import shlex
import sys

import pandas as pd

from autodpq_eval.batch import NOTEBOOKS, notebook_path
from autodpq_eval.expected import kind
from autodpq_lib.config import RunConfig
from autodpq_runs.record import Record, read_record
from autodpq_system.paths import ROOT
from autodpq_system.sentence import Parser

say = sys.stdout.write


def main(arguments: list[str] | None = None) -> int:
    """Print the claim's row in each case, and of its records the commit, the environment, and how to run them again."""
    parser = Parser(description=__doc__)
    parser.add_argument("claim", help="an id of results/ml-1m/ledger.csv")
    claim = parser.parse_args(arguments).claim
    table = pd.read_csv(ROOT / "results" / "ml-1m" / "ledger.csv").convert_dtypes()
    rows = table[table["id"] == claim]
    if rows.empty:
        sys.exit(f"CLAIM: expected an id of results/ml-1m/ledger.csv, found {claim!r}")
    for _, row in rows.iterrows():
        case = f"recipe {row['recipe']}, {row['reading']} reading, {row['split']} split"
        say(f"\n{row['id']}, {case}: {row['verdict']}\n  {row['claim']} ({row['source']})\n")
        say("  " + ", ".join(f"{key} {row[key]}" for key in ("paper", "ours", "low", "high", "n")) + "\n")
        if isinstance(row["records"], str):
            _behind(row["recipe"], row["records"].split())
    return 0


def _behind(recipe: str, names: list[str]) -> None:
    """What stands behind records, said once for those that differ in nothing but their seed."""
    folder = ROOT / "results" / "ml-1m" / recipe / "records"
    alike: dict[tuple[str, str], list[RunConfig]] = {}
    for name in names:
        record = read_record(folder / f"{name}.json")
        alike.setdefault((kind(record.config), _made(record)), []).append(record.config)
    for (_, made), configs in alike.items():
        seeds = ", ".join(str(config.seed) for config in configs)
        say(f"\n  {(folder / configs[0].name()).relative_to(ROOT)}.json (seeds {seeds})\n")
        say(f"{made}    run it again   {again(configs[0])}\n")


def _made(record: Record) -> str:
    """Lines on how a record was made; those of other seeds may be the same."""
    made, executed = record.provenance, notebook_path(ROOT / "results", record.config)
    packages = ", ".join(f"{key} {version}" for key, version in made.packages.items())
    kept = "beside the records, in notebooks/" if executed.exists() else "not kept; a run leaves it in runs/notebooks/"
    return (
        f"    commit         {made.git_commit}{' with changes' if made.git_dirty else ''}, {made.started:.10}\n"
        f"    environment    Python {made.python}, {packages}; {made.cpu}, threads: {made.threads}\n"
        f"    notebook       notebooks/{NOTEBOOKS[record.config.strategy]}.ipynb\n"
        f"    executed       {kept}\n"
    )


def again(config: RunConfig) -> str:
    """The command that repeats a run and leaves its record below ``runs/mine``."""
    asked = ["--parameters", json.dumps(config.parameters()), "--out", "runs/mine"]
    return shlex.join([sys.executable, "-m", "scripts.run_notebook", *asked])


if __name__ == "__main__":
    sys.exit(main())
