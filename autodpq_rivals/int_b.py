"""int-b, after training: rows become integers of b bits, with a scale and an offset for each field and dimension."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from autodpq_rivals.rival import FLOAT, Rival, Table, packed


def quantise(table: Tensor, sizes: Sequence[int], bits: int) -> Tensor:
    """What a table ``[N, X]`` becomes when each entry is one of ``2^b`` evenly spaced values: ``[N, X]``.

    In each field and dimension they go from the smallest entry to the largest: ``w' = low + s round((w - low) / s)``,
    ``s = (high - low) / (2^b - 1)``. That is the scheme of Jacob et al. (CVPR 2018, section 2.1) with a real offset in
    place of an integer zero point.

    Args:
        table: rows, field by field.
        sizes: number of rows of each field.
        bits: b.
    """
    return torch.cat([_quantise(rows, bits) for rows in table.split(list(sizes))])


def _quantise(rows: Tensor, bits: int) -> Tensor:
    low, high = rows.aminmax(dim=0)
    step = ((high - low) / (2**bits - 1)).clamp(min=torch.finfo(rows.dtype).tiny)
    return low + step * ((rows - low) / step).round()


class IntB(Rival):
    """A trained table, loaded as a full one's weights are, and then quantised; it is not trained any further.

    Args:
        table: the full table.
        bits: b.
    """

    table: Tensor

    def __init__(self, table: Table, *, bits: int) -> None:
        super().__init__()
        self.sizes, self.bits = table.schema.sizes, bits
        self.register_buffer("table", torch.zeros(table.rows, table.dim))

    def quantise(self) -> None:
        """Put every row through :func:`quantise`."""
        self.table.copy_(quantise(self.table, self.sizes, self.bits))

    def vectors(self, features: Tensor) -> Tensor:
        """Vectors of distinct features: int64 ``[U]`` -> ``[U, X]``."""
        return self.table[features]

    @staticmethod
    def size(table: Table, *, bits: int) -> int:
        """The codes of each field, packed, and two floats for each field and dimension."""
        sizes = table.schema.sizes
        return sum(packed(n * table.dim, bits) for n in sizes) + 2 * FLOAT * len(sizes) * table.dim

    def served_bytes(self) -> int:
        """Codes, scales and offsets."""
        codes = sum(packed(n * self.table.shape[1], self.bits) for n in self.sizes)
        return codes + 2 * FLOAT * len(self.sizes) * self.table.shape[1]
