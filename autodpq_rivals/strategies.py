"""The rivals as strategies: afterwards ``RunConfig(strategy="lsq", options={"bits": 4}, ...)`` runs and is recorded."""

from __future__ import annotations

from collections.abc import Callable

from autodpq_lib.config import Limit
from autodpq_lib.models.build import final_model, full_model
from autodpq_lib.models.ctr_model import CTRModel
from autodpq_lib.strategies import Strategy, register
from autodpq_lib.training.fit import Fit
from autodpq_lib.training.run import Run
from autodpq_lib.training.trainer import Row, Trainer
from autodpq_rivals.methods import METHODS, check_options, rival
from autodpq_rivals.mpe import MPE
from autodpq_rivals.rival import Rival


def train_and_store(run: Run, trainer: Callable[[CTRModel], Trainer] | None = None) -> list[Fit]:
    """Train from scratch; then round the model as it is stored.

    Args:
        run: of a rival.
        trainer: makes what trains the model, where that is not on labels.

    Raises:
        ValueError: an option that the rival can't have, or ``taught`` without such a trainer.
    """
    if run.config.options.get("taught") and not trainer:
        raise ValueError(f"options of {run.config.strategy}: taught: expected false without a teacher, found True")
    model = final_model(run.config, run.schema, None)
    return with_stored_fit(run, [run.fit("train", model, trainer=trainer(model) if trainer else None)])


def int_b(run: Run) -> list[Fit]:
    """Train FE; then quantise its tables, without further training.

    Raises:
        ValueError: an option that the rival can't have.
    """
    check_options(run.config)  # FE does not read them
    return with_stored_fit(run, [run.fit("full", full_model(run.config, run.schema))])


def mpe(run: Run) -> list[Fit]:
    """Search for bit widths; put the rows back to their start and train on at those widths; round as it is stored.

    As in AutoDPQ's search, no weights are averaged while it searches.
    """
    model = final_model(run.config, run.schema, None)
    parts = [part for part in model.children() if isinstance(part, MPE)]
    searching = Trainer(model, run.train, run.config.model_copy(update={"average": 0.0}))
    given, rounds = run.config.limits.train, parts[0].search_epochs * run.config.validations
    limit = given.model_copy(update={"rounds": min(given.rounds, rounds)})
    search = run.fit("search", model, trainer=searching, limit=limit)
    for part in parts:
        part.settle()
    return with_stored_fit(run, [search, run.fit("train", model)])


def with_stored_fit(run: Run, fits: list[Fit]) -> list[Fit]:
    """Append the fit ``store``: the last fit's model with its tables rounded as they are stored, validated once."""
    model = final_model(run.config, run.schema, None)
    model.load_state_dict(fits[-1].weights)
    for part in model.children():
        if isinstance(part, Rival):
            part.store()
    trainer = FineTuning(model, run.train, run.config)
    return [*fits, run.fit("store", model, trainer=trainer, limit=Limit(rounds=1, patience=1))]


class FineTuning(Trainer):
    """Trains a model that is whole already: its first round only validates what there is."""

    def round(self, number: int) -> Row:
        """One round; the first changes nothing."""
        return super().round(number) if number else {"steps": 0}


#: Rivals with a strategy of their own; all others share one.
SPECIAL: dict[str, Strategy] = {"int-b": int_b, "mpe": mpe}


def register_rivals(learn: Strategy) -> None:
    """Make every rival a strategy; ``learn`` trains :data:`~autodpq_rivals.methods.LEARNERS`."""
    for name in METHODS:
        register(name, rival, strategy=SPECIAL.get(name, learn))
