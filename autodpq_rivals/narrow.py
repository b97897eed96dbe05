"""Narrow FE: every feature has its row, of fewer dimensions."""

from __future__ import annotations

from torch import Tensor

from autodpq_lib.embedding.full import Full
from autodpq_rivals.rival import FLOAT, FullTable, Rival


class Narrow(Rival):
    """FE's table (section 4.2 of the paper), as wide as the configuration's X.

    Args:
        table: the full table.
    """

    def __init__(self, table: FullTable) -> None:
        super().__init__()
        self.rows = Full(table.rows, table.dim, table.init)

    def vectors(self, features: Tensor) -> Tensor:
        """Vectors of distinct features: int64 ``[U]`` -> ``[U, X]``."""
        return self.rows(features)

    @staticmethod
    def size(table: FullTable) -> int:
        """``N X`` numbers."""
        return FLOAT * table.rows * table.dim
