"""The packed table as a torch module, interchangeable with the embeddings that were trained."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from autodpq_packed.bits import bits_for
from autodpq_packed.reader import BITS, PackedTable


class Packed(nn.Module):
    """Looks up kept rows and decodes the rest from packed codes; with float32 rows bit-equal to the trained module.

    Operators of torch alone, and no step that depends on the data, so that it can be exported.

    Args:
        table: read from a packed file.

    Example:
        >>> tensors = {
        ...     "embedding.kept": np.zeros((3, 4), np.float32),
        ...     "embedding.low": np.array([0b111000], np.uint8),  # of six features: the last three are coded
        ...     "embedding.codes.zip": np.array([0b101], np.uint8),  # a bit each, as K = 2 and D = 1
        ...     "embedding.centroids.zip": np.array([[[0, 0, 0, 0], [1, 2, 3, 4]]], np.float32),  # [D, K, X/D]
        ... }
        >>> packed = Packed(PackedTable("embedding", {"fields": ["age", "zip"], "sizes": [2, 4]}, tensors))
        >>> packed(torch.tensor([[0, 3], [1, 4]]))[:, 1].tolist()
        [[1.0, 2.0, 3.0, 4.0], [0.0, 0.0, 0.0, 0.0]]
    """

    low: Tensor
    before: Tensor
    bits: Tensor
    kept: Tensor
    scale: Tensor | None

    def __init__(self, table: PackedTable) -> None:
        super().__init__()
        buffers = {"kept": table.kept, "low": table.low, "before": table.before, "bits": BITS}
        for name, array in buffers.items():
            self.register_buffer(name, torch.tensor(array))
        self.register_buffer("scale", None if table.scale is None else torch.tensor(table.scale))
        self.first: dict[int, int] = {}
        for m, (first, codes, centroids) in table.coded_fields.items():
            self.first[m] = first
            padded = np.append(codes, np.uint8(0))  # two bytes are read at a time
            self.register_buffer(f"codes_{m}", torch.tensor(padded))
            self.register_buffer(f"centroids_{m}", torch.tensor(centroids))

    def forward(self, ids: Tensor) -> Tensor:
        """Vectors of features: ids int64 ``[B, M]`` -> ``[B, M, X]``; that each is one of its field is not checked."""
        byte, bit = ids >> 3, ids & 7
        bits = self.low[byte].long()
        coded = torch.bitwise_right_shift(bits, bit) & 1 == 1
        before = self.before[byte].long() + self.bits[bits & torch.bitwise_left_shift(1, bit) - 1]
        columns = list(self._rows(torch.where(coded, 0, ids - before)).unbind(1))
        for m, first in self.first.items():
            decoded = self._decode(m, torch.where(coded[:, m], before[:, m] - first, 0))
            columns[m] = torch.where(coded[:, m, None], decoded, columns[m])
        return torch.stack(columns, 1)

    def _rows(self, places: Tensor) -> Tensor:
        """Rows of kept features, in float32 whatever they are stored as."""
        rows = self.kept[places].float()
        return rows if self.scale is None else rows * self.scale[places]

    def _decode(self, m: int, rank: Tensor) -> Tensor:
        """Vectors of the coded features of field m with these ranks: ``[B]`` -> ``[B, X]``."""
        codes, centroids = self.get_buffer(f"codes_{m}"), self.get_buffer(f"centroids_{m}")
        subspaces, k, width = centroids.shape
        b, d = bits_for(k), torch.arange(subspaces, device=rank.device)
        start = (rank[:, None] * subspaces + d) * b
        code = torch.zeros_like(start)
        if b:  # a code lies in at most two bytes
            window = codes[start >> 3].long() | codes[(start >> 3) + 1].long() << 8
            code = torch.bitwise_right_shift(window, start & 7) & (1 << b) - 1
        return centroids.view(subspaces * k, width)[code + d * k].flatten(1)
