"""Grid: the best global (K, D) for all fields."""

from __future__ import annotations

from autodpq_data.schema import Schema
from autodpq_lib.config import Decision, RunConfig
from autodpq_lib.strategies.trials import try_decisions
from autodpq_lib.training.fit import Fit
from autodpq_lib.training.run import Run


def grid(run: Run) -> list[Fit]:
    """Grid, baseline 3 of section 4.2: each of the T candidates, the same in every field."""
    return try_decisions(run, global_decisions(run.config, run.schema))


def global_decisions(config: RunConfig, schema: Schema) -> list[Decision]:
    """The T decisions that give every field the same pair."""
    return [dict.fromkeys(schema.low_fields, pair) for pair in config.candidates]
