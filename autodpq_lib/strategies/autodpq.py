"""AutoDPQ: pretrain, search, retrain (section 3)."""

from __future__ import annotations

from typing import cast

from torch import nn

from autodpq_lib.embedding.candidates import Candidates
from autodpq_lib.embedding.compressed import Compressed
from autodpq_lib.embedding.dpq import DPQ
from autodpq_lib.models.build import candidates_model, final_model, full_model, start_from
from autodpq_lib.models.ctr_model import CTRModel
from autodpq_lib.training.fit import Fit
from autodpq_lib.training.run import Run
from autodpq_lib.training.search import Search
from autodpq_system.seeding import seed_for


def autodpq(run: Run) -> list[Fit]:
    """The three steps in turn; returns their fits, the last of which, the retrain, is the run's result.

    Raises:
        ValueError: no feature is low-frequency.
    """
    run.schema.need_low()
    pretrained = pretrain(run) if run.config.pretrain else None
    searched, mixture = search(run, pretrained)
    retrained = retrain(run, pretrained, mixture)
    return [*([pretrained] if pretrained else []), searched, retrained]


def pretrain(run: Run) -> Fit:
    """Section 3.1: FE, from whose weights the search starts."""
    return run.fit("pretrain", full_model(run.config, run.schema), limit=run.config.pretrain_limit)


def search(run: Run, pretrained: Fit | None) -> tuple[Fit, CTRModel]:
    """Section 3.2: Algorithm 1 from the pretrained weights. The model returned has the weights of the fit's result."""
    model = candidates_model(run.config, run.schema)
    if pretrained is not None:
        start_from(model, pretrained.weights)
        _from_pretrained_rows(run, model.embedding)
    trainer = Search(model, run.train, run.valid, run.config)
    return run.fit("search", model, trainer=trainer, limit=run.config.limits.search), model


def retrain(run: Run, pretrained: Fit | None, mixture: CTRModel) -> Fit:
    """Section 3.3: train DPQ under the arg max of alpha, without Eq. 2: "fine-tune all the other parameters"."""
    searched = cast(Candidates, mixture.embedding)
    decision = searched.decision() if run.config.quantise else None
    model = final_model(run.config, run.schema, decision)
    if run.config.retrain_from == "pretrain" and pretrained is not None:
        start_from(model, pretrained.weights)
        _from_pretrained_rows(run, model.embedding)
    if run.config.retrain_from == "search":
        start_from(model, mixture.state_dict())
        if isinstance(model.embedding, DPQ):
            model.embedding.adopt(searched)
    return run.fit("retrain", model, decision=decision)


def _from_pretrained_rows(run: Run, embedding: nn.Module) -> None:
    """What the text's reading takes from the pretrained rows: centroids, and the scale of Eq. 2's output."""
    if isinstance(embedding, Compressed) and run.config.centroids_from == "kmeans":
        embedding.cluster(seed_for(run.config.seed, "kmeans"))
    if isinstance(embedding, Candidates) and run.config.batchnorm_scale == "pretrained":
        embedding.keep_scale()
