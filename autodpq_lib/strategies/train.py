"""Train one model from scratch: all that FE and Others do, which differ in their tables alone (section 4.2)."""

from __future__ import annotations

from autodpq_lib.models.build import final_model
from autodpq_lib.training.fit import Fit
from autodpq_lib.training.run import Run


def train(run: Run) -> list[Fit]:
    """Train the strategy's own embedding: in FE each feature has a row, in Others a field's rare features share one."""
    return train_further(run, [run.fit("fit", final_model(run.config, run.schema, None))])


def train_further(run: Run, fits: list[Fit]) -> list[Fit]:
    """With the control ``extra_training``, train the best fit twice more, each time with a fresh optimiser.

    The second of these starts from the weights of the first. Their limits are the search's and the retrain's, so the
    fit gets as much as AutoDPQ does after the pretrain.
    """
    limits, start = run.config.limits, max(fits, key=lambda fit: fit.result["valid_auc"])
    more = {"more": limits.search, "last": limits.train} if run.config.extra_training else {}
    for name, limit in more.items():
        model = final_model(run.config, run.schema, start.decision)
        model.load_state_dict(start.weights)
        start = run.fit(name, model, decision=start.decision, limit=limit)
        fits.append(start)
    return fits
