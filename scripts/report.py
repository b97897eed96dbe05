"""Execute the report (notebook 12) on the records of one data set and recipe, and the controls (notebook 10)."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from autodpq_lib.paths import ROOT
from scripts.bootstrap import write_bootstrap
from scripts.references import write_references
from scripts.run_notebook import execute

CONTROLS = "10_controls"


def report_path(asked: argparse.Namespace) -> Path:
    """Where the executed report lies."""
    return Path(asked.out) / asked.dataset / asked.recipe / "notebooks" / "12_report.ipynb"


def controls_path(asked: argparse.Namespace) -> Path:
    """Where the executed notebook on the controls lies."""
    return report_path(asked).with_name(f"{CONTROLS}.ipynb")


def make_report(asked: argparse.Namespace) -> None:
    """Execute the report; it writes the tables beside the records."""
    if asked.profile == "full":
        write_references(asked.dataset, ROOT / asked.out)
    parameters = {key: getattr(asked, key) for key in ("dataset", "recipe", "seeds", "profile")}
    execute(
        ROOT / "notebooks" / "12_report.ipynb",
        parameters | {"out": str(asked.out), "tables": str(asked.out)},
        ROOT / report_path(asked),
    )
    if asked.part == "seeds":
        sys.stdout.write(write_bootstrap(ROOT / asked.out, asked.dataset, asked.recipe, asked.seeds) + "\n")
    if asked.part in ("controls", "seeds"):
        given = {"records_of": asked.dataset, "recipe": asked.recipe, "seeds": asked.seeds, "found_in": str(asked.out)}
        execute(
            ROOT / "notebooks" / f"{CONTROLS}.ipynb", given | {"tables": str(asked.out)}, ROOT / controls_path(asked)
        )


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
