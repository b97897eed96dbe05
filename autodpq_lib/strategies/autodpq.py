"""AutoDPQ: pretrain, search, retrain (section 3)."""

from __future__ import annotations

from typing import cast

from autodpq_lib.config import Decision
from autodpq_lib.embedding.candidates import Candidates
from autodpq_lib.embedding.dpq import DPQ
from autodpq_lib.models.build import candidates_model, final_model, full_model, start_from
from autodpq_lib.models.ctr_model import CTRModel
from autodpq_lib.runs.run import Run, Stage
from autodpq_lib.strategies.fe import descend
from autodpq_lib.training.fit import Fit, fit
from autodpq_lib.training.search import Search


def autodpq(run: Run) -> list[Stage]:
    """The three steps, one after the other. The result is the retrained model."""
    pretrained = pretrain(run) if run.config.pretrain else None
    searched, mixture = search(run, pretrained)
    retrained = retrain(run, pretrained, mixture)
    return stages(run, pretrained, searched, retrained)


def stages(run: Run, pretrained: Fit | None, searched: Fit, retrained: tuple[Fit, Decision | None]) -> list[Stage]:
    """The three steps as what is to be scored; the search's mixture is no model to be scored."""
    first = (
        [Stage("pretrain", [(pretrained, None)], lambda _: full_model(run.config, run.schema))] if pretrained else []
    )
    return [
        *first,
        Stage("search", [(searched, None)]),
        Stage("retrain", [retrained], lambda decision: final_model(run.config, run.schema, decision)),
    ]


def pretrain(run: Run) -> Fit:
    """Section 3.1: FE, whose rows the search starts from."""
    return descend(run, "pretrain", full_model(run.config, run.schema))


def search(run: Run, pretrained: Fit | None) -> tuple[Fit, CTRModel]:
    """Section 3.2: Algorithm 1 from the pretrained weights. The model returned has the best epoch's weights."""
    model = candidates_model(run.config, run.schema)
    if pretrained is not None:
        start_from(model, pretrained.best)
    done = fit(
        "search",
        model,
        Search(model, run.train, run.valid, run.config),
        run.valid,
        run.workspace,
        seed=run.config.seed,
        limit=run.config.budget.search,
        keep_above=2.0,  # the mixture is no result, so none of its weights are kept for scoring
    )
    return done, model


def retrain(run: Run, pretrained: Fit | None, mixture: CTRModel) -> tuple[Fit, Decision | None]:
    """Section 3.3: the arg max of alpha as DPQ, no BatchNorm, "fine-tune all the other parameters"."""
    searched = cast(Candidates, mixture.embedding)
    decision = searched.decision() if run.config.quantise else None
    model = final_model(run.config, run.schema, decision)
    if run.config.retrain_from == "pretrain" and pretrained is not None:
        start_from(model, pretrained.best)
    if run.config.retrain_from == "search":
        start_from(model, mixture.state_dict())
        if isinstance(model.embedding, DPQ):
            model.embedding.adopt(searched)
    return descend(run, "retrain", model), decision
