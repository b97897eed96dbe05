"""A table of groups read by a C function, where a C compiler is at hand."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import autodpq_native as native
from autodpq_native.groups import Groups
from autodpq_packed.grouped import FIRST, Grouped


class GroupsInC(nn.Module):
    """As :class:`autodpq_packed.packed_groups.PackedGroups`, on the CPU.

    Args:
        table: read from a packed file.
    """

    layout: Tensor
    fields: Tensor
    codes: Tensor
    numbers: Tensor

    def __init__(self, table: Grouped) -> None:
        super().__init__()
        self.dim = table.dim
        arrays = {
            "layout": table.ends,
            "fields": np.searchsorted(table.ends[:, FIRST], table.offsets).astype(np.int64),
            "codes": table.codes,
            "numbers": table.numbers.astype(np.float32),
        }
        for name, array in arrays.items():
            self.register_buffer(name, torch.tensor(array))
        self._checked: Groups | None = self._table()

    @staticmethod
    def takes() -> bool:
        """Whether there is a compiler that works."""
        try:
            return native.available()
        except (RuntimeError, OSError) as error:
            warnings.warn(f"read without C: {error}", stacklevel=2)
            return False

    def forward(self, ids: Tensor) -> Tensor:
        """Vectors of features: ids int64 ``[B, M]`` -> ``[B, M, X]``.

        Raises:
            IndexError: an id is none of its field's.
            ValueError: ids of another type or shape, or not on the CPU.
        """
        self._checked = self._checked or self._table()
        return self._checked.look_up(ids.contiguous())

    def _table(self) -> Groups:
        return Groups(self.layout, self.fields, self.codes, self.numbers, self.dim)

    def _apply(self, *args: Any, **kwargs: Any) -> GroupsInC:
        self._checked = None  # buffers may be converted or moved now
        super()._apply(*args, **kwargs)
        return self
