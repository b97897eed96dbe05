"""Rows of one part of the split: an index into mapped arrays, so that no part is ever copied."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

#: Rows scored at a time; it changes speed and memory only.
SCORING_BATCH = 8192
#: Ids int64 ``[B, M]`` and labels float32 ``[B]``.
Batch = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Samples:
    """Rows of a prepared data set.

    Attributes:
        all_ids: int32 ``[all rows, M]``, feature ids, mapped from disk.
        all_labels: uint8 ``[all rows]``, 1 for a click or a liked film, mapped too.
        rows: int32 ``[rows]``, the rows that belong here, ascending.
    """

    all_ids: Tensor
    all_labels: Tensor
    rows: Tensor

    def to(self, device: str) -> Samples:
        """These rows alone, copied to a device; themselves if they are there."""
        if self.rows.device.type == device:
            return self
        places = torch.arange(len(self), dtype=torch.int32, device=device)
        return Samples(self.ids.to(device), self.all_labels.index_select(0, self.rows).to(device), places)

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, places: Tensor) -> Batch:
        """Ids int64 ``[B, M]`` and labels float32 ``[B]`` at ``places`` ``[B]``, which count from 0 in this part."""
        rows = self.rows.index_select(0, places)
        return self.all_ids.index_select(0, rows).long(), self.all_labels.index_select(0, rows).float()

    def in_order(self) -> Iterator[Batch]:
        """All samples, in order, :data:`SCORING_BATCH` at a time."""
        device = self.rows.device
        return (
            self.take(torch.arange(start, min(start + SCORING_BATCH, len(self)), device=device))
            for start in range(0, len(self), SCORING_BATCH)
        )

    @property
    def ids(self) -> Tensor:
        """int32 ``[rows, M]``, copied: for data that fit into memory."""
        return self.all_ids.index_select(0, self.rows)

    @cached_property
    def labels(self) -> Tensor:
        """float32 ``[rows]``."""
        return self.all_labels.index_select(0, self.rows).float()
