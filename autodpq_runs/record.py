"""The record of a run: the proof that it is done, and the only source of numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from autodpq_lib.config import METHOD_VERSION, Decision, RunConfig
from autodpq_lib.space import Space
from autodpq_lib.training.metrics import Metrics
from autodpq_runs.provenance import Provenance
from autodpq_system.atomic import write_text


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Point(_Strict):
    """An improvement on validation, scored on test at the end of the run.

    Attributes:
        stage: ``fit``, ``trial``, ``pretrain`` or ``retrain``; the best so far is counted apart in each.
        fit: name of the fit within the stage.
        epoch: its epoch.
        seconds: training and validation of the whole run up to here.
        steps: weight updates of the whole run up to here.
    """

    stage: str
    fit: str
    epoch: int
    seconds: float
    steps: int
    valid: Metrics
    test: Metrics


class FitLog(_Strict):
    """One fit of a run: what it trained, and its epochs as columns.

    Attributes:
        name: ``fit``, ``trial-03``, ``pretrain``, ``search`` or ``retrain``.
        decision: (K, D) per field, where the fit had one.
        curve: column -> one number an epoch.
    """

    name: str
    decision: Decision | None
    curve: dict[str, list[float]]

    @property
    def cost(self) -> dict[str, float]:
        """Seconds (training and validation) and steps (weight updates) of the fit."""
        return {key: sum(self.curve[key]) for key in ("seconds", "steps")}


class Record(_Strict):
    """What one run leaves.

    Attributes:
        identity: covers configuration, data and method, not the provenance.
        test_parts: test metrics of the samples ``touched`` by a low-frequency feature, and of the ``untouched``.
        codebook_use: share of each field's centroids that some low-frequency feature uses; the rest are dead codes.
    """

    identity: str
    method_version: int
    data_fingerprint: str
    config: RunConfig
    valid: Metrics
    test: Metrics
    test_parts: dict[str, Metrics] = {}
    codebook_use: dict[str, float] = {}
    decision: Decision | None
    space: Space
    timeline: list[Point]
    fits: list[FitLog]
    provenance: Provenance

    @property
    def seconds(self) -> float:
        """Training and validation of all fits, in seconds."""
        return sum(log.cost["seconds"] for log in self.fits)

    @property
    def steps(self) -> int:
        """Weight updates of all fits."""
        return int(sum(log.cost["steps"] for log in self.fits))

    def stale(self, fingerprint: str | None = None) -> str | None:
        """Why the record no longer counts, or None: an older method, or other data than ``fingerprint``."""
        current = METHOD_VERSION[self.config.strategy]
        if self.method_version != current:
            return f"method version {self.method_version} of {self.config.strategy}, now {current}"
        if fingerprint not in (None, self.data_fingerprint):
            return f"data {self.data_fingerprint[:12]}, now {str(fingerprint)[:12]}"
        if self.identity != self.config.identity(self.data_fingerprint):
            return "identity does not match its configuration"
        return None


def record_path(out: Path, config: RunConfig) -> Path:
    """``<out>/<dataset>/<recipe>/records/<name>.json``."""
    return out / config.dataset / config.recipe / "records" / f"{config.name()}.json"


def write_record(record: Record, path: Path) -> None:
    """Write canonical JSON, all or nothing: sorted keys, one top-level key a line, floats at 17 digits at most."""
    content: dict[str, Any] = record.model_dump(mode="json")
    lines = [
        f"{json.dumps(key)}: {json.dumps(content[key], sort_keys=True, allow_nan=False)}" for key in sorted(content)
    ]
    write_text(path, "{\n" + ",\n".join(lines) + "\n}\n")


def read_record(path: Path) -> Record:
    """Read a record.

    Raises:
        ValueError: the file is not a valid record; the message names it.
    """
    try:
        return Record.model_validate_json(path.read_text(encoding="utf-8"))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"{path}: not a valid record: {where}: {first['msg']}") from error
