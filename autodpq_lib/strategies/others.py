"""Others: the low-frequency features of a field share one row."""

from __future__ import annotations

from autodpq_lib.models.build import others_model
from autodpq_lib.run import Run, Stage
from autodpq_lib.strategies.fe import descend


def others(run: Run) -> list[Stage]:
    """Others, baseline 2 of section 4.2."""
    done = descend(run, "fit", others_model(run.config, run.schema))
    return [Stage("fit", [(done, None)], lambda _: others_model(run.config, run.schema))]
