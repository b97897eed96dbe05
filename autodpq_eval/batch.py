"""Which runs of a batch are done, and where each leaves its log."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import autodpq_native as native
from autodpq_data.prepared import known_fingerprint
from autodpq_lib.config import RunConfig
from autodpq_runs.record import read_record, record_path
from autodpq_system.paths import runs_root

#: Strategy -> the notebook that runs it.
NOTEBOOKS = {
    "fe": "02_full_embedding",
    "others": "03_others",
    "grid": "05_grid_search",
    "random": "06_random_search",
    "autodpq": "07_autodpq",
}
#: Whether C was used, in words.
WITH = {True: "with C", False: "without C"}


@dataclass(frozen=True)
class Status:
    """``done``, ``missing`` or ``stale``, with the reason if it is not done."""

    state: str
    reason: str = ""


def status(out: Path, config: RunConfig, *, anywhere: bool = False) -> Status:
    """Whether a run is done: a valid, current record exists. Nothing else counts.

    Numbers with C and without differ, so a batch has the one or the other: a record made with C is not done where there
    is none, nor the other way round, unless it may be from ``anywhere``, as for a table of finished runs.
    """
    path = record_path(out, config)
    if not path.exists():
        return Status("missing", "no record")
    try:
        record = read_record(path)
        reason = record.stale(known_fingerprint(config.dataset))
        if record.config != config:
            reason = "record is of another configuration"
        if record.compiled != native.available() and not anywhere:
            reason = f"made {WITH[record.compiled]}, and this machine runs {WITH[native.available()]}"
    except ValueError as error:
        reason = str(error)
    return Status("stale", reason) if reason else Status("done")


def log_path(config: RunConfig) -> Path:
    """Log of the last attempt at a run."""
    return runs_root() / "logs" / config.dataset / config.recipe / f"{config.name()}.log"
