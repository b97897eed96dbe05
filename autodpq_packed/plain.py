"""Read tables of plain arrays (:mod:`autodpq_budget.arrays`), NumPy and the standard library alone.

The signed container (:mod:`autodpq_packed.container`) has tables of groups (:mod:`autodpq_packed.grouped`) and no
model: what its header says under ``model`` is ``fields``, ``sizes`` and ``dims``, the X of each table. Tensor
``tiers`` has three bits a feature (:mod:`autodpq_packed.bits`), in the order of one's own ids: which of its field's
groups it is in (:func:`autodpq_packed.grouped.tiers`). In a group the tables have the smaller id first. Older files
have ``places`` instead, int32 ``[N]``, the number by which the tables know each feature, or neither: then ids are those
numbers, counted from the field's first.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from autodpq_packed.check import PLACES, PLAIN_TIERS, check_plain, tiers_of
from autodpq_packed.container import Tensors, unpack_checked
from autodpq_packed.grouped import Grouped, by_tier


class PlainTables:
    """Tables of a file: a field's ids -> vectors.

    Args:
        path: of the file.

    Attributes:
        sizes: field -> number of its features.
        tables: by name.

    Raises:
        PackedError: the file is truncated, altered, or something else; one sentence.
    """

    def __init__(self, path: Path) -> None:
        about, tensors = unpack_checked(Path(path), check_plain)
        self.sizes: dict[str, int] = dict(zip(about["fields"], about["sizes"], strict=True))
        self.first = dict(zip(self.sizes, np.cumsum([0, *about["sizes"][:-1]]).tolist(), strict=True))
        self.tables = {name: Grouped(name, about["sizes"], dim, tensors) for name, dim in about["dims"].items()}
        self.places = _places(about["sizes"], tensors)

    def __call__(self, table: str, field: str, ids: ArrayLike) -> NDArray[np.float32]:
        """Vectors of some of a field's features, which are numbered from 0: ``[...]`` -> ``[..., X]``.

        Raises:
            IndexError: an id is none of the field's.
            ValueError: another table or field, or ids that are no integers.
        """
        for name, known, what in ((table, self.tables, "table"), (field, self.sizes, "field")):
            if name not in known:
                raise ValueError(f"{what}: expected one of {', '.join(known)}, found {name}")
        array = np.asarray(ids) if np.size(ids) else np.zeros(np.shape(ids), np.int64)  # [] is of floats
        if array.dtype.kind not in "iu":
            raise ValueError(f"ids of {field}: expected integers, found {array.dtype}")
        for wrong in array[(array < 0) | (array >= self.sizes[field])][:1]:
            raise IndexError(f"ids of {field}: expected 0 to {self.sizes[field] - 1}, found {wrong}")
        every = array.astype(np.int64) + self.first[field]
        return self.tables[table].vectors(every if self.places is None else self.places[every])


def _places(sizes: list[int], tensors: Tensors) -> NDArray[np.int32] | None:
    """The number by which the tables know each feature ``[N]``, or None where ids are these numbers."""
    if PLAIN_TIERS not in tensors:
        return tensors.get(PLACES)
    ordered = by_tier(sizes, tiers_of(tensors, sum(sizes)))
    places = np.empty(len(ordered), np.int32)
    places[ordered] = np.arange(len(ordered), dtype=np.int32)
    return places
