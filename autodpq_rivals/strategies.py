"""The rivals as strategies: afterwards ``RunConfig(strategy="lsq", options={"bits": 4}, ...)`` runs and is recorded."""

from __future__ import annotations

from typing import cast

from autodpq_lib.config import Limit
from autodpq_lib.models.build import MakesEmbedding, final_model, full_model
from autodpq_lib.strategies import register
from autodpq_lib.strategies.train import train
from autodpq_lib.training.fit import Fit
from autodpq_lib.training.run import Run
from autodpq_lib.training.trainer import Row, Trainer
from autodpq_rivals.int_b import IntB
from autodpq_rivals.methods import METHODS, rival
from autodpq_rivals.mpe import MPE


def int_b(run: Run) -> list[Fit]:
    """FE; then all its weights, with its tables quantised, validated once and not trained on."""
    full = run.fit("full", full_model(run.config, run.schema), scored=False)
    model = final_model(run.config, run.schema, None)
    model.load_state_dict(full.weights)
    for part in model.children():
        if isinstance(part, IntB):
            part.quantise()
    trainer = Untrained(model, run.train, run.config)
    return [full, run.fit("quantise", model, trainer=trainer, limit=Limit(rounds=1, patience=1))]


class Untrained(Trainer):
    """A round changes nothing."""

    def round(self, _: int) -> Row:
        """No steps."""
        return {"steps": 0}


def mpe(run: Run) -> list[Fit]:
    """The search for bit widths; then training from the start with those that it found."""
    model = final_model(run.config, run.schema, None)
    search = run.fit("search", model, scored=False)
    for part in model.children():
        if isinstance(part, MPE):
            part.settle()
    return [search, run.fit("retrain", model)]


def register_rivals() -> None:
    """Make every rival a strategy."""
    for name in METHODS:
        register(name, cast(MakesEmbedding, rival), strategy={"int-b": int_b, "mpe": mpe}.get(name, train))
