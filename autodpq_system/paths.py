"""Where things lie: the project, the raw data, and what a person's own runs write."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def runs_root() -> Path:
    """Folder for prepared data, checkpoints, models and logs (``$AUTODPQ_RUNS``, default ``runs/``)."""
    return Path(os.environ.get("AUTODPQ_RUNS", ROOT / "runs")).resolve()


def data_roots() -> list[Path]:
    """Folders searched for raw data, in order: ``$AUTODPQ_DATA`` if set, then ``data/``."""
    named = os.environ.get("AUTODPQ_DATA")
    return [*([Path(named).resolve()] if named else []), ROOT / "data"]
