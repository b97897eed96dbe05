"""What is read from a record: a measure of a run, seed by seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from autodpq_eval.stats import BETTER
from autodpq_runs.record import Record

#: Name of a measure -> how to read it from a record (None where the record has none); all but the last are of AUC or
#: logloss, Space is in the paper's units.
MEASURES: dict[str, Callable[[Record], float | None]] = {
    "auc": lambda record: record.test.auc,
    "logloss": lambda record: record.test.logloss,
    "touched auc": lambda record: _part(record, "touched"),
    "untouched auc": lambda record: _part(record, "untouched"),
    "valid auc": lambda record: record.valid.auc,
    "space": lambda record: record.space.paper,
}


def by_seed(records: Sequence[Record], measure: str) -> dict[int, float]:
    """A measure of :data:`MEASURES`, seed by seed; a record without it is left out."""
    values = {record.config.seed: MEASURES[measure](record) for record in records}
    return {seed: float(value) for seed, value in values.items() if value is not None}


def more_is_better(records: Sequence[Record], metric: str) -> dict[int, float]:
    """:func:`by_seed`, signed so that more is better."""
    return {seed: BETTER[metric] * value for seed, value in by_seed(records, metric).items()}


def _part(record: Record, name: str) -> float | None:
    return record.test_parts[name].auc if name in record.test_parts else None
