"""Which centroids of which book a feature may use, and what codes and books cost."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from autodpq_rivals.rival import FLOAT, packed


@dataclass(frozen=True)
class Books:
    """Centroids that a feature may use: the first ``limit`` of its ``book``; both int64 ``[N]``."""

    book: Tensor
    limit: Tensor

    def size(self, dim: int, subspaces: int) -> int:
        """Bytes of the centroids, and of codes of ``ceil(log2 K)`` bits, packed for the features of one book and K."""
        base = int(self.limit.max()) + 1
        kinds, counts = (self.book * base + self.limit).unique(return_counts=True)
        pairs = [divmod(kind, base) for kind in kinds.tolist()]
        codes = sum(
            packed(n * subspaces, (k - 1).bit_length()) for (_, k), n in zip(pairs, counts.tolist(), strict=True)
        )
        largest = dict(pairs)  # K ascends within a book
        return codes + FLOAT * dim * sum(largest.values())
