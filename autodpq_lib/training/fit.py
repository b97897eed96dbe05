"""Fit a model: train a round, validate, stop after ``patience`` rounds without improvement. Every strategy comes here.

With one validation an epoch a round is an epoch; curves and checkpoints always call its number ``epoch``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import accumulate
from time import perf_counter

import torch

from autodpq_data.samples import Samples
from autodpq_lib.config import Decision, Limit
from autodpq_lib.training.checkpoints import Checkpoints, Weights
from autodpq_lib.training.metrics import evaluate
from autodpq_lib.training.trainer import Row, Trainer
from autodpq_system.seeding import seed_for

#: Stages that are never scored on test, for what is served comes after them: ``search`` trains a mixture, ``full`` FE
#: that is then quantised or teaches, and ``train`` a rival that is then rounded.
UNSCORED = ("search", "full", "train")


def stage_of(name: str) -> str:
    """Stage of a fit, which is its name up to a dash: ``trial`` of ``trial-003``. Fits of one stage compete.

    The five strategies have ``fit``, ``trial``, ``pretrain``, ``search`` and ``retrain``, with ``extra_training``
    ``more`` and ``last``; strategies of other packages ``full``, ``train``, ``store`` and ``compress``, too.
    """
    return name.partition("-")[0]


@dataclass
class Fit:
    """One training: a row for each round, and the weights of the rounds that count.

    Attributes:
        name: of the fit within its run; it begins with its stage, see :func:`stage_of`.
        checkpoints: hold its weights.
        decision: (K, D) of each field, where the model has one.
        last: whether only its last round counts, instead of every best on validation so far.
    """

    name: str
    checkpoints: Checkpoints
    decision: Decision | None = None
    last: bool = False
    curve: list[Row] = field(default_factory=list)

    @property
    def stage(self) -> str:
        """Stage of the fit, see :func:`stage_of`."""
        return stage_of(self.name)

    @property
    def result(self) -> Row:
        """The round whose weights the fit ends with: the last, or the best on validation, the earliest of equals."""
        return self.curve[-1] if self.last else max(self.curve, key=lambda row: row["valid_auc"])

    @property
    def weights(self) -> Weights:
        """Weights of :attr:`result`, mapped from disk."""
        return self.checkpoints.weights_at(self.name, int(self.result["epoch"]))

    def counted(self) -> list[Row]:
        """Rounds whose weights stay on disk: every improvement if the fit is scored on test, else only the result.

        With ``last``, only the last round.
        """
        if self.last or self.stage in UNSCORED:
            return [self.result]
        before = accumulate((row["valid_auc"] for row in self.curve), max, initial=-1.0)
        return [row for row, best in zip(self.curve, before, strict=False) if row["valid_auc"] > best]

    def forget(self, below: float) -> None:
        """Drop the weights of rounds no better than ``below``, an earlier fit's AUC; the result's weights stay."""
        for row in self.counted():
            if row["valid_auc"] <= below and row is not self.result:
                self.checkpoints.drop(self.name, int(row["epoch"]))


def run_fit(fit: Fit, trainer: Trainer, valid: Samples, limit: Limit) -> Fit:
    """Train up to the limit, from where an interrupted fit stopped; the trainer's model ends with the result's weights.

    All randomness of a round comes from the seed and its number, so the weights, the optimisers and the number are the
    whole state.
    """
    _resume(fit, trainer)
    while not reached(limit, fit.curve):
        number = len(fit.curve)
        torch.manual_seed(seed_for(trainer.config.seed, "noise", number))
        start = perf_counter()
        noted = trainer.round(number)
        metrics = evaluate(trainer.result, valid)
        row = {"epoch": number, **noted, "valid_auc": metrics.auc, "valid_logloss": metrics.logloss}
        before = fit.counted() if fit.curve else []
        fit.curve.append(row | {"seconds": perf_counter() - start})
        _save(fit, trainer, before)
    # From disk and not from a copy in memory, which for a large table would be a third of all memory.
    trainer.model.load_state_dict(fit.weights)
    return fit


def reached(limit: Limit, curve: list[Row]) -> bool:
    """Whether the rounds are used up, or the last improvement, in round ``last``, is ``patience`` rounds ago."""
    if limit.until == "settled":
        chosen = [leaders(row) for row in curve]
        last = next((n for n in range(len(curve) - 1, 0, -1) if chosen[n] != chosen[n - 1]), 0)
    else:
        last = max(range(len(curve)), key=lambda n: curve[n]["valid_auc"], default=0)
    return len(curve) >= limit.rounds or len(curve) - 1 - last >= limit.patience


def leaders(row: Row) -> dict[str, str]:
    """Per field the pair with the largest weight, from a row of the search: columns ``p/<field>/<K>,<D>``."""
    best: dict[str, tuple[float, str]] = {}
    for column, weight in row.items():
        if column.startswith("p/"):
            name, pair = column.removeprefix("p/").rsplit("/", 1)
            best[name] = max(best.get(name, (-1.0, "")), (weight, pair))
    return {name: pair for name, (_, pair) in best.items()}


def _save(fit: Fit, trainer: Trainer, before: list[Row]) -> None:
    """Write the state after a round; at whatever moment the process is killed, the weights that count are there."""
    epochs = [row["epoch"] for row in fit.counted()]
    if (now := len(fit.curve) - 1) in epochs:
        fit.checkpoints.keep(fit.name, now, trainer.result.state_dict())
    state = {"curve": fit.curve, "model": trainer.model.state_dict(), "trainer": trainer.state_dict()}
    fit.checkpoints.save(fit.name, state)
    for row in before:
        if row["epoch"] not in epochs:
            fit.checkpoints.drop(fit.name, int(row["epoch"]))


def _resume(fit: Fit, trainer: Trainer) -> None:
    state = fit.checkpoints.load(fit.name)
    if state is not None:
        trainer.model.load_state_dict(state["model"])
        trainer.load_state_dict(state["trainer"])
        fit.curve = state["curve"]
