"""PNN with inner products, IPNN (Qu et al., 2016): the products of all pairs of fields join the MLP's input.

As in rixwew/pytorch-fm, which many papers build on: pairs of different fields, each product an input of its own. Qu
et al. also have i = j, and weigh the products by a matrix of rank one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from autodpq_lib.config import Recipe
from autodpq_lib.models.ctr_model import CTRModel
from autodpq_lib.models.mlp import hidden_layers


class PNN(CTRModel):
    """``logit = MLP([e_1; ...; e_M; <e_1, e_2>; <e_1, e_3>; ...; <e_{M-1}, e_M>])``.

    Args:
        embedding: ids ``[B, M]`` -> vectors ``[B, M, X]``.
        fields: M.
        dim: embedding dimension X.
        hidden: widths of the MLP's hidden layers.
        recipe: dropout and BatchNorm of the MLP.

    Example:
        >>> from autodpq_lib.config import RECIPES
        >>> from autodpq_lib.embedding.full import Full
        >>> embedding = Full(10, 8, nn.init.normal_)
        >>> model = PNN(embedding, fields=3, dim=8, hidden=(16, 16), recipe=RECIPES["paper"])
        >>> model(torch.randint(10, (4, 3))).shape  # 4 samples of 3 fields, 10 features
        torch.Size([4])
    """

    pairs: Tensor
    pair_at: Tensor

    def __init__(self, embedding: nn.Module, fields: int, dim: int, hidden: Sequence[int], recipe: Recipe) -> None:
        super().__init__(embedding)
        pairs, pair_at = pairs_of(fields)
        self.register_buffer("pairs", pairs, persistent=False)  # [M(M-1)/2]
        self.register_buffer("pair_at", pair_at, persistent=False)  # [M * M]
        inputs = fields * dim + len(pairs)
        self.mlp = nn.Sequential(*hidden_layers(inputs, hidden, recipe), nn.Linear(hidden[-1], 1))

    def forward(self, ids: Tensor) -> Tensor:
        """Logits ``[B]`` of ids int64 ``[B, M]``."""
        e = self.embedding(ids)  # [B, M, X]
        products = Products.apply(e, self.pairs, self.pair_at)  # [B, M(M-1)/2]
        return self.mlp(torch.cat([e.flatten(1), products], 1)).squeeze(1)


class Products(Function):
    """``<e_m, e_n>`` for all m < n; their gradient in ``e_m`` is ``sum_n g_mn e_n`` with g symmetric.

    Autograd, which does not know that the products are symmetric, would find the same in twice the time.
    """

    @staticmethod
    def forward(ctx: Any, e: Tensor, pairs: Tensor, pair_at: Tensor) -> Tensor:
        """``[B, M, X]`` -> ``[B, M(M-1)/2]``; for ``pairs`` and ``pair_at`` see :func:`pairs_of`."""
        ctx.save_for_backward(e, pair_at)
        return (e @ e.transpose(1, 2)).flatten(1).index_select(1, pairs)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        """``[B, M(M-1)/2]`` -> ``[B, M, X]``."""
        e, pair_at = ctx.saved_tensors
        g = F.pad(grads[0], (0, 1)).index_select(1, pair_at)
        return g.view(-1, e.shape[1], e.shape[1]) @ e, None, None


def pairs_of(fields: int) -> tuple[Tensor, Tensor]:
    """Index of each pair m < n in a flat ``[M, M]`` table, and the pair at each index: M(M-1)/2 on the diagonal."""
    m, n = torch.triu_indices(fields, fields, offset=1)
    pair_at = torch.full((fields, fields), len(m))
    pair_at[m, n] = pair_at[n, m] = torch.arange(len(m))
    return m * fields + n, pair_at.flatten()
