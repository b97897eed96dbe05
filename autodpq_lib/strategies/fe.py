"""FE: every feature has its row."""

from __future__ import annotations

from collections.abc import Callable

from autodpq_lib.config import Limit
from autodpq_lib.models.build import full_model
from autodpq_lib.models.ctr_model import CTRModel
from autodpq_lib.runs.run import Run, Stage
from autodpq_lib.training.fit import Descent, Fit, fit


def full_embedding(run: Run) -> list[Stage]:
    """FE, baseline 1 of section 4.2: all features, no compression."""
    return train(run, lambda: full_model(run.config, run.schema))


def train(run: Run, build: Callable[[], CTRModel]) -> list[Stage]:
    """Train the model that ``build`` makes, from scratch.

    As a control, ``extra_training``, it is then trained on from its best weights twice, with a new optimiser and
    the limits of the search and of the retrain: as much as AutoDPQ's steps after the pretrain get.
    """
    budget = run.config.budget
    extra = {"more": budget.search, "last": budget.train} if run.config.extra_training else {}
    stages: list[Stage] = []
    for name, limit in {"fit": budget.train, **extra}.items():
        model = build()
        if stages:
            model.load_state_dict(stages[-1].fits[0][0].best)
        stages.append(Stage(name, [(descend(run, name, model, limit), None)], lambda _: build()))
    return stages


def descend(run: Run, name: str, model: CTRModel, limit: Limit | None = None, keep_above: float = -1.0) -> Fit:
    """Train a model by plain descent on the run's data, by default within its budget for a training."""
    return fit(
        name,
        model,
        Descent(model, run.train, run.config),
        run.valid,
        run.workspace,
        seed=run.config.seed,
        limit=limit or run.config.budget.train,
        keep_above=keep_above,
    )
