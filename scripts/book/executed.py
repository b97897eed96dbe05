"""Executed copies of the reading notebooks, made again when a notebook or the code that it calls has changed."""

from __future__ import annotations

import os
import sys
from functools import cache
from hashlib import sha256
from pathlib import Path

import papermill
from tqdm import tqdm

from autodpq_system.paths import ROOT, runs_root
from scripts.run_notebook import execute


def executed(source: Path, folder: Path) -> Path:
    """The executed copy of a notebook, on its own parameters; what it records goes below ``folder``.

    Raises:
        papermill.exceptions.PapermillExecutionError: a cell raised.
    """
    key = sha256(source.read_bytes() + code()).hexdigest()[:16]
    path = folder / f"{source.stem}-{key}.ipynb"
    if not path.exists():
        tqdm.write(f"executing {source.relative_to(ROOT)} ...", file=sys.stderr)
        given = {"out", "tables"} & set(papermill.inspect_notebook(str(source)))
        here = os.path.relpath(folder / "runs", ROOT)  # what a notebook prints then names no folder of the machine
        execute(source, dict.fromkeys(sorted(given), here), path)
        for older in folder.glob(f"{source.stem}-{'?' * 16}.ipynb"):
            if older != path:
                older.unlink()
    return path


def cache_folder() -> Path:
    """Where the executed copies are kept between two books."""
    return runs_root() / "book" / "executed"


@cache
def code() -> bytes:
    """A digest of all that a notebook may import from here, and of the records that it may read."""
    digest = sha256()
    for pattern in ("autodpq_*/**/*.py", "autodpq_*/**/*.[ch]", "config/**/*", "results/**/*.json", "results/**/*.csv"):
        for path in sorted(path for path in ROOT.glob(pattern) if path.is_file()):
            digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return digest.digest()
