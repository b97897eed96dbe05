"""Train one DPQ model after another and keep the best on validation: what Grid and Random share."""

from __future__ import annotations

from collections.abc import Iterable

from autodpq_lib.config import Decision
from autodpq_lib.models.build import dpq_model, final_model, start_from
from autodpq_lib.runs.checkpoints import Weights
from autodpq_lib.runs.run import Run, Stage
from autodpq_lib.strategies.fe import descend, full_embedding
from autodpq_lib.training.fit import Fit


def try_decisions(run: Run, decisions: Iterable[Decision]) -> list[Stage]:
    """Train DPQ under each decision, in order; a trial that is done is not repeated.

    Every trial has the run's seed, so trials differ in their decision alone. They start from scratch, as FE
    does, or (a control) all from one pretrained FE.
    """
    before, start = _start(run)
    trials: list[tuple[Fit, Decision | None]] = []
    best = -1.0
    for number, decision in enumerate(decisions):
        model = dpq_model(run.config, run.schema, decision)
        if start is not None:
            start_from(model, start)
        done = descend(run, f"trial-{number:03d}", model, keep_above=best)
        best = max(best, done.best_row["valid_auc"])
        trials.append((done, decision))
    return [*before, Stage("trial", trials, lambda decision: final_model(run.config, run.schema, decision))]


def _start(run: Run) -> tuple[list[Stage], Weights | None]:
    if run.config.trials_from == "scratch":
        return [], None
    (stage,) = full_embedding(run)
    return [stage], stage.fits[0][0].best
