"""A table of groups as a torch module, interchangeable with the embeddings that were trained."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from autodpq_packed.grouped import FIRST, Grouped


class PackedGroups(nn.Module):
    """Vectors from packed codes, to the bits of :class:`autodpq_packed.grouped.Grouped`; nothing is unpacked before.

    Args:
        table: read from a packed file.

    Attributes:
        by_frequency: ids are the file's, and no data set's own.
    """

    by_frequency = True
    layout: Tensor
    fields: Tensor
    begins: Tensor
    codes: Tensor
    numbers: Tensor

    def __init__(self, table: Grouped) -> None:
        super().__init__()
        self.dim = table.dim
        first, fields = table.ends[:, FIRST], table.first_groups
        places = fields[:-1, None] + np.arange(np.diff(fields).max())
        begins = np.where(places < fields[1:, None], first[np.minimum(places, len(first) - 1)], first[-1])
        self.register_buffer("fields", torch.tensor(fields[:-1]))
        self.register_buffer("begins", torch.tensor(begins))  # [M, most groups]: first ids, then N, which no id reaches
        for name in ("layout", "codes", "numbers"):
            self.register_buffer(name, torch.tensor(getattr(table, name)))

    def forward(self, ids: Tensor) -> Tensor:
        """Vectors of features: ids int64 ``[B, M]`` -> ``[B, M, X]``; that each is one of its field is not checked."""
        group = self.fields + (ids[..., None] >= self.begins).sum(-1) - 1
        first, bit, number, bits, k, d, width, row, integers = self.layout[group][..., None, :].unbind(-1)
        x, rank = torch.arange(self.dim, device=ids.device), ids[..., None] - first
        start = bit + (rank * d + x // width) * bits
        window = self.codes[start >> 3].long() | self.codes[(start >> 3) + 1].long() << 8
        code = torch.bitwise_right_shift(window, start & 7) & torch.bitwise_left_shift(1, bits) - 1
        factor = code * integers
        place = number + rank * row + (x // width * k + code - factor) * width + x % width
        return self.numbers[place].float() + factor.float() * self.numbers[place + integers * self.dim].float()
