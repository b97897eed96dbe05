"""int-b, trained: LSQ+ with one step for a whole table, as the authors of MPE have it for embeddings."""

from __future__ import annotations

from torch import Tensor

from autodpq_rivals.rival import FLOAT, Bits, FullTable, packed
from autodpq_rivals.rounding import Rounding


class LSQ(Rounding):
    """``e_x = Q_b(w_x)`` with one b for all.

    Args:
        table: the full table.
        bits: b.
    """

    def __init__(self, table: FullTable, *, bits: Bits) -> None:
        super().__init__(table, [bits])

    def vectors(self, features: Tensor) -> Tensor:
        """Vectors of distinct features: int64 ``[U]`` -> ``[U, X]``."""
        return self.rounded(features)[0]

    @staticmethod
    def size(table: FullTable, *, bits: int) -> int:
        """``N X`` codes of b bits, the step and c."""
        return packed(table.rows * table.dim, bits) + FLOAT * (1 + table.dim)

    def served_bytes(self) -> int:
        """Codes, the step and c."""
        return packed(self.rows.table.numel(), int(self.widths)) + FLOAT * (1 + len(self.centre))
