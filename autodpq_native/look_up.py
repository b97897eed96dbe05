"""Vectors of features from a packed table."""

from __future__ import annotations

import ctypes

import torch
from torch import Tensor

from autodpq_native.door import INTEGER, POINTER, address, function

#: Of a field's features are coded, as in C.
NONE, ALL, SOME = range(3)


class Struct(ctypes.Structure):
    """What C calls ``table``."""

    _fields_ = (
        *((name, POINTER) for name in ("kept", "lines", "codes", "centroids", "fields")),
        *((name, INTEGER) for name in ("count", "dim", "rows", "blocks", "bytes", "numbers")),
    )


class CodedTable:
    """A packed table as C reads it, checked once.

    Args:
        kept: float32 ``[R, X]``, the rows of the features that are not coded.
        lines: int32 ``[ceil(N / 64), 3]``: for every 64 features a bit each, set for coded ones, and the number of
            coded ones before them; empty if no field has features of both kinds.
        codes: uint8, bits of all codes, and two bytes more.
        centroids: float32, those of all fields.
        fields: int64 ``[M, 9]``: what C calls ``field``, for each.

    Raises:
        ValueError: a tensor is not one that C reads, or a field leads outside them.
    """

    def __init__(self, kept: Tensor, lines: Tensor, codes: Tensor, centroids: Tensor, fields: Tensor) -> None:
        self._tensors = kept, lines, codes, centroids, fields  # keeps alive what C has the addresses of
        self._fields, self._dim = len(fields), kept.size(-1)  # M, X
        self._struct = Struct(
            address("kept", kept, torch.float32, len(kept), self._dim),
            address("lines", lines, torch.int32, len(lines), 3),
            address("codes", codes, torch.uint8, len(codes)),
            address("centroids", centroids, torch.float32, len(centroids)),
            address("fields", fields, torch.int64, self._fields, 9),
            *(self._fields, self._dim, len(kept), len(lines), len(codes), len(centroids)),
        )
        self._address = ctypes.addressof(self._struct)
        self._look_up = function("look_up", *[POINTER] * 2, INTEGER, POINTER)
        wrong = function("look_up_check", POINTER)(self._address)
        if wrong >= 0:
            found = fields[wrong].tolist()
            raise ValueError(f"field {wrong}: expected rows, codes and centroids inside the table, found {found}")

    def __reduce__(self) -> tuple[type[CodedTable], tuple[Tensor, ...]]:
        """A copy has addresses of its own."""
        return CodedTable, self._tensors

    def look_up(self, ids: Tensor) -> Tensor:
        """Vectors of features, a column of ids for each field: int64 ``[B, M]`` -> ``[B, M, X]``.

        Raises:
            IndexError: an id is none of its field's.
            ValueError: ids of another type or shape, not contiguous, or not on the CPU.
        """
        rows = len(ids)
        given = address("ids", ids, torch.int64, rows, self._fields)
        out = torch.empty(rows, self._fields, self._dim, dtype=torch.float32, device="cpu")
        refused = self._look_up(out.data_ptr(), given, rows, self._address)
        if refused >= 0:
            row, m = divmod(refused, self._fields)
            begin, end = self._tensors[-1][m, :2].tolist()
            raise IndexError(f"ids[{row}, {m}]: expected {begin} to {end - 1}, found {ids[row, m]}")
        return out
