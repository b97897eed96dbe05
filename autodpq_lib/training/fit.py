"""Fit a model: train a round, validate, stop when validation AUC no longer rises. Every strategy comes here.

A round is an epoch or, with several ``validations`` an epoch, a part of one. Curves and checkpoints call its number
``epoch``, which it is wherever there is one validation an epoch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from autodpq_data.samples import Batch, Samples
from autodpq_lib.config import Limit, RunConfig
from autodpq_lib.runs.checkpoints import Weights, Workspace
from autodpq_lib.training.adam import Adam
from autodpq_lib.training.lazy_adam import LazyAdam
from autodpq_lib.training.metrics import evaluate
from autodpq_system.seeding import generator, seed_for

#: One round: number, seconds (training and validation), optimiser steps, losses, metrics.
Row = dict[str, float]


class Trainer(Protocol):
    """Trains one round of something; :class:`Descent` here, the bilevel search in its own file."""

    def epoch(self, number: int) -> Row:
        """Train one round; return what is to be noted of it, ``steps`` among it."""

    def state_dict(self) -> dict[str, Any]:
        """State of the optimisers."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore :meth:`state_dict`."""


@dataclass
class Fit:
    """What a fit leaves: a row for each round, and the weights of the best one on validation."""

    name: str
    curve: list[Row] = field(default_factory=list)
    best: Weights = field(default_factory=dict)

    @property
    def best_row(self) -> Row:
        """The round with the highest validation AUC, the earliest of equals."""
        return max(self.curve, key=lambda row: row["valid_auc"])

    def epochs_since_best(self) -> int:
        """Rounds since the best one."""
        return len(self.curve) - 1 - self.curve.index(self.best_row) if self.curve else 0


def fit(
    name: str,
    model: nn.Module,
    trainer: Trainer,
    valid: Samples,
    workspace: Workspace,
    *,
    seed: int,
    limit: Limit,
    keep_above: float = -1.0,
) -> Fit:
    """Train until validation AUC has not risen for ``patience`` rounds, at most ``rounds``; resume if begun.

    All randomness of a round comes from ``(seed, round)``, so the weights, the optimisers and its number are the
    whole state.

    Args:
        name: of the fit within its run; names its checkpoint.
        model: what is trained; it ends with the best round's weights.
        trainer: trains it, one round at a time.
        valid: the validation part, which chooses the round.
        workspace: holds the checkpoint and the improvements.
        seed: of the run.
        limit: when to stop.
        keep_above: improvements of a validation AUC above this stay on disk, to be scored; of others the best alone.
    """
    done = _resume(name, model, trainer, workspace)
    while len(done.curve) < limit.rounds and done.epochs_since_best() < limit.patience:
        number = len(done.curve)
        torch.manual_seed(seed_for(seed, "noise", number))
        start = perf_counter()
        noted = trainer.epoch(number)
        metrics = evaluate(model, valid)
        row = {"epoch": number, **noted, "valid_auc": metrics.auc, "valid_logloss": metrics.logloss}
        done.curve.append(row | {"seconds": perf_counter() - start})
        _save(done, model, trainer, workspace, keep_above)
    # From disk and not from a copy in memory, which for a large table would be a third of all memory.
    done.best = workspace.kept(name, int(done.best_row["epoch"]))
    model.load_state_dict(done.best)
    return done


def _save(done: Fit, model: nn.Module, trainer: Trainer, workspace: Workspace, keep_above: float) -> None:
    """Write the state after a round; whatever moment a kill chooses, the best weights of the state are there."""
    improved = done.epochs_since_best() == 0
    if improved:
        workspace.keep(done.name, len(done.curve) - 1, model.state_dict())
    workspace.save(done.name, {"curve": done.curve, "model": model.state_dict(), "trainer": trainer.state_dict()})
    before = Fit(done.name, done.curve[:-1])
    if improved and before.curve and before.best_row["valid_auc"] <= keep_above:
        workspace.drop(done.name, int(before.best_row["epoch"]))


def _resume(name: str, model: nn.Module, trainer: Trainer, workspace: Workspace) -> Fit:
    state = workspace.load(name)
    if state is None:
        return Fit(name)
    model.load_state_dict(state["model"])
    trainer.load_state_dict(state["trainer"])
    return Fit(name, state["curve"])


class Descent:
    """Plain training: Adam on the logloss of shuffled batches."""

    def __init__(self, model: nn.Module, train: Samples, config: RunConfig) -> None:
        self.model, self.train, self.config = model, train, config
        self.optimizer = adam(list(model.parameters()), config)

    def epoch(self, number: int) -> Row:
        """One round over the training part; notes steps and mean training loss."""
        self.model.train()
        total, steps = torch.zeros((), device=self.config.device), 0
        for batch in batches(self.train, self.config, number):
            total += self.step(batch)
            steps += 1
        return {"steps": steps, "train_loss": float(total) / steps}

    def step(self, batch: Batch) -> Tensor:
        """One update of all weights on a batch; its loss."""
        ids, labels = batch
        loss = F.binary_cross_entropy_with_logits(self.model(ids), labels)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def state_dict(self) -> dict[str, Any]:
        """State of Adam."""
        return {"optimizer": self.optimizer.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore Adam."""
        self.optimizer.load_state_dict(state["optimizer"])


def adam(parameters: list[nn.Parameter], config: RunConfig) -> Adam:
    """Adam with the recipe's (coupled) weight decay, on all rows or, if ``lazy``, on those that a batch touches."""
    kind = LazyAdam if config.lazy else Adam
    return kind(parameters, config.learning_rate, config.base.weight_decay)


def batches(samples: Samples, config: RunConfig, number: int) -> Iterator[Batch]:
    """The batches of a round: its part of the epoch's shuffled pass.

    Raises:
        ValueError: an epoch has fewer batches than validations.
    """
    epoch, part = divmod(number, config.validations)
    order = shuffled(samples, config, "order", epoch)
    if len(order) < config.validations:
        raise ValueError(
            f"validations: expected at most {len(order)}, the batches of an epoch, found {config.validations}"
        )
    start, stop = (len(order) * n // config.validations for n in (part, part + 1))
    return map(samples.take, order[start:stop])


def shuffled(samples: Samples, config: RunConfig, *names: object) -> Sequence[Tensor]:
    """Places of samples, a batch each, int32 ``[B]``: one pass, in an order fixed by the seed and the names."""
    order = torch.randperm(len(samples), generator=generator(config.seed, *names), dtype=torch.int32)
    return order.to(config.device).split(config.batch_size)
