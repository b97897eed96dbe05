"""QR, the quotient-remainder trick (Shi et al., KDD 2020, section 2.2): a row for each of the two, multiplied."""

from __future__ import annotations

from pydantic import PositiveInt
from torch import Tensor

from autodpq_lib.embedding.full import Full
from autodpq_rivals.rival import FLOAT, FullTable, Rival


class QR(Rival):
    """``e_x = E_q[x div m] * E_r[x mod m]``, element by element; no two features share both rows.

    x is the suite's own id. Both tables start so that products are as large as the recipe's rows. In the authors'
    code they start uniform in ``(sqrt(1 / N), 1)``: DeepFM's sums of products would start at about 29.

    Args:
        table: the full table.
        collisions: m, features that share a quotient.
    """

    def __init__(self, table: FullTable, *, collisions: PositiveInt) -> None:
        super().__init__()
        self.collisions = collisions
        quotients = -(-table.rows // collisions)
        self.quotient, self.remainder = (Full(rows, table.dim, table.init) for rows in (quotients, collisions))
        for part in (self.quotient, self.remainder):
            part.table.data /= part.table.data.square().mean().sqrt().sqrt()

    def vectors(self, features: Tensor) -> Tensor:
        """Vectors of distinct features: int64 ``[U]`` -> ``[U, X]``."""
        return self.quotient(features // self.collisions) * self.remainder(features % self.collisions)

    @staticmethod
    def size(table: FullTable, *, collisions: int) -> int:
        """``X (ceil(N / m) + m)`` numbers; at least about ``2 X sqrt(N)``."""
        return FLOAT * table.dim * (-(-table.rows // collisions) + collisions)
