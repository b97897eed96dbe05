"""Records as a table, and a run's model, data and record back in one line."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from autodpq_data.prepared import known_fingerprint, load_samples, load_schema
from autodpq_data.samples import Samples
from autodpq_data.schema import Schema
from autodpq_lib.config import RunConfig
from autodpq_lib.models.build import final_model
from autodpq_lib.models.ctr_model import CTRModel
from autodpq_runs.agreement import agrees
from autodpq_runs.kept import weights
from autodpq_runs.record import Record, read_record, record_path
from autodpq_runs.run_paths import logits_path, weights_path
from autodpq_runs.train import check_registered, train
from autodpq_system.paths import ROOT, runs_root


@dataclass(frozen=True)
class LoadedRun:
    """A finished run: its trained model in evaluation mode, all three parts of its data, and its record."""

    record: Record
    model: CTRModel
    schema: Schema
    train: Samples
    valid: Samples
    test: Samples


#: Columns that :func:`records` has for every record, those of its configuration first; some have switches on top.
ASKED = ["dataset", "recipe", "model", "strategy", "seed"]
COLUMNS = [
    *ASKED, "valid_auc", "test_auc", "test_logloss", "space", "seconds", "steps", "decision", "stale", "path",
]  # fmt: skip


def find_records(*folders: str | Path) -> list[Path]:
    """All records below the folders (default: ``results/`` and ``runs/``), sorted; relative ones are the project's."""
    places = folders or ("results", runs_root())
    # A name with a dot is another program's: macOS leaves some on other file systems.
    return sorted(path for place in places for here in _folders(ROOT / place) for path in here.glob("[!.]*.json"))


def _folders(place: Path) -> Iterator[Path]:
    """The folders ``records`` below a place, also behind links; each once, though links may lead in a circle."""
    seen = set()
    for here, inner, _ in os.walk(place, followlinks=True):
        if (real := os.path.realpath(here)) in seen:
            inner.clear()
        elif Path(here).name == "records":
            yield Path(here)
        seen.add(real)


def records(*folders: str | Path) -> pd.DataFrame:
    """Every record as one row: what was run, its metrics, Space, cost, decision and file."""
    rows = [row for path in find_records(*folders) if (row := _row(path))]
    return pd.DataFrame(rows, columns=None if rows else COLUMNS)


def _row(path: Path) -> dict[str, object] | None:
    try:
        record = read_record(path)
        stale = record.stale(known_fingerprint(record.config.dataset))
    except ValueError as error:  # of a strategy that is not registered here, or of data that are gone
        warnings.warn(f"left out: {error}", stacklevel=2)
        return None
    config = record.config
    return {
        **{key: getattr(config, key) for key in ASKED},
        **config.changed(),
        "valid_auc": record.valid.auc,
        "test_auc": record.test.auc,
        "test_logloss": record.test.logloss,
        "space": record.space.paper,
        "seconds": record.seconds,
        "steps": record.steps,
        "decision": record.decision,
        "stale": stale,
        "path": path,
    }


def load_run(record: Record | str | Path) -> LoadedRun:
    """Model, data and record of a finished run.

    Raises:
        FileNotFoundError: the record is there but its model is not, as in a fresh clone; run it again.
        ValueError: its strategy is not registered here, the method or the data have changed since, the model on this
            machine is of another training of this run or has another decision, or its files are damaged.
    """
    found = record if isinstance(record, Record) else read_record(Path(record))
    config = found.config
    check_registered(config)
    path = weights_path(found.identity)
    if not path.exists():
        raise FileNotFoundError(
            f"{path}: the model of {config.name()} is not on this machine; run it again with OUT=runs/mine"
        )
    schema = load_schema(config.dataset, config.threshold)
    if reason := found.stale(schema.fingerprint):
        raise ValueError(f"{config.name()}: {reason}; run it again")
    parts = [load_samples(config.dataset, part, config.split_seed, config.split) for part in ("train", "valid", "test")]
    if not agrees(found, logits_path(found.identity), parts[-1].labels):
        raise ValueError(f"{config.name()}: the model on this machine is of another training; load that one's record")
    model, trained = final_model(config.model_copy(update={"device": "cpu"}), schema, found.decision), weights(path)
    try:
        model.load_state_dict(trained)
    except RuntimeError as error:  # a decision that was edited: the identity covers all else
        said = "decision: expected that of the model on this machine, found another"
        raise ValueError(f"{config.name()}: {said}") from error
    return LoadedRun(found, model.eval(), schema, *parts)


def load_or_train(config: RunConfig, found_in: str | Path, out: str | Path) -> LoadedRun:
    """The finished run of a configuration, trained now if record or model is not on this machine, stale or damaged.

    Args:
        config: of the run.
        found_in: where its record would be, as in ``make replicate OUT=``.
        out: searched, too; the record goes here if the run is trained now.

    Raises:
        ValueError: its strategy is not registered here.
    """
    for folder in dict.fromkeys((found_in, out)):
        with suppress(FileNotFoundError, ValueError):
            record = read_record(record_path(ROOT / folder, config))
            if record.config == config:  # a name tells what differs from the data set's YAML, which may have changed
                return load_run(record)
    return load_run(train(config, out))
