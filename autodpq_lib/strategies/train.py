"""Train one model from scratch: all that FE and Others do, which differ in their embedding alone (section 4.2)."""

from __future__ import annotations

from autodpq_lib.models.build import final_model
from autodpq_lib.training.fit import Fit
from autodpq_lib.training.run import Run


def train(run: Run) -> list[Fit]:
    """The strategy's own embedding, from scratch: FE's rows for all, or Others' with one for a field's rare."""
    return trained_on(run, [run.fit("fit", final_model(run.config, run.schema, None))])


def trained_on(run: Run, fits: list[Fit]) -> list[Fit]:
    """As a control, ``extra_training``, the best fit is gone on with from its weights twice, with a new optimiser each.

    The limits are those of the search and of the retrain: as much as AutoDPQ's steps after the pretrain get.
    """
    limits, start = run.config.limits, max(fits, key=lambda fit: fit.result["valid_auc"])
    more = {"more": limits.search, "last": limits.train} if run.config.extra_training else {}
    for name, limit in more.items():
        model = final_model(run.config, run.schema, start.decision)
        model.load_state_dict(start.weights)
        start = run.fit(name, model, decision=start.decision, limit=limit)
        fits.append(start)
    return fits
