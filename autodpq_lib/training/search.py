"""Algorithm 1: alpha on validation batches, the weights on training batches, in turn (section 3.2, Eq. 4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import Any, cast

import torch
from torch import Tensor, nn

from autodpq_data.samples import Batch, Samples
from autodpq_lib.config import RunConfig
from autodpq_lib.embedding.candidates import Candidates
from autodpq_lib.models.ctr_model import CTRModel
from autodpq_lib.training.adam import Adam
from autodpq_lib.training.trainer import Row, Trainer, make_optimizer, shuffled

TAU_MIN, TAU_DECAY = 0.01, 5e-5
Loss = Callable[[], Tensor]


def temperature(s: int) -> float:
    """``tau = max(0.01, 1 - s * 5e-5)`` (section 4.1.2), s counting optimiser steps by default."""
    return max(TAU_MIN, 1 - s * TAU_DECAY)


class Search(Trainer):
    """The trainer of the search step, for :meth:`autodpq_lib.training.run.Run.fit`.

    A step updates all weights but alpha by Adam on a training batch. Before that, every ``alpha_every`` steps, Adam
    without weight decay updates alpha on a validation batch. ``average`` is ignored, as no mixture is ever served.

    Alpha's turn runs the model as in training, as DARTS does: the running statistics of BatchNorm, in Eq. 2 and in the
    MLP, see validation inputs too.
    """

    def __init__(self, model: CTRModel, train: Samples, valid: Samples, config: RunConfig) -> None:
        self.model, self.train, self.valid, self.config = model, train, valid, config
        self.embedding = cast(Candidates, model.embedding)
        self.alpha = self.embedding.alpha
        self.alpha_optimizer = Adam([self.alpha], config.learning_rate)
        self.optimizer = make_optimizer([p for p in model.parameters() if p is not self.alpha], config)
        self.mean, self.steps, self.number = None, 0, 0
        self.held_out: Iterator[Batch] = iter(())

    def round(self, number: int) -> Row:
        """Train for one round; its row also has tau and, of each field, p and its entropy in nats."""
        self.number, self.held_out = number, self._validation_batches(number)
        noted = super().round(number)
        self.model.eval()
        return noted | {"tau": self.embedding.tau, **self._weights_of_candidates()}

    def step(self, batch: Batch) -> Tensor:
        """One turn of Algorithm 1: alpha on a validation batch, then the weights on a training batch; its loss."""
        s = self.steps if self.config.tau_unit == "steps" else self.number // self.config.validations
        self.embedding.tau = temperature(s)
        if self.steps % self.config.alpha_every == 0:
            self.update_alpha(next(self.held_out), batch)
        self.steps += 1
        self.alpha.requires_grad_(False)  # the weights' turn: a gradient that nobody takes costs time
        loss = super().step(batch)
        self.alpha.requires_grad_(True)
        return loss

    def update_alpha(self, held_out: Batch, batch: Batch) -> None:
        """Alpha's turn: one step of Adam on the loss of a validation batch."""
        valid_loss, train_loss = (lambda: self.loss(held_out)), (lambda: self.loss(batch))
        if self.config.second_order:
            weights, rate = self.optimizer.parameters, self.config.learning_rate
            gradient = second_order(valid_loss, train_loss, weights, self.alpha, rate)
        else:
            # Zero where no sample of the batch has a low-frequency feature.
            (gradient,) = torch.autograd.grad(valid_loss(), self.alpha, materialize_grads=True)
        self.alpha.grad = gradient.contiguous()
        self.alpha_optimizer.step()

    def _validation_batches(self, number: int) -> Iterator[Batch]:
        """Validation batches without end: reshuffled passes, named by round and pass."""
        for again in count():
            yield from map(self.valid.take, shuffled(self.valid, self.config, f"alpha-{again}", number))

    def _weights_of_candidates(self) -> Row:
        with torch.no_grad():
            p = self.embedding.probabilities()
        entropy = torch.special.entr(p).sum(1)
        noted = {f"entropy/{name}": float(e) for name, e in zip(self.embedding.low_fields, entropy, strict=True)}
        for name, row in zip(self.embedding.low_fields, p.tolist(), strict=True):
            noted |= {f"p/{name}/{k},{d}": w for (k, d), w in zip(self.embedding.pairs, row, strict=True)}
        return noted

    def state_dict(self) -> dict[str, Any]:
        """Both optimisers, and the step that tau has reached."""
        return super().state_dict() | {"alpha": self.alpha_optimizer.state_dict(), "steps": self.steps}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore :meth:`state_dict`."""
        super().load_state_dict(state)
        self.alpha_optimizer.load_state_dict(state["alpha"])
        self.steps = state["steps"]


def second_order(
    valid_loss: Loss, train_loss: Loss, weights: Sequence[nn.Parameter], alpha: nn.Parameter, xi: float
) -> Tensor:
    """Gradient of ``L_val(W - xi * grad_W L_train(W, alpha), alpha)`` in alpha, as DARTS approximates it.

    With ``W' = W - xi * grad_W L_train`` and ``v = grad_W' L_val(W', alpha)`` it is
    ``grad_alpha L_val(W', alpha) - xi * (grad_alpha L_train(W+) - grad_alpha L_train(W-)) / (2 eps)``,
    where ``W+- = W +- eps * v`` and ``eps = 0.01 / |v|``. All evaluations see the same noise. The weights are
    restored before it returns; the running statistics of norms have then seen the moved ones, too.
    """
    before = [w.detach().clone() for w in weights]
    noise = torch.get_rng_state()

    def gradients(loss: Loss, parameters: Sequence[nn.Parameter]) -> Sequence[Tensor]:
        torch.set_rng_state(noise)
        gradients = torch.autograd.grad(loss(), parameters, allow_unused=True)
        return [torch.zeros_like(p) if g is None else g for p, g in zip(parameters, gradients, strict=True)]

    def move(by: Sequence[Tensor], size: float) -> None:
        for w, start, direction in zip(weights, before, by, strict=True):
            w.data.copy_(start + size * direction)

    move(gradients(train_loss, weights), -xi)
    direct, *v = gradients(valid_loss, [alpha, *weights])
    eps = 0.01 / max(float(torch.cat([g.flatten() for g in v]).norm()), 1e-12)
    move(v, eps)
    (plus,) = gradients(train_loss, [alpha])
    move(v, -eps)
    (minus,) = gradients(train_loss, [alpha])
    move(v, 0.0)
    return direct - xi * (plus - minus) / (2 * eps)
