"""Execute one notebook by papermill and believe nothing but the record it leaves.

papermill alone is no proof: a killed kernel leaves every cell "completed", ``sys.exit(0)`` in a cell exits 0, and a
misspelt parameter only warns. So parameters are checked first and the record last.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from pathlib import Path
from textwrap import shorten
from typing import Any

import nbformat
import papermill
from papermill.exceptions import PapermillExecutionError

from autodpq_eval.batch import NOTEBOOKS, status
from autodpq_lib.config import RunConfig
from autodpq_system.atomic import atomic_path
from autodpq_system.paths import ROOT


def main(arguments: list[str] | None = None) -> int:
    """Run a strategy's notebook; exit 0 only if a valid, current record exists at the end."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parameters", type=json.loads, required=True, help="JSON object, strategy included")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--executed", type=Path, required=True, help="where the executed notebook goes")
    parser.add_argument("--notebooks", type=Path, default=ROOT / "notebooks", help="folder of the sources")
    asked = parser.parse_args(arguments)
    try:
        switches = asked.parameters.get("switches", {})
        config = RunConfig.model_validate({k: v for k, v in asked.parameters.items() if k != "switches"} | switches)
        notebook = asked.notebooks / f"{NOTEBOOKS[config.strategy]}.ipynb"
        given = {key: value for key, value in asked.parameters.items() if key != "strategy"}
        execute(notebook, given | {"out": str(asked.out)}, asked.executed)
        found = status(ROOT / asked.out, config)
    except Exception as error:
        sys.stderr.write(f"FAILED: {one_line(error)}\n")
        return 1
    if found.state != "done":
        sys.stderr.write(f"FAILED: {notebook.name} ended without a valid record: {found.reason}\n")
    return int(found.state != "done")


def execute(notebook: Path, parameters: dict[str, Any], executed: Path) -> None:
    """Execute ``notebook`` into ``executed``; a failed notebook is left beside it, named ``failed-``.

    Raises:
        ValueError: a parameter that the notebook does not have.
        papermill.exceptions.PapermillExecutionError: a cell raised.
    """
    known = set(papermill.inspect_notebook(str(notebook)))
    unknown = sorted(set(parameters) - known)
    if unknown:
        raise ValueError(f"{notebook.name}: expected parameters among {sorted(known)}, found {', '.join(unknown)}")
    failed = executed.with_name(f"failed-{executed.name}")
    failed.unlink(missing_ok=True)
    with atomic_path(executed) as path:
        try:
            papermill.execute_notebook(
                str(notebook), str(path), parameters, kernel_name="python3", progress_bar=False, cwd=str(ROOT)
            )
            forget_paths(path)
        except BaseException:
            if path.exists():
                path.replace(failed)
            raise


def forget_paths(executed: Path) -> None:
    """Remove from an executed notebook where on this machine it was read and written."""
    content = nbformat.read(executed, as_version=4)
    for key in ("input_path", "output_path"):
        content.metadata.papermill.pop(key, None)
    nbformat.write(content, executed)


def one_line(error: BaseException) -> str:
    """The reason of a failure in one line."""
    if isinstance(error, PapermillExecutionError):
        return shorten(f"cell {error.exec_count}: {error.ename}: {error.evalue}", 300)
    return shorten(f"{type(error).__name__}: {error}", 300)


if __name__ == "__main__":
    logging.getLogger("papermill").setLevel(logging.ERROR)
    sys.exit(main())
