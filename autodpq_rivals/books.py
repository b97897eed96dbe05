"""Which centroids of which book a feature may use, and what codes and books cost."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from torch import Tensor

from autodpq_rivals.rival import FLOAT, packed_bytes


@dataclass(frozen=True)
class Books:
    """Centroids that a feature may use: the first ``limit`` of its ``book``; both int64 ``[N]``.

    Attributes:
        tied: all subspaces have the same centroids.
    """

    book: Tensor
    limit: Tensor
    tied: bool = False

    @cached_property
    def sizes(self) -> list[int]:
        """Centroids of each book."""
        return [int(self.limit[self.book == number].max()) for number in range(int(self.book.max()) + 1)]

    def size(self, dim: int, subspaces: int) -> int:
        """Bytes of centroids and codes; features of one book and K have codes of ``ceil(log2 K)`` bits, packed."""
        base = int(self.limit.max()) + 1
        kinds, counts = (self.book * base + self.limit).unique(return_counts=True)
        limits = (kinds % base).tolist()
        codes = sum(
            packed_bytes(n * subspaces, (k - 1).bit_length()) for k, n in zip(limits, counts.tolist(), strict=True)
        )
        return codes + FLOAT * (dim // subspaces if self.tied else dim) * sum(self.sizes)
