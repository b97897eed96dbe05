"""The compressor as a strategy: ``RunConfig(strategy="budget", options={"bytes": 57_630}, embedding_dim=8, ...)``."""

from __future__ import annotations

from typing import cast

from autodpq_budget.by_groups import ByGroups
from autodpq_budget.compress import FACTORS, menu_of, on_groups
from autodpq_budget.train_on import train_on
from autodpq_data.schema import Schema
from autodpq_lib.config import RunConfig
from autodpq_lib.models.build import MakesEmbedding, final_model, full_model
from autodpq_lib.strategies import register
from autodpq_lib.training.fit import Fit
from autodpq_lib.training.run import Run

STRATEGY = "budget"


def budget(run: Run) -> list[Fit]:
    """FE; then its tables in ``bytes``, trained on with fixed codes, once for each factor of the first-order weights.

    ``bytes`` are those of embedding and first-order weights, as everywhere where methods are compared; ``onward`` off
    leaves out the training on. The run's result is the best on validation.
    """
    full = run.fit("full", full_model(run.config, run.schema), scored=False)
    model = full_model(run.config, run.schema)
    model.load_state_dict(full.weights)
    offered, limit = menu_of(model, run.schema, run.train), int(run.config.options["bytes"])
    fits = []
    for factor in FACTORS if run.config.model == "deepfm" else (1.0,):
        tensors = offered.tensors(offered.choose(limit, {"first_order": factor}))
        made = final_model(run.config, run.schema, None)
        made.load_state_dict(on_groups(run.config, run.schema, model, tensors).state_dict())
        onward = bool(run.config.options.get("onward", True))
        fits.append(train_on(run, made, f"compress-{factor:g}", onward=onward))
    return [full, *fits]


def embedding(config: RunConfig, schema: Schema) -> ByGroups:
    """Means of all groups, in the place of which :func:`budget` puts its choice."""
    return ByGroups(schema, config.embedding_dim)


def register_budget() -> None:
    """Make the compressor a strategy."""
    register(STRATEGY, cast(MakesEmbedding, embedding), strategy=budget)
