"""int-b, after training: rows become integers of b bits, with a scale and an offset for each field and dimension."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from autodpq_data.schema import Schema
from autodpq_rivals.rival import FLOAT, Bits, FullTable, Rival, packed_bytes

#: Shares of the range of a field's entries that its values may span.
SPANS = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)


def quantise(table: Tensor, schema: Schema, bits: int) -> Tensor:
    """What a table ``[N, X]`` becomes when each entry is one of ``2^b`` evenly spaced values: ``[N, X]``.

    In each field and dimension ``w' = low + s clamp(round((w - low) / s), 0, 2^b - 1)``. That is the scheme of Jacob et
    al. (CVPR 2018, section 2.1) with a real offset in place of an integer zero point. The values span one
    of the :data:`SPANS` about the middle of the entries: the one with the least squared error over all occurrences.
    """
    parts = zip(table.split(schema.sizes), schema.counts.to(table.device).float().split(schema.sizes), strict=True)
    return torch.cat([_quantise(rows, counts, bits) for rows, counts in parts])


def _quantise(rows: Tensor, counts: Tensor, bits: int) -> Tensor:
    tried = torch.stack([_spaced(rows, span, bits) for span in SPANS])  # [S, N, X]
    best = (counts @ (tried - rows).square()).argmin(0)  # [X]
    return tried[best, :, torch.arange(rows.shape[1], device=rows.device)].T


def _spaced(rows: Tensor, span: float, bits: int) -> Tensor:
    lowest, highest = rows.aminmax(dim=0)
    middle, half = (lowest + highest) / 2, (highest - lowest) / 2 * span
    low, step = ((middle - half).half().float(), (2 * half / (2**bits - 1)).half().float())
    step = step.clamp(min=torch.finfo(torch.float16).smallest_normal)
    return low + step * ((rows - low) / step).round().clamp(0, 2**bits - 1)


class IntB(Rival):
    """A trained table, loaded as a full one's weights are, and then quantised; it is not trained any further.

    Args:
        table: the full table.
        bits: b.
    """

    table: Tensor

    def __init__(self, table: FullTable, *, bits: Bits) -> None:
        super().__init__()
        self.schema, self.bits = table.schema, bits
        self.register_buffer("table", torch.zeros(table.rows, table.dim))

    def store(self) -> None:
        """Put every row through :func:`quantise`."""
        self.table.copy_(quantise(self.table, self.schema, self.bits))

    def vectors(self, features: Tensor) -> Tensor:
        """Vectors of distinct features: int64 ``[U]`` -> ``[U, X]``."""
        return self.table[features]

    @staticmethod
    def size(table: FullTable, *, bits: int) -> int:
        """The codes of each field, packed, and two numbers for each field and dimension."""
        return _bytes(table.schema.sizes, table.dim, bits)

    def served_bytes(self) -> int:
        """Codes, scales and offsets."""
        return _bytes(self.schema.sizes, self.table.shape[1], self.bits)


def _bytes(sizes: Sequence[int], dim: int, bits: int) -> int:
    return sum(packed_bytes(n * dim, bits) for n in sizes) + 2 * FLOAT * len(sizes) * dim
