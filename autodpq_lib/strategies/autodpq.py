"""AutoDPQ: pretrain, search, retrain (section 3)."""

from __future__ import annotations

from typing import cast

from autodpq_lib.config import Decision
from autodpq_lib.embedding.candidates import Candidates
from autodpq_lib.embedding.dpq import DPQ
from autodpq_lib.fit import Fit, fit
from autodpq_lib.models.build import candidates_model, dpq_model, full_model, start_from
from autodpq_lib.models.ctr_model import CTRModel
from autodpq_lib.run import Run, Stage
from autodpq_lib.search import Search
from autodpq_lib.strategies.fe import descend


def autodpq(run: Run) -> list[Stage]:
    """The three steps, one after the other."""
    pretrained = pretrain(run)
    searched, mixture = search(run, pretrained)
    decision = cast(Candidates, mixture.embedding).decision()
    retrained = retrain(run, pretrained, mixture, decision)
    return [
        Stage("pretrain", [(pretrained, None)], lambda _: full_model(run.config, run.schema)),
        Stage("search", [(searched, None)]),
        Stage("retrain", [(retrained, decision)], lambda _: dpq_model(run.config, run.schema, decision)),
    ]


def pretrain(run: Run) -> Fit:
    """Section 3.1: FE, whose rows the search starts from."""
    return descend(run, "pretrain", full_model(run.config, run.schema))


def search(run: Run, pretrained: Fit) -> tuple[Fit, CTRModel]:
    """Section 3.2: Algorithm 1 from the pretrained weights. The model returned has the best epoch's weights."""
    model = candidates_model(run.config, run.schema)
    start_from(model, pretrained.best)
    trainer = Search(model, run.train, run.valid, run.config)
    budget = run.config.budget
    done = fit(
        "search",
        model,
        trainer,
        run.valid,
        run.workspace,
        seed=run.config.seed,
        epochs=budget.search_epochs,
        patience=budget.search_patience,
        keep_above=2.0,  # the mixture is no result, so none of its weights are kept for scoring
    )
    return done, model


def retrain(run: Run, pretrained: Fit, mixture: CTRModel, decision: Decision) -> Fit:
    """Section 3.3: DPQ under the decision, no BatchNorm, "fine-tune all the other parameters"."""
    model = dpq_model(run.config, run.schema, decision)
    if run.config.retrain_from == "pretrain":
        start_from(model, pretrained.best)
    if run.config.retrain_from == "search":
        start_from(model, mixture.state_dict())
        cast(DPQ, model.embedding).adopt(cast(Candidates, mixture.embedding))
    return descend(run, "retrain", model)
