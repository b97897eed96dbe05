"""DCN in its form of 2017 (Wang et al.): vector cross layers beside an MLP, where DCN-v2 has matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from autodpq_lib.config import Recipe
from autodpq_lib.models.ctr_model import CTRModel
from autodpq_lib.models.mlp import hidden_layers

#: As in rixwew/pytorch-fm, which many papers build on; the paper does not say.
CROSS_LAYERS = 3


class DCN(CTRModel):
    """``logit = b + <w, [x_L; MLP(x_0)]>`` with ``x_0 = [e_1; ...; e_M]``, the MLP without its last layer.

    Args:
        embedding: ids ``[B, M]`` -> vectors ``[B, M, X]``.
        inputs: M * X.
        hidden: widths of the MLP's hidden layers.
        recipe: dropout and BatchNorm of the MLP.

    Example:
        >>> from autodpq_lib.config import RECIPES
        >>> from autodpq_lib.embedding.full import Full
        >>> embedding = Full(10, 8, nn.init.normal_)
        >>> model = DCN(embedding, inputs=3 * 8, hidden=(16, 16), recipe=RECIPES["paper"])
        >>> model(torch.randint(10, (4, 3))).shape  # 4 samples of 3 fields, 10 features
        torch.Size([4])
    """

    def __init__(self, embedding: nn.Module, inputs: int, hidden: Sequence[int], recipe: Recipe) -> None:
        super().__init__(embedding)
        self.cross = Cross(inputs, CROSS_LAYERS)
        self.mlp = nn.Sequential(*hidden_layers(inputs, hidden, recipe))
        self.last = nn.Linear(inputs + hidden[-1], 1)

    def forward(self, ids: Tensor) -> Tensor:
        """Logits ``[B]`` of ids int64 ``[B, M]``."""
        x = self.embedding(ids).flatten(1)  # [B, M * X]
        # [1, M * X] and [1, width of the MLP's last layer]
        for_cross, for_mlp = self.last.weight.split([x.shape[1], self.last.in_features - x.shape[1]], 1)
        return self.cross(x, for_cross) + F.linear(self.mlp(x), for_mlp, self.last.bias).squeeze(1)


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

    def forward(self, first: Tensor, v: Tensor) -> Tensor:
        """``<x_L, v>`` of ``x_0`` ``[B, inputs]`` and ``v`` ``[1, inputs]``: ``[B]``.

        Every layer's output is ``x_l = s_l x_0 + c_l``, a number ``s_l`` for each sample and a vector ``c_l`` for all,
        with ``s_{l+1} = s_l (1 + <x_0, w_l>) + <c_l, w_l>`` and ``c_{l+1} = c_l + b_l``. So ``x_0`` is
        needed only in its products with the weights, which are one matrix product.
        """
        weights = [cast(Tensor, layer.weight) for layer in self.weights]
        *products, seen = (first @ torch.cat([*weights, v]).T).unbind(1)  # L + 1 of [B]
        scale, shift = torch.ones_like(seen), torch.zeros_like(v)  # s_0, c_0
        for product, weight, bias in zip(products, weights, self.biases, strict=True):
            scale = scale * (1 + product) + (shift * weight).sum()
            shift = shift + bias
        return scale * seen + (shift * v).sum()
