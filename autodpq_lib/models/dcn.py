"""DCN in its form of 2017 (Wang et al.): vector cross layers beside an MLP, where DCN-v2 has matrices."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from autodpq_lib.config import Recipe
from autodpq_lib.models.ctr_model import CTRModel
from autodpq_lib.models.mlp import hidden_layers

#: Cross layers of the widely copied FM code base; the paper does not say.
CROSS_LAYERS = 3


class DCN(CTRModel):
    """``logit = b + <w, [x_L; MLP(x_0)]>`` with ``x_0 = [e_1; ...; e_M]``, the MLP without its last layer.

    Args:
        embedding: ids ``[B, M]`` -> vectors ``[B, M, X]``.
        inputs: M * X.
        hidden: widths of the MLP's hidden layers.
        recipe: dropout and BatchNorm of the MLP.
    """

    def __init__(self, embedding: nn.Module, inputs: int, hidden: Sequence[int], recipe: Recipe) -> None:
        super().__init__(embedding)
        self.cross = Cross(inputs, CROSS_LAYERS)
        self.mlp = nn.Sequential(*hidden_layers(inputs, hidden, recipe))
        self.last = nn.Linear(inputs + hidden[-1], 1)

    def forward(self, ids: Tensor) -> Tensor:
        """Logits ``[B]`` of ids int64 ``[B, M]``."""
        x = self.embedding(ids).flatten(1)  # [B, M * X]
        return self.last(torch.cat([self.cross(x), self.mlp(x)], 1)).squeeze(1)


class Cross(nn.Module):
    """L cross layers, ``x_{l+1} = x_0 <x_l, w_l> + b_l + x_l``.

    Args:
        inputs: width of x.
        layers: L.
    """

    def __init__(self, inputs: int, layers: int) -> None:
        super().__init__()
        self.weights = nn.ModuleList(nn.Linear(inputs, 1, bias=False) for _ in range(layers))
        self.biases = nn.ParameterList(torch.zeros(inputs) for _ in range(layers))

    def forward(self, first: Tensor) -> Tensor:
        """``x_0`` -> ``x_L``, both ``[B, inputs]``."""
        x = first
        for weight, bias in zip(self.weights, self.biases, strict=True):
            x = first * weight(x) + bias + x
        return x
