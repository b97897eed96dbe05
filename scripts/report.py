"""Execute the report (notebook 12) on the records of one data set and recipe, and the controls (notebook 10)."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from autodpq_lib.paths import ROOT
from scripts.run_notebook import execute


def report_path(asked: argparse.Namespace) -> Path:
    """Where the executed report lies."""
    return Path(asked.out) / asked.dataset / asked.recipe / "notebooks" / "12_report.ipynb"


def make_report(asked: argparse.Namespace) -> None:
    """Execute the report; it writes the tables beside the records."""
    parameters = {key: getattr(asked, key) for key in ("dataset", "recipe", "seeds", "profile")}
    execute(
        ROOT / "notebooks" / "12_report.ipynb",
        parameters | {"out": str(asked.out), "tables": str(asked.out)},
        ROOT / report_path(asked),
    )
    if asked.part in ("controls", "seeds"):
        explained = report_path(asked).with_name("10_controls.ipynb")
        given = {"records_of": asked.dataset, "recipe": asked.recipe, "seeds": asked.seeds, "found_in": str(asked.out)}
        execute(ROOT / "notebooks" / "10_controls.ipynb", given | {"tables": str(asked.out)}, ROOT / explained)


def main() -> int:
    """Entry point of the Snakefile's last rule."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("dataset", "recipe", "profile", "out"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--part", default="tables")
    parser.add_argument("--seeds", nargs="+", type=int, required=True)
    make_report(parser.parse_args())
    return 0


if __name__ == "__main__":
    sys.exit(main())
