"""The packed table read by a C function: what a server wants where a C compiler is at hand."""

from __future__ import annotations

import ctypes
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from autodpq_lib.native.compiled import library
from autodpq_packed.bits import bits_for
from autodpq_packed.reader import Table

SOURCE = Path(__file__).with_suffix(".c")
#: Of a field's features are coded, as in C.
NONE, ALL, SOME = range(3)


class PackedInC(nn.Module):
    """As :class:`autodpq_packed.module.Packed`, on the CPU, for kept rows in float32.

    Needs a count of the coded features before every 64 features, where torch's operators need one before every 8, and
    neither counts nor bits if no field has features of both kinds.

    Args:
        table: read from a packed file.

    Raises:
        ValueError: the kept rows are not float32.
    """

    kept: Tensor
    lines: Tensor
    codes: Tensor
    centroids: Tensor
    fields: Tensor

    def __init__(self, table: Table) -> None:
        super().__init__()
        if table.kept.dtype != np.float32:
            raise ValueError(f"kept rows: expected float32, found {table.kept.dtype}; load(path, Packed) reads any")
        fields, by_field = table.fields.values(), _fields(table)
        arrays = {
            "kept": table.kept,
            "lines": _lines(table) if (by_field[:, 2] == SOME).any() else np.zeros((0, 3), np.int32),
            "codes": np.concatenate([*(codes for _, codes, _ in fields), np.zeros(2, np.uint8)]),
            "centroids": np.concatenate([*(each.ravel() for _, _, each in fields), np.zeros(0, np.float32)]),
            "fields": by_field,
        }
        for name, array in arrays.items():
            self.register_buffer(name, torch.tensor(array))  # aligned, so that a row of 64 bytes is one cache line
        self._shape = by_field.shape[0], table.kept.shape[1]  # M, X
        self._struct: tuple[int, int, NDArray[np.int64]] | None = None  # of kept, its own address, itself

    @staticmethod
    def takes(table: Table) -> bool:
        """Whether there is a compiler that works, and the table is one that the C function reads."""
        try:
            return table.kept.dtype == np.float32 and library(SOURCE) is not None
        except (RuntimeError, OSError) as error:
            warnings.warn(f"read without C: {error}", stacklevel=2)
            return False

    def forward(self, ids: Tensor) -> Tensor:
        """Vectors of features: ids int64 ``[B, M]`` -> ``[B, M, X]``.

        Raises:
            IndexError: an id is none of its field's.
            ValueError: ids of another type or shape, or not on the CPU.
        """
        m, x = self._shape
        if ids.device.type != "cpu" or ids.dtype != torch.int64 or ids.dim() != 2 or ids.shape[1] != m:
            found = f"{ids.dtype} {list(ids.shape)} on {ids.device}"
            raise ValueError(
                f"ids: expected int64 [B, {m}] on the CPU, found {found}; load(path, Packed) reads anywhere"
            )
        ids = ids.contiguous()
        out = torch.empty(len(ids), m, x, dtype=torch.float32, device="cpu")
        refused = _look_up()(out.data_ptr(), ids.data_ptr(), len(ids), self._table())
        if refused >= 0:
            row, field = divmod(refused, m)
            begin, end = self.fields[field, :2].tolist()
            raise IndexError(f"ids[{row}, {field}]: expected {begin} to {end - 1}, found {ids[row, field]}")
        return out

    def _table(self) -> int:
        """Address of what C calls ``table``, made again when the buffers have moved, as in a copy of the module."""
        first = self.kept.data_ptr()
        if self._struct is None or self._struct[0] != first:
            if self.kept.dtype != torch.float32 or self.kept.device.type != "cpu":
                raise ValueError(f"table: expected float32 on the CPU, found {self.kept.dtype} on {self.kept.device}")
            pointers = [each.data_ptr() for each in (self.kept, self.lines, self.codes, self.centroids, self.fields)]
            struct = np.array([*pointers, *self._shape], np.int64)
            self._struct = first, struct.ctypes.data, struct
        return self._struct[1]

    def _apply(self, *args: Any, **kwargs: Any) -> PackedInC:
        self._struct = None  # buffers may be converted or moved now
        super()._apply(*args, **kwargs)
        return self


@cache
def _look_up() -> Any:
    """The C function."""
    compiled = library(SOURCE)
    assert compiled is not None
    compiled.look_up.argtypes = ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p
    compiled.look_up.restype = ctypes.c_int64
    return compiled.look_up


def _lines(table: Table) -> NDArray[np.int32]:
    """What C calls ``line``, for every 64 features: ``[ceil(N / 64), 3]``."""
    low = np.pad(table.low, (0, -len(table.low) % 8)).view("<i4").reshape(-1, 2)
    return np.concatenate([low, table.before[: len(table.low) : 8, None][: len(low)]], 1)


def _fields(table: Table) -> NDArray[np.int64]:
    """What C calls ``field``, for each: int64 ``[M, 9]``."""
    rows = np.zeros((len(table.offsets) - 1, 9), np.int64)
    rows[:, 0], rows[:, 1] = table.offsets[:-1], table.offsets[1:]
    before = table.coded_before(table.offsets)
    coded, sizes = np.diff(before), np.diff(table.offsets)
    rows[:, 2], rows[:, 5] = np.where(coded == 0, NONE, np.where(coded == sizes, ALL, SOME)), before[:-1]
    codes_at = centroids_at = 0
    for m, (_, codes, centroids) in table.fields.items():
        subspaces, k, _ = centroids.shape
        rows[m, 3:5], rows[m, 6:] = (codes_at, centroids_at), (subspaces, k, bits_for(k))
        codes_at, centroids_at = codes_at + codes.size, centroids_at + centroids.size
    return rows
