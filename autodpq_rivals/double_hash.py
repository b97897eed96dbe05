"""Double hash (Zhang et al., RecSys 2020, section 3): frequent features keep rows, the rest share."""

from __future__ import annotations

import math

import torch
from pydantic import NonNegativeInt, PositiveInt
from torch import Tensor

from autodpq_lib.embedding.full import Full
from autodpq_rivals.rival import FLOAT, SEED, FullTable, Rival, hash_functions, ranks

PRIME = 2**31 - 1


class DoubleHash(Rival):
    """``e_x = E[x]`` for the H most frequent features, ``e_x = T[h_1(x)] + T[h_2(x)]`` for the others.

    ``h_i(x) = ((a_i x + b_i) mod (2^31 - 1)) mod M``, where x is the feature's rank by count. E and T are parts of one
    table here, E first. Rows of T start smaller by ``sqrt(2)``, so that sums start as large as rows.

    Args:
        table: the full table.
        kept: H.
        shared: M.
    """

    rank: Tensor
    slope: Tensor
    offset: Tensor

    def __init__(self, table: FullTable, *, kept: NonNegativeInt, shared: PositiveInt) -> None:
        super().__init__()
        self.kept, self.shared = kept, shared
        self.rows = Full(kept + shared, table.dim, table.init)
        self.rows.table.data[kept:] /= math.sqrt(2)
        self.register_buffer("rank", ranks(table.schema.counts), persistent=False)
        slope, offset = hash_functions(2, PRIME)
        self.register_buffer("slope", slope)
        self.register_buffer("offset", offset)

    def vectors(self, features: Tensor) -> Tensor:
        """Vectors of distinct features: int64 ``[U]`` -> ``[U, X]``."""
        rank = self.rank[features][:, None]  # [U, 1]
        hashed = (rank * self.slope + self.offset) % PRIME % self.shared  # [U, 2]
        own = rank < self.kept
        first, second = self.rows(torch.where(own, rank, self.kept + hashed)).unbind(1)  # [U, X] each
        return torch.where(own, first, first + second)

    @staticmethod
    def size(table: FullTable, *, kept: int, shared: int) -> int:
        """``X (H + M)`` numbers, and the seed of the hash functions."""
        return FLOAT * table.dim * (kept + shared) + SEED

    def served_bytes(self) -> int:
        """The table and the seed."""
        return super().served_bytes() + SEED
