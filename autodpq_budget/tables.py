"""What is compressed: rows in the order of the file, how often each occurs, and how much an error matters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from autodpq_packed.grouped import groups

Floats = NDArray[np.floating]
Integers = NDArray[np.integer]
#: Least count of a feature, and least scale of a dimension as a share of its field's largest.
TINY_COUNT, TINY_SCALE = 1e-9, 1e-6


@dataclass(frozen=True)
class Group:
    """Features that are stored in one way.

    Attributes:
        rows: float32 ``[n, X]``.
        counts: float64 ``[n]``, how often each occurs; above 0.
        scale: float32 ``[X]``: what an error of each dimension is multiplied by.
        whole: the group of which these are some features, if they are.
    """

    rows: NDArray[np.float32]
    counts: NDArray[np.float64]
    scale: NDArray[np.float32]
    whole: Group | None = None

    def some(self, most: int) -> Group:
        """At most so many of its features, drawn at random."""
        drawn = np.random.default_rng(0).permutation(len(self.rows))[:most]
        return Group(self.rows[drawn], self.counts[drawn], self.scale, self)

    @cached_property
    def range(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The smallest and the largest number of each dimension of the whole group, ``[X]`` each."""
        return self.whole.range if self.whole else (self.rows.min(0), self.rows.max(0))


@dataclass(frozen=True)
class Table:
    """A table of N features, in the order of their ids.

    Attributes:
        rows: float32 ``[N, X]``.
        sensitivity: float32 ``[M, X]``, mean square gradient of the loss in each field and dimension; ones, where it is
            not known.
    """

    rows: NDArray[np.float32]
    sensitivity: NDArray[np.float32]

    def groups(self, sizes: Sequence[int], counts: Integers, ordered: Integers) -> Iterator[Group]:
        """Its groups, in the order of the file, which has the ids ``ordered`` ``[N]``."""
        starts = np.cumsum(groups(sizes, counts))[:-1]
        field = np.repeat(np.arange(len(sizes)), sizes)
        for ids in np.split(ordered, starts):
            scale = np.sqrt(self.sensitivity[field[ids[0]]])
            # Not 0: features that never occur and dimensions of no sensitivity come last, but get what bytes are left.
            floor = TINY_SCALE * float(scale.max() or np.sqrt(self.sensitivity.max()) or 1)
            often = np.maximum(counts[ids].astype(np.float64), TINY_COUNT)
            yield Group(self.rows[ids], often, np.maximum(scale, floor).astype(np.float32))
