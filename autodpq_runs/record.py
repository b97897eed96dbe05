"""The record of a run: the proof that it is done, and the only source of numbers.

What is written and what is read is evidence or refused: types are strict, numbers finite and in their range, and the
parts of a record that say the same thing must agree.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError, field_validator

from autodpq_lib.config import METHOD_VERSION, Decision, RunConfig
from autodpq_lib.space import Space
from autodpq_lib.training.metrics import Metrics
from autodpq_runs.curves import FitLog, Point, improvements
from autodpq_runs.provenance import Provenance
from autodpq_system.atomic import write_text
from autodpq_system.sentence import one_line, sentence, shortened
from autodpq_system.strict import Strict
from autodpq_system.strict_json import loads


class Record(Strict):
    """What one run leaves.

    Attributes:
        identity: covers configuration, data, method and whether C was used, nothing else of the provenance.
        test_parts: test metrics of the samples ``touched`` by a low-frequency feature, and of the ``untouched``.
        codebook_use: share of each field's centroids that some low-frequency feature uses; the rest are dead codes.
        scores: test metrics of every improvement of the curves, in their order; see :attr:`timeline`.
    """

    identity: str
    method_version: int
    data_fingerprint: str
    config: RunConfig
    valid: Metrics
    test: Metrics
    test_parts: dict[Annotated[str, Field(pattern="^(un)?touched$")], Metrics] = Field(default_factory=dict)
    codebook_use: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(default_factory=dict)
    decision: Decision | None
    space: Space
    fits: list[FitLog]
    scores: list[Metrics]
    provenance: Provenance

    @field_validator("config", mode="wrap")
    @classmethod
    def _as_written(cls, given: Any, validate: Callable[[Any], RunConfig]) -> RunConfig:
        """A command line may give "1" for 1; a record may not."""
        if isinstance(given, RunConfig):
            return _checked(given)
        if not isinstance(given, dict):
            raise ValueError(f"expected an object, found {shortened(given)}")  # noqa: TRY004 - pydantic wants it so
        config = validate(given)
        written = config.model_dump(mode="json")
        for key, value in given.items():
            if json.dumps(value) != json.dumps(written[key]):
                raise ValueError(f"{key}: expected {written[key]!r}, found {shortened(value)}")
        return config

    @property
    def timeline(self) -> list[Point]:
        """The improvements of the curves, each with its test metrics."""
        due = improvements(self.fits, self.config.scored)
        return [Point(**vars(each), test=test) for each, test in zip(due, self.scores, strict=True)]

    @property
    def seconds(self) -> float:
        """Training and validation of all fits, in seconds."""
        return sum(log.cost["seconds"] for log in self.fits)

    @property
    def steps(self) -> int:
        """Weight updates of all fits."""
        return int(sum(log.cost["steps"] for log in self.fits))

    @property
    def compiled(self) -> bool:
        """Whether the run used C; older records do not say, and count as if they did."""
        return self.provenance.compiled is not False

    def stale(self, fingerprint: str | None = None) -> str | None:
        """Why the record no longer counts: method version, data (see ``fingerprint``) or identity differ; else None."""
        current = METHOD_VERSION[self.config.strategy]
        if self.method_version != current:
            return f"method version {self.method_version} of {self.config.strategy}, now {current}"
        if fingerprint not in (None, self.data_fingerprint):
            return f"made from data {self.data_fingerprint[:12]}, which are {str(fingerprint)[:12]} now"
        if self.identity != self.config.identity(self.data_fingerprint, compiled=self.compiled):
            return "identity does not match its configuration"
        return None


def _checked(config: RunConfig) -> RunConfig:
    """The configuration, checked: ``model_copy`` with another value checks nothing."""
    return RunConfig.model_validate(config.model_dump(mode="json"))


def record_path(out: Path, config: RunConfig) -> Path:
    """``<out>/<dataset>/<recipe>/records/<name>.json``."""
    return out / config.dataset / config.recipe / "records" / f"{config.name()}.json"


def write_record(record: Record, path: Path) -> None:
    """Write canonical JSON, all or nothing: sorted keys, one top-level key a line, no spaces.

    Raises:
        ValueError: the record contradicts itself, or its configuration is not valid.
    """
    try:
        _checked(record.config)
    except ValidationError as error:
        raise ValueError(f"{path}: not a valid record: config: {sentence(error)}") from error
    _refuse_contradictions(record, path)
    write_text(path, canonical(record.model_dump(mode="json")))


def canonical(content: dict[str, Any]) -> str:
    """The text of a record."""
    write = json.JSONEncoder(sort_keys=True, allow_nan=False, separators=(",", ":")).encode
    return "{\n" + ",\n".join(f"{write(key)}:{write(content[key])}" for key in sorted(content)) + "\n}\n"


def read_record(path: Path) -> Record:
    """Read a record, once in a process as long as the file stays as it is: pages and tables ask again and again.

    Raises:
        ValueError: the file is not a valid record, or one that contradicts itself; the message names file and key.
    """
    try:
        found = path.stat()
        return _read(path, found.st_ino, found.st_mtime_ns, found.st_size)
    except OSError as error:  # a link that leads nowhere, a folder
        raise ValueError(f"{path}: {error.strerror}") from error


@cache
def _read(path: Path, *_changed: int) -> Record:
    try:
        text = path.read_text(encoding="utf-8")
        loads(text)
        record = Record.model_validate_json(text)
    except ValidationError as error:
        raise ValueError(f"{path}: not a valid record: {sentence(error)}") from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path}: not a valid record: expected JSON in UTF-8, found: {error}") from error
    except ValueError as error:
        raise ValueError(f"{path}: not a valid record: {error}") from error
    _refuse_contradictions(record, path)
    return record


def _refuse_contradictions(record: Record, path: Path) -> None:
    for key, expected, found in contradictions(record):
        said = one_line(f"{key}: expected {expected}, found {shortened(found)}")
        raise ValueError(f"{path}: not a valid record: {said}")


def contradictions(record: Record) -> Iterator[tuple[str, str, object]]:
    """Key, what was expected and what was found, for each part of a record that its other parts belie.

    Every improvement of the curves has a score. The best on validation in the last stage is the result, and the
    record's decision is that of the result's fit.
    """
    improved = len(list(improvements(record.fits, record.config.scored)))
    if len(record.scores) != improved or not improved:
        yield (
            "scores",
            f"one for each of the curves' {improved} improvements, of which there must be some",
            len(record.scores),
        )
        return
    timeline = record.timeline
    stage = [point for point in timeline if point.stage == timeline[-1].stage]
    result = max(stage, key=lambda point: point.valid.auc)
    for key in ("valid", "test"):
        if getattr(record, key) != getattr(result, key):
            due, found = (getattr(each, key).auc for each in (result, record))
            yield key, f"that of {result.fit}, epoch {result.epoch}, AUC {due}", found
    yield from _in_decisions(record, next(log.decision for log in record.fits if log.name == result.fit))


def _in_decisions(record: Record, decision: Decision | None) -> Iterator[tuple[str, str, object]]:
    """The decision is that of the fit that is the result, and no part of the record names other fields."""
    if record.decision != decision:
        yield "decision", f"{decision}, that of the fit that was best", record.decision
    fields, candidates = set(decision or ()), set(record.config.candidates)
    if other := {*(decision or {}).values()} - candidates:
        yield "decision", f"pairs among {sorted(candidates)}", sorted(other)
    for log in record.fits:
        if log.decision is not None and set(log.decision) != fields:
            yield f"fits.{log.name}.decision", f"the fields {sorted(fields)}", sorted(log.decision)
    if record.codebook_use and set(record.codebook_use) != fields:
        yield "codebook_use", f"the fields {sorted(fields)}", sorted(record.codebook_use)
