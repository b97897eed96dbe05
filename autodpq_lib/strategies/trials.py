"""Train one DPQ model after another and keep the best on validation: what Grid and Random share."""

from __future__ import annotations

from collections.abc import Sequence

from autodpq_lib.config import Decision
from autodpq_lib.models.build import dpq_model, full_model, start_from
from autodpq_lib.strategies.train import train_further
from autodpq_lib.training.fit import Fit
from autodpq_lib.training.run import Run


def try_decisions(run: Run, decisions: Sequence[Decision]) -> list[Fit]:
    """Train DPQ under each decision in turn, up to the profile's number of trials; a finished trial is not repeated.

    Every trial has the run's seed, so trials differ in their decision alone. They start from scratch, as FE
    does, or (a control) all from one pretrained FE.

    Raises:
        ValueError: no feature is low-frequency.
    """
    run.schema.need_low()
    pretrains = run.config.trials_from == "pretrain"
    pretrained = [run.fit("fit", full_model(run.config, run.schema))] if pretrains else []
    trials: list[Fit] = []
    best = -1.0
    for number, decision in enumerate(decisions[: run.config.limits.trials]):
        model = dpq_model(run.config, run.schema, decision)
        if pretrained:
            start_from(model, pretrained[0].weights)
        trials.append(run.fit(f"trial-{number:03d}", model, decision=decision))
        trials[-1].forget(best)
        best = max(best, trials[-1].result["valid_auc"])
    return [*pretrained, *train_further(run, trials)]
