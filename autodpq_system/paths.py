"""Where things lie: the project, the raw data, and what a person's own runs write."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def runs_root() -> Path:
    """Folder for prepared data, checkpoints, models and logs (``$AUTODPQ_RUNS``, default ``runs/``).

    A relative one counts from the project's folder, as with :func:`data_roots`.
    """
    return (ROOT / folder_named(os.environ.get("AUTODPQ_RUNS", "runs"), "AUTODPQ_RUNS: ")).resolve()


def folder_named(name: str, by: str = "") -> Path:
    """The folder that an option or a variable names; ``~`` is the person's home, as not every shell has it.

    Raises:
        ValueError: it names none, or has in its name what Snakemake takes for a wildcard, or what can't be printed.
    """
    if not name.strip() or set("{}") & set(name) or not name.isprintable():
        raise ValueError(f"{by}expected a folder without braces and unprintable signs in its name, found {name!r}")
    return at_home(name)


def at_home(name: str) -> Path:
    """The path, with ``~`` for the person's home; of a person who is not known it stays as it is."""
    return Path(os.path.expanduser(name))  # noqa: PTH111 - that of pathlib raises


def data_roots() -> list[Path]:
    """Folders searched for raw data, in order: ``$AUTODPQ_DATA`` if set, then ``data/``."""
    named = os.environ.get("AUTODPQ_DATA")
    return [*([(ROOT / at_home(named)).resolve()] if named else []), ROOT / "data"]
