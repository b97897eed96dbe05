"""Others: the low-frequency features of a field share one row."""

from __future__ import annotations

from autodpq_lib.models.build import others_model
from autodpq_lib.runs.run import Run, Stage
from autodpq_lib.strategies.fe import train


def others(run: Run) -> list[Stage]:
    """Others, baseline 2 of section 4.2."""
    return train(run, lambda: others_model(run.config, run.schema))
