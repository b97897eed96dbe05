"""Execute the report (notebook 12) on the records of one data set and recipe, and what goes with it (10 and 11)."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from autodpq_system.paths import ROOT
from scripts.bootstrap import write_bootstrap
from scripts.references import write_references
from scripts.run_notebook import execute

CONTROLS = "10_controls"
#: Data sets whose models are packed for the report: small ones.
PACKED = ("ml-100k", "ml-1m")


def report_path(asked: argparse.Namespace) -> Path:
    """Where the executed report lies."""
    return Path(asked.out) / asked.dataset / asked.recipe / "notebooks" / "12_report.ipynb"


def controls_path(asked: argparse.Namespace) -> Path:
    """Where the executed notebook on the controls lies."""
    return report_path(asked).with_name(f"{CONTROLS}.ipynb")


def make_report(asked: argparse.Namespace) -> None:
    """Execute the report, which writes the tables beside the records, and the notebooks that go with this part."""
    if asked.profile == "full":
        write_references(asked.dataset, ROOT / asked.out)
    given = {key: getattr(asked, key) for key in ("dataset", "recipe", "seeds", "profile")}
    _execute("12_report", given | {"out": str(asked.out), "tables": str(asked.out)}, asked)
    if asked.part == "tables" and asked.profile == "full" and asked.dataset in PACKED:
        given = {"dataset": asked.dataset, "recipe": asked.recipe, "seed": asked.seeds[0], "found_in": str(asked.out)}
        _execute("11_packed_model", given, asked)
    if asked.part == "seeds":
        sys.stdout.write(write_bootstrap(ROOT / asked.out, asked.dataset, asked.recipe, asked.seeds) + "\n")
    if asked.part in ("controls", "seeds"):
        given = {"records_of": asked.dataset, "recipe": asked.recipe, "seeds": asked.seeds, "found_in": str(asked.out)}
        _execute(CONTROLS, given | {"tables": str(asked.out)}, asked)


def _execute(name: str, parameters: dict[str, Any], asked: argparse.Namespace) -> None:
    """A notebook, its executed copy beside the report."""
    execute(ROOT / "notebooks" / f"{name}.ipynb", parameters, ROOT / report_path(asked).with_name(f"{name}.ipynb"))


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
