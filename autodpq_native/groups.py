"""Vectors of features from a packed table of groups."""

from __future__ import annotations

import ctypes

import torch
from torch import Tensor

from autodpq_native.checked import Checked
from autodpq_native.door import INTEGER, POINTER, address, function


class Struct(ctypes.Structure):
    """What C calls ``table``."""

    _fields_ = (
        *((name, POINTER) for name in ("groups", "fields", "codes", "numbers", "later")),
        *((name, INTEGER) for name in ("count", "dim", "length", "bytes", "total", "most")),
    )


def later_groups(layout: Tensor, fields: Tensor, part: int) -> Tensor:
    """First ids of each field's groups, its first group left out, padded with the largest int32: int32 ``[M, n]``.

    The index of an id's group is that of its field's first group plus the number of entries in the field's row that
    are not above the id. n is a multiple of ``part``, the number of entries that C compares at a time.
    """
    begin, end = fields[:-1], fields[1:]
    places = begin[:, None] + 1 + torch.arange(-(-int((end - begin).max()) // part) * part)
    begins = layout[places.clamp(max=len(layout) - 1), 0].int()
    return begins.masked_fill(places >= end[:, None], torch.iinfo(torch.int32).max)


class Groups(Checked):
    """A packed table of groups.

    Args:
        layout: int64 ``[G + 1, 9]``: what C calls ``group``, for each, and the ends.
        fields: int64 ``[M + 1]``, the first group of each field, and the number of all.
        codes: uint8, bits of all codes, and eight bytes more.
        numbers: float32.
        dim: X.

    Raises:
        ValueError: a tensor is not one that C reads, there is no field, or a group leads outside them.
    """

    def __init__(self, layout: Tensor, fields: Tensor, codes: Tensor, numbers: Tensor, dim: int) -> None:
        if len(fields) < 2:
            raise ValueError("fields: expected the first group of each field and the number of all, found no field")
        if not len(layout):
            raise ValueError("layout: expected each group and the ends, found nothing")
        struct = Struct(
            address("layout", layout, torch.int64, len(layout), 9),
            address("fields", fields, torch.int64, len(fields)),
            address("codes", codes, torch.uint8, len(codes)),
            address("numbers", numbers, torch.float32, len(numbers)),
            0,
            *(len(fields) - 1, dim, len(layout) - 1, len(codes), len(numbers)),
        )
        super().__init__("look_up_groups", struct, (layout, fields, codes, numbers, dim), len(fields) - 1, dim)
        if self.wrong >= 0:
            raise ValueError(f"group {self.wrong}: expected features, codes and numbers inside the table, found others")
        part = function("groups_part")()
        self._layout, self._first, self._later = layout, fields, later_groups(layout, fields, part)
        struct.later, struct.most = self._later.data_ptr(), self._later.shape[1] // part

    def ends(self, m: int) -> tuple[int, int]:
        """The first id of field m, and the first after it."""
        begin, end = self._layout[self._first[m : m + 2], 0].tolist()
        return begin, end
