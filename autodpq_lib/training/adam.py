"""Adam (Kingma and Ba, 2015), by torch's functional form."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.optim.adam import adam

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


class Adam:
    """``torch.optim.Adam(..., fused=True)`` to the bit, weight decay coupled.

    That class sorts tensors by device, calls hooks and looks for options that we do not use; for models of our size
    that takes as long as the update.

    Args:
        parameters: what is trained, on the device where it stays.
        lr: learning rate.
        weight_decay: times the weights, added to the gradients.

    Attributes:
        first: moving means of the gradients, a tensor for each parameter.
        second: moving means of their squares.
        steps: updates so far, ``[]`` for each parameter; float32 because the operator has it so.
    """

    def __init__(self, parameters: list[nn.Parameter], lr: float, weight_decay: float = 0.0) -> None:
        self.parameters, self.lr, self.weight_decay = parameters, lr, weight_decay
        self.first, self.second = ([torch.zeros_like(p) for p in parameters] for _ in range(2))
        self.steps = [torch.zeros((), device=p.device) for p in parameters]

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for p in self.parameters:
            p.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Update all parameters that have a gradient."""
        states = zip(self.parameters, self.first, self.second, self.steps, strict=True)
        if not (moved := [(p, p.grad, *state) for p, *state in states if p.grad is not None]):
            return
        parameters, grads, first, second, steps = map(list, zip(*moved, strict=True))
        own: dict[str, Any] = {"lr": self.lr, "weight_decay": self.weight_decay, "eps": EPSILON}
        own |= {"beta1": BETA1, "beta2": BETA2, "amsgrad": False, "maximize": False}
        adam(parameters, grads, first, second, [], steps, fused=True, **own)

    def state_dict(self) -> dict[str, Any]:
        """Moments and numbers of updates."""
        return {"first": self.first, "second": self.second, "steps": self.steps}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore :meth:`state_dict`, from whatever device."""
        for key, tensors in self.state_dict().items():
            for mine, saved in zip(tensors, state[key], strict=True):
                mine.copy_(saved)
