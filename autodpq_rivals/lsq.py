"""int-b, trained: LSQ+ with one step for a whole table, as the authors of MPE have it for embeddings."""

from __future__ import annotations

from torch import Tensor

from autodpq_rivals.rival import FLOAT, Bits, FullTable, packed_bytes
from autodpq_rivals.rounding import Rounding


class LSQ(Rounding):
    """``e_x = Q_b(w_x)`` with one b for all.

    Args:
        table: the full table.
        bits: b.
        by_field: a step for each field; c stays one for all.
    """

    def __init__(self, table: FullTable, *, bits: Bits, by_field: bool = False) -> None:
        super().__init__(table, [bits], by_field=by_field)

    def vectors(self, features: Tensor) -> Tensor:
        """Vectors of distinct features: int64 ``[U]`` -> ``[U, X]``."""
        return self.rounded(features)[0]

    @staticmethod
    def size(table: FullTable, *, bits: int, by_field: bool = False) -> int:
        """``N X`` codes of b bits, the step or steps, and c."""
        steps = len(table.schema.sizes) if by_field else 1
        return packed_bytes(table.rows * table.dim, bits) + FLOAT * (steps + table.dim)

    def served_bytes(self) -> int:
        """Codes, the step or steps, and c."""
        numbers = self.step.numel() + len(self.centre)
        return packed_bytes(self.rows.table.numel(), int(self.widths)) + FLOAT * numbers
