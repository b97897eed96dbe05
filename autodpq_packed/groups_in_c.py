"""A table of groups read by a C function, where a C compiler is at hand."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from autodpq_native.groups import Groups
from autodpq_packed.grouped import Grouped
from autodpq_packed.read_in_c import ReadInC


class GroupsInC(ReadInC):
    """As :class:`autodpq_packed.packed_groups.PackedGroups`, on the CPU.

    Args:
        table: read from a packed file.
    """

    by_frequency = True
    layout: Tensor
    first_groups: Tensor
    codes: Tensor
    numbers: Tensor

    def __init__(self, table: Grouped) -> None:
        super().__init__()
        self.dim = table.dim
        arrays = {
            "layout": table.ends,
            "first_groups": table.first_groups,
            "codes": table.codes,
            "numbers": table.numbers.astype(np.float32),
        }
        for name, array in arrays.items():
            self.register_buffer(name, torch.tensor(array))
        self._checked = self.checked_table()

    def checked_table(self) -> Groups:
        """The buffers, checked."""
        return Groups(self.layout, self.first_groups, self.codes, self.numbers, self.dim)
