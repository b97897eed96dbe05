"""The packed table read by a C function: what a server wants where a C compiler is at hand."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from autodpq_native import look_up as in_c
from autodpq_native.look_up import ALL, NONE, SOME
from autodpq_packed.bits import bits_for
from autodpq_packed.read_in_c import ReadInC, works
from autodpq_packed.reader import PackedTable


class PackedInC(ReadInC):
    """As :class:`autodpq_packed.packed.Packed`, on the CPU, for kept rows in float32.

    Needs a count of the coded features before every 64 features, where torch's operators need one before every 8, and
    neither counts nor bits if no field has features of both kinds.

    Args:
        table: read from a packed file.

    Raises:
        ValueError: the kept rows are not float32, or a field leads outside the table.
    """

    kept: Tensor
    lines: Tensor
    codes: Tensor
    centroids: Tensor
    fields: Tensor

    def __init__(self, table: PackedTable) -> None:
        super().__init__()
        if table.kept.dtype != np.float32:
            raise ValueError(f"kept rows: expected float32, found {table.kept.dtype}; load(path, Packed) reads any")
        fields, by_field = table.coded_fields.values(), _fields(table)
        arrays = {
            "kept": table.kept,
            "lines": _lines(table) if (by_field[:, 2] == SOME).any() else np.zeros((0, 3), np.int32),
            "codes": np.concatenate([*(codes for _, codes, _ in fields), np.zeros(2, np.uint8)]),
            "centroids": np.concatenate([*(each.ravel() for _, _, each in fields), np.zeros(0, np.float32)]),
            "fields": by_field,
        }
        for name, array in arrays.items():
            self.register_buffer(name, torch.tensor(array))  # aligned, so that a row of 64 bytes is one cache line
        self._checked = self.checked_table()

    @staticmethod
    def takes(table: PackedTable) -> bool:
        """Whether there is a compiler that works, and the table is one that the C function reads."""
        return table.kept.dtype == np.float32 and works()

    def checked_table(self) -> in_c.CodedTable:
        """The buffers, checked."""
        return in_c.CodedTable(self.kept, self.lines, self.codes, self.centroids, self.fields)


def _lines(table: PackedTable) -> NDArray[np.int32]:
    """What C calls ``line``, for every 64 features: ``[ceil(N / 64), 3]``."""
    low = table.low[:-1]  # the last byte is beyond the features
    bits = np.pad(low, (0, -len(low) % 8)).view("<i4").reshape(-1, 2)
    return np.concatenate([bits, table.before[: len(low) : 8, None]], 1)


def _fields(table: PackedTable) -> NDArray[np.int64]:
    """A C ``field`` for each field, int64 ``[M, 9]``: begin, end, coded, codes, centroids, first, D, K, bits."""
    rows = np.zeros((len(table.offsets) - 1, 9), np.int64)
    rows[:, 0], rows[:, 1] = table.offsets[:-1], table.offsets[1:]
    before = table.coded_before(table.offsets)
    coded, sizes = np.diff(before), np.diff(table.offsets)
    rows[:, 2], rows[:, 5] = np.where(coded == 0, NONE, np.where(coded == sizes, ALL, SOME)), before[:-1]
    codes_at = centroids_at = 0
    for m, (_, codes, centroids) in table.coded_fields.items():
        subspaces, k, _ = centroids.shape
        rows[m, 3:5], rows[m, 6:] = (codes_at, centroids_at), (subspaces, k, bits_for(k))
        codes_at, centroids_at = codes_at + codes.size, centroids_at + centroids.size
    return rows
