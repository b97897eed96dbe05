"""FE: one row for each feature."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from autodpq_lib.embedding.init import Init
from autodpq_lib.embedding.rows import rows


class Full(nn.Module):
    """Embedding table of all features (the paper's baseline FE, section 4.2).

    Args:
        rows: number of rows N.
        dim: embedding dimension X.
        init: fills the table.

    Attributes:
        lazy: give sparse gradients, for :class:`autodpq_lib.training.lazy_adam.LazyAdam`; the cost of a step then
            depends on the batch alone and not on N.

    Example:
        >>> embedding = Full(rows=10, dim=8, init=nn.init.normal_)
        >>> embedding(torch.tensor([[0, 4, 9]])).shape  # one sample of three fields
        torch.Size([1, 3, 8])
    """

    lazy = False

    def __init__(self, rows: int, dim: int, init: Init) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.empty(rows, dim))
        init(self.table.data)

    def forward(self, ids: Tensor) -> Tensor:
        """Vectors of the features: ids int64 ``[B, M]`` -> ``[B, M, X]``."""
        return self.rows(ids.flatten()).view(*ids.shape, -1)

    def rows(self, index: Tensor) -> Tensor:
        """Rows of the table: int64 ``[P]`` -> ``[P, X]``."""
        if self.lazy:
            return F.embedding(index, self.table, sparse=True)
        return rows(self.table, index)
