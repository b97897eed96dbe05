"""DeepFM (Guo et al., 2017): first order, pairwise interactions and an MLP on one embedding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.linalg import vector_norm

from autodpq_lib.config import Recipe
from autodpq_lib.models.ctr_model import CTRModel
from autodpq_lib.models.mlp import hidden_layers


class DeepFM(CTRModel):
    """``logit = b + sum_m w_m + sum_{m<n} <e_m, e_n> + MLP([e_1; ...; e_M])``.

    Args:
        embedding: ids ``[B, M]`` -> vectors ``[B, M, X]``.
        first_order: ids ``[B, M]`` -> weights ``[B, M, 1]``; DPQ leaves them whole; counted in ``model_bytes`` alone.
        inputs: M * X.
        hidden: widths of the MLP's hidden layers.
        recipe: dropout and BatchNorm of the MLP.

    Example:
        >>> from autodpq_lib.config import RECIPES
        >>> from autodpq_lib.embedding.full import Full
        >>> embedding, first_order = (Full(10, dim, nn.init.normal_) for dim in (8, 1))
        >>> model = DeepFM(embedding, first_order, inputs=3 * 8, hidden=(16, 16), recipe=RECIPES["paper"])
        >>> model(torch.randint(10, (4, 3))).shape  # 4 samples of 3 fields, 10 features
        torch.Size([4])
    """

    first_order: nn.Module

    def __init__(
        self, embedding: nn.Module, first_order: nn.Module, inputs: int, hidden: Sequence[int], recipe: Recipe
    ) -> None:
        super().__init__(embedding)
        self.first_order = first_order
        self.bias = nn.Parameter(torch.zeros(1))
        self.mlp = nn.Sequential(*hidden_layers(inputs, hidden, recipe), nn.Linear(hidden[-1], 1))

    def forward(self, ids: Tensor) -> Tensor:
        """Logits ``[B]`` of ids int64 ``[B, M]``."""
        e = self.embedding(ids)  # [B, M, X]
        first = self.first_order(ids).sum((1, 2))  # [B]
        deep = self.mlp(e.flatten(1)).squeeze(1)  # [B]
        return self.bias + first + Pairwise.apply(e) + deep


class Pairwise(Function):
    """``sum_{m<n} <e_m, e_n> = (|s|^2 - sum_m |e_m|^2) / 2`` with ``s = sum_m e_m``; its gradient is ``s - e_m``.

    Autograd would find the same in twice the time.
    """

    @staticmethod
    def forward(ctx: Any, e: Tensor) -> Tensor:
        """``[B, M, X]`` -> ``[B]``."""
        s = e.sum(1)
        ctx.save_for_backward(e, s)
        return (vector_norm(s, dim=1).square() - vector_norm(e.flatten(1), dim=1).square()) / 2

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        """``[B]`` -> ``[B, M, X]``."""
        e, s = ctx.saved_tensors
        g = grads[0][:, None]
        return torch.addcmul((s * g)[:, None], e, g[:, None], value=-1)
