"""The compressor as a strategy: ``RunConfig(strategy="budget", options={"bytes": 57_630}, embedding_dim=8, ...)``."""

from __future__ import annotations

from typing import cast

from autodpq_budget.by_groups import ByGroups
from autodpq_budget.compress import menu_of, on_groups
from autodpq_budget.train_on import train_on
from autodpq_data.schema import Schema
from autodpq_lib.config import RunConfig
from autodpq_lib.models.build import MakesEmbedding, full_model
from autodpq_lib.strategies import register
from autodpq_lib.training.fit import Fit
from autodpq_lib.training.run import Run

STRATEGY = "budget"


def budget(run: Run) -> list[Fit]:
    """FE; then its tables in ``bytes``, trained on with fixed codes; the result is the best round on validation.

    Options: ``bytes`` of embedding and first-order weights, as everywhere where methods are compared; ``factor`` of the
    first-order weights' distortion, 1 by default; ``onward``, off to leave out the training on.
    """
    full = run.fit("full", full_model(run.config, run.schema), scored=False)
    model = full_model(run.config, run.schema)
    model.load_state_dict(full.weights)
    offered, options = menu_of(model, run.schema, run.train), run.config.options
    chosen = offered.choose(int(options["bytes"]), {"first_order": float(options.get("factor", 1))})
    made = on_groups(run.config, run.schema, model, offered.tensors(chosen))
    return [full, train_on(run, made, onward=bool(options.get("onward", True)))]


def embedding(config: RunConfig, schema: Schema) -> ByGroups:
    """Means of all groups, in the place of which :func:`budget` puts its choice."""
    return ByGroups(schema, config.embedding_dim)


def register_budget() -> None:
    """Make the compressor a strategy."""
    register(STRATEGY, cast(MakesEmbedding, embedding), strategy=budget)
