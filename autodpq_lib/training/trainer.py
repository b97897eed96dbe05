"""Plain training: Adam on the logloss of shuffled batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from autodpq_data.samples import Batch, Samples
from autodpq_lib.config import RunConfig
from autodpq_lib.models.ctr_model import CTRModel
from autodpq_lib.training.adam import Adam
from autodpq_lib.training.lazy_adam import LazyAdam
from autodpq_system.seeding import generator

#: One round of a fit: number, seconds (training and validation), optimiser steps, losses, metrics.
Row = dict[str, float]


class Trainer:
    """Trains a model one round at a time.

    A round is an epoch or, with several ``validations`` an epoch, a part of one.

    Attributes:
        model: what is trained.
        mean: with :attr:`RunConfig.average` r > 0, an exponential moving average of the weights: ``m = w`` after the
            first step, then ``m <- r m + (1 - r) w`` after each. Its buffers are copied from the model.
    """

    def __init__(self, model: CTRModel, train: Samples, config: RunConfig) -> None:
        self.model, self.train, self.config = model, train, config
        self.optimizer = make_optimizer(list(model.parameters()), config)
        self.mean = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(config.average)) if config.average else None

    @property
    def result(self) -> CTRModel:
        """What is validated and kept: the model, or the mean of its weights."""
        return self.model if self.mean is None else cast(CTRModel, self.mean.module)

    def round(self, number: int) -> Row:
        """Train for one round; returns its number of steps and the mean training loss over them."""
        self.model.train()
        total, steps = torch.zeros((), device=self.config.device), 0
        for batch in batches(self.train, self.config, number):
            total += self.step(batch)
            steps += 1
        return {"steps": steps, "train_loss": float(total) / steps}

    def step(self, batch: Batch) -> Tensor:
        """One update of the weights on a batch; its loss."""
        loss = self.loss(batch)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        if self.mean is not None:
            self.mean.update_parameters(self.model)
        return loss.detach()

    def loss(self, batch: Batch) -> Tensor:
        """Mean logloss of a batch, and what the embedding adds to it, if anything."""
        ids, labels = batch
        loss = F.binary_cross_entropy_with_logits(self.model(ids), labels)
        extra = self.model.extra_loss()
        return loss if extra is None else loss + extra

    def state_dict(self) -> dict[str, Any]:
        """State of Adam, and the mean of the weights."""
        state = {"optimizer": self.optimizer.state_dict()}
        return state if self.mean is None else state | {"mean": self.mean.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore :meth:`state_dict`."""
        self.optimizer.load_state_dict(state["optimizer"])
        if self.mean is not None:
            self.mean.load_state_dict(state["mean"])


def make_optimizer(parameters: list[nn.Parameter], config: RunConfig) -> Adam:
    """Adam with the recipe's (coupled) weight decay, on all rows or, if ``lazy``, on the rows that a batch touches."""
    kind = LazyAdam if config.lazy else Adam
    return kind(parameters, config.learning_rate, config.base_model.weight_decay)


def batches(samples: Samples, config: RunConfig, number: int) -> Iterator[Batch]:
    """The batches of a round: its part of the epoch's shuffled pass.

    Raises:
        ValueError: an epoch has fewer batches than validations.
    """
    epoch, part = divmod(number, config.validations)
    order = shuffled(samples, config, "order", 0 if config.fixed_order else epoch)
    if len(order) < config.validations:
        raise ValueError(
            f"validations: expected at most {len(order)}, the batches of an epoch, found {config.validations}"
        )
    start, stop = (len(order) * n // config.validations for n in (part, part + 1))
    return map(samples.take, order[start:stop])


def shuffled(samples: Samples, config: RunConfig, *names: object) -> Sequence[Tensor]:
    """One pass over the samples, as indices int32 ``[B]`` of each batch, in an order fixed by seed and names."""
    order = torch.randperm(len(samples), generator=generator(config.seed, *names), dtype=torch.int32)
    return order.to(config.device).split(config.batch_size)
