"""Vectors of features from a packed table."""

from __future__ import annotations

import ctypes

import torch
from torch import Tensor

from autodpq_native.checked import Checked
from autodpq_native.door import INTEGER, POINTER, address

#: How many of a field's features are coded; numbered as in the enum of look_up.c.
NONE, ALL, SOME = range(3)


class Struct(ctypes.Structure):
    """What C calls ``table``."""

    _fields_ = (
        *((name, POINTER) for name in ("kept", "lines", "codes", "centroids", "fields")),
        *((name, INTEGER) for name in ("count", "dim", "rows", "blocks", "bytes", "numbers")),
    )


class CodedTable(Checked):
    """A packed table of rows and codes.

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
        count, dim = len(fields), kept.size(-1)
        struct = Struct(
            address("kept", kept, torch.float32, len(kept), dim),
            address("lines", lines, torch.int32, len(lines), 3),
            address("codes", codes, torch.uint8, len(codes)),
            address("centroids", centroids, torch.float32, len(centroids)),
            address("fields", fields, torch.int64, count, 9),
            *(count, dim, len(kept), len(lines), len(codes), len(centroids)),
        )
        super().__init__("look_up", struct, (kept, lines, codes, centroids, fields), count, dim)
        self._of_fields = fields
        if self.wrong >= 0:
            found = fields[self.wrong].tolist()
            raise ValueError(f"field {self.wrong}: expected rows, codes and centroids inside the table, found {found}")

    def ends(self, m: int) -> tuple[int, int]:
        """The first id of field m, and the first after it."""
        begin, end = self._of_fields[m, :2].tolist()
        return begin, end
