"""The five columns of Table 1. A strategy turns a :class:`Run` into fits and sees no test data."""

from __future__ import annotations

from collections.abc import Callable

from autodpq_lib.config import METHOD_VERSION
from autodpq_lib.models.build import EMBEDDING, MakesEmbedding
from autodpq_lib.strategies.autodpq import autodpq
from autodpq_lib.strategies.grid import grid
from autodpq_lib.strategies.random import random
from autodpq_lib.strategies.train import train
from autodpq_lib.training.fit import Fit
from autodpq_lib.training.run import Run

Strategy = Callable[[Run], list[Fit]]

STRATEGY: dict[str, Strategy] = {"fe": train, "others": train, "grid": grid, "random": random, "autodpq": autodpq}


def register(name: str, embedding: MakesEmbedding, *, strategy: Strategy = train) -> None:
    """Add a strategy beside the five: an embedding, trained from scratch unless ``strategy`` says otherwise.

    Afterwards ``RunConfig(strategy=name)`` runs, is recorded and comes back by :func:`autodpq_runs.explore.load_run`.

    Args:
        name: of the strategy.
        embedding: makes the embedding of a configuration and a data set.
        strategy: what is trained.
    """
    METHOD_VERSION.setdefault(name, 1)
    EMBEDDING[name], STRATEGY[name] = embedding, strategy
