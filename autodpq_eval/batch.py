"""Which runs of a batch are done, and where each leaves its log and its executed notebook."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import autodpq_native as native
from autodpq_data.prepared import known_fingerprint
from autodpq_lib.config import OUTSIDE, RunConfig
from autodpq_runs.record import Record, read_record, record_path
from autodpq_system.paths import ROOT, runs_root

#: Strategy -> the notebook that runs it.
NOTEBOOKS = {
    "fe": "02_full_embedding",
    "others": "03_others",
    "grid": "05_grid_search",
    "random": "06_random_search",
    "autodpq": "07_autodpq_run",
    **dict.fromkeys(OUTSIDE, "14_at_equal_bytes"),
}
#: Whether C was used, in words.
WITH = {True: "with C", False: "without C"}
#: Seeds of Tables 1 and 2, whose executed notebooks are committed.
TABLE_SEEDS = (1, 2, 3)


@dataclass(frozen=True)
class Status:
    """``done``, ``missing`` or ``stale``; why it is not done, or that a done one has no executed notebook here.

    Attributes:
        record: of a run that is done.
    """

    state: str
    reason: str = ""
    record: Record | None = field(default=None, compare=False, repr=False)


def status(out: Path, config: RunConfig, *, anywhere: bool = False) -> Status:
    """Whether a run is done: a valid, current record exists. Nothing else counts.

    Numbers with C and without differ, so no batch mixes them: where C is available a record made without it is stale,
    and the other way round, unless it may be from ``anywhere``, as for a table of finished runs.
    """
    path, compiled = record_path(out, config), None if anywhere else native.available()
    if not path.exists():
        return Status("missing", "no record")
    try:
        record = read_record(path)
        reason = record.stale(known_fingerprint(config.dataset))
        if record.config != config:
            reason = f"record is of another configuration: {_first_difference(config, record.config)}"
        if compiled is not None and record.compiled != compiled:
            reason = f"made {WITH[record.compiled]}, and this machine runs {WITH[compiled]}"
    except ValueError as error:
        reason = str(error).removeprefix(f"{path}: ")
    if reason:
        return Status("stale", reason)
    return Status("done", "" if notebook_path(out, config).exists() else "no executed notebook here", record)


def _first_difference(wanted: RunConfig, found: RunConfig) -> str:
    """The first key in which two configurations differ, with both values."""
    key = next(name for name in RunConfig.model_fields if getattr(wanted, name) != getattr(found, name))
    return f"{key}: expected {getattr(wanted, key)!r}, found {getattr(found, key)!r}"


def log_path(out: Path, config: RunConfig) -> Path:
    """Log of the last attempt at a run."""
    return log_folder(out, config.dataset, config.recipe) / f"{config.name()}.log"


def log_folder(out: Path, dataset: str, recipe: str) -> Path:
    """Where the logs of a batch lie, apart for each folder of records: several batches may be at work."""
    place = Path(os.path.relpath(ROOT / out, ROOT))
    return runs_root().joinpath("logs", *("+" if part == ".." else part for part in place.parts), dataset, recipe)


def notebook_path(out: Path, config: RunConfig) -> Path:
    """Where a run's executed notebook lies: beside the records for Tables 1 and 2, else in ``runs/notebooks``.

    It is a log and no evidence: a run is done without it, and only a new run, elsewhere, makes it again.
    """
    plain = config.seed in TABLE_SEEDS and not set(config.changed()) - {"profile"}
    own = Path(config.dataset, config.recipe)
    folder = out / own / "notebooks" if plain else runs_root() / "notebooks" / own
    return folder / f"{config.name()}.ipynb"
