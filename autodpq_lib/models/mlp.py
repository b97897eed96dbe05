"""The MLP that all three models share (section 4.1.2: hidden layers (16, 16))."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from autodpq_lib.config import Recipe


def hidden_layers(inputs: int, hidden: Sequence[int], recipe: Recipe) -> list[nn.Module]:
    """Linear, BatchNorm, ReLU and dropout for each hidden width; BatchNorm and dropout where the recipe has them."""
    layers: list[nn.Module] = []
    for width in hidden:
        layers.append(nn.Linear(inputs, width))
        if recipe.batchnorm:
            layers.append(BatchNorm(width))
        layers.append(nn.ReLU())
        if recipe.dropout:
            layers.append(Dropout(recipe.dropout))
        inputs = width
    return layers


class BatchNorm(nn.BatchNorm1d):
    """``nn.BatchNorm1d`` that normalises a batch of one row, which has no variance, as in evaluation."""

    def forward(self, x: Tensor) -> Tensor:
        """``[B, X]`` -> ``[B, X]``."""
        if self.training and len(x) == 1:
            return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)
        return super().forward(x)


class Dropout(nn.Module):
    """Inverted dropout. Same as ``nn.Dropout``, whose draws on the CPU took a tenth of a training step.

    Args:
        rate: probability of zeroing an entry.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        """Zero entries at random and scale the rest by ``1 / (1 - rate)`` while training."""
        return x * torch.rand_like(x).ge_(self.rate).div_(1 - self.rate) if self.training else x
