"""Which runs of a batch are done, and where each leaves its log."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

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


@dataclass(frozen=True)
class Status:
    """``done``, ``missing`` or ``stale``, with the reason if it is not done."""

    state: str
    reason: str = ""


def status(out: Path, config: RunConfig) -> Status:
    """Whether a run is done: a valid, current record exists. Nothing else counts."""
    path = record_path(out, config)
    if not path.exists():
        return Status("missing", "no record")
    try:
        record = read_record(path)
        reason = record.stale(known_fingerprint(config.dataset))
        if record.config != config:
            reason = "record is of another configuration"
    except ValueError as error:
        reason = str(error)
    return Status("stale", reason) if reason else Status("done")


def log_path(config: RunConfig) -> Path:
    """Log of the last attempt at a run."""
    return runs_root() / "logs" / config.dataset / config.recipe / f"{config.name()}.log"
