"""What the packed tables that C reads share."""

from __future__ import annotations

import ctypes

import torch
from torch import Tensor

from autodpq_native.door import INTEGER, POINTER, address, function

#: Arguments of a subclass's constructor: tensors, and X where no shape of theirs tells it.
Given = tuple[Tensor | int, ...]


class Checked:
    """A packed table as C reads it, checked once. A subclass has its tensors, and knows which ids a field has.

    Args:
        name: of the C function that looks up; ``<name>_check`` finds a field or group that leads outside the table.
        struct: what C calls ``table``.
        given: the subclass's own arguments, kept so that the addresses that C has stay valid.
        fields: M.
        dim: X.

    Attributes:
        wrong: place of the first field or group that leads outside the table, or -1.
    """

    def __init__(self, name: str, struct: ctypes.Structure, given: Given, fields: int, dim: int) -> None:
        self._struct, self._given, self._fields, self._dim = struct, given, fields, dim
        self._address = ctypes.addressof(struct)
        self._look_up = function(name, *[POINTER] * 2, INTEGER, POINTER)
        self.wrong = function(f"{name}_check", POINTER)(self._address)

    def __reduce__(self) -> tuple[type[Checked], Given]:
        """A copy has addresses of its own."""
        return type(self), self._given

    def ends(self, m: int) -> tuple[int, int]:
        """The first id of field m, and the first after it."""
        raise NotImplementedError

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
            begin, end = self.ends(m)
            raise IndexError(f"ids[{row}, {m}]: expected {begin} to {end - 1}, found {ids[row, m]}")
        return out
