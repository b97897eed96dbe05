"""What stands behind a row of the ledger: ``make explain CLAIM=autodpq-fe-auc``."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import pandas as pd

from autodpq_eval.batch import NOTEBOOKS, notebook_path
from autodpq_lib.config import RunConfig
from autodpq_runs.record import read_record
from autodpq_system.paths import ROOT
from autodpq_system.sentence import Parser

say = sys.stdout.write


def main(arguments: list[str] | None = None) -> int:
    """Print the row of each recipe, and for each record configuration, commit, environment, and how to run it again."""
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
        for name in str(row["records"]).split() if isinstance(row["records"], str) else []:
            _behind(row["recipe"], name)
    return 0


def _behind(recipe: str, name: str) -> None:
    folder = ROOT / "results" / "ml-1m" / recipe
    record = read_record(folder / "records" / f"{name}.json")
    made, executed = record.provenance, notebook_path(ROOT / "results", record.config)
    packages = ", ".join(f"{key} {version}" for key, version in made.packages.items())
    say(f"\n  {folder.relative_to(ROOT)}/records/{name}.json\n")
    say(f"    configuration  {json.dumps(record.config.parameters())}\n")
    say(f"    commit         {made.git_commit}{' with changes' if made.git_dirty else ''}, {made.started}\n")
    say(f"    environment    Python {made.python}, {packages}; {made.cpu}, {made.threads} thread\n")
    say(f"    notebook       notebooks/{NOTEBOOKS[record.config.strategy]}.ipynb\n")
    if executed.exists():
        say(f"    executed       {str(executed).removeprefix(f'{ROOT}/')}\n")
    else:
        say(f"    run it again   {again(record.config)}\n")
        say(f"                   and its executed notebook is {notebook_path(Path('runs/mine'), record.config)}\n")


def again(config: RunConfig) -> str:
    """The command that repeats a run and leaves its record below ``runs/mine``."""
    asked = ["--parameters", json.dumps(config.parameters()), "--out", "runs/mine"]
    return shlex.join(["python", "-m", "scripts.run_notebook", *asked])


if __name__ == "__main__":
    sys.exit(main())
