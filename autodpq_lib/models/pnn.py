"""PNN with inner products, IPNN (Qu et al., 2016): the products of all pairs of fields join the MLP's input.

As in the widely copied code base: pairs of different fields, each product an input of its own. Qu et al. also have
i = j, and weigh the products by a matrix of rank one.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

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
    """

    pairs: Tensor

    def __init__(self, embedding: nn.Module, fields: int, dim: int, hidden: Sequence[int], recipe: Recipe) -> None:
        super().__init__(embedding)
        self.register_buffer("pairs", torch.triu_indices(fields, fields, offset=1), persistent=False)  # [2, M(M-1)/2]
        inputs = fields * dim + self.pairs.shape[1]
        self.mlp = nn.Sequential(*hidden_layers(inputs, hidden, recipe), nn.Linear(hidden[-1], 1))

    def forward(self, ids: Tensor) -> Tensor:
        """Logits ``[B]`` of ids int64 ``[B, M]``."""
        e = self.embedding(ids)  # [B, M, X]
        products = (e @ e.transpose(1, 2))[:, self.pairs[0], self.pairs[1]]  # [B, M(M-1)/2]
        return self.mlp(torch.cat([e.flatten(1), products], 1)).squeeze(1)
