"""Read a packed file, NumPy and the standard library alone: to be ported to any language.

The file is a signed container of named arrays (:mod:`autodpq_packed.container`), believed only after
:mod:`autodpq_packed.check`.

A table of N features has the tensors ``<table>.kept`` [kept, X], float32, float16 or int8, in the last case with
``<table>.scale`` float32 [kept, 1] by which rows are multiplied; ``<table>.low``, a bit a feature, set for those that
are coded; and for each field with coded features ``<table>.codes.<field>`` (:mod:`autodpq_packed.bits`) and
``<table>.centroids.<field>`` float32 [D, K, X/D]. The vector of a kept feature is the row numbered by the kept features
before it. The r-th coded feature of a field is the concatenation over d of ``centroids[d, code[r * D + d]]``.

Where there is a tensor ``groups`` tables are stored by groups instead (:mod:`autodpq_packed.grouped`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autodpq_packed.bits import bits_for, unpack
from autodpq_packed.check import TABLES, check
from autodpq_packed.container import Tensors, unpack_checked
from autodpq_packed.grouped import GROUPS, Grouped, check_ids

Floats = NDArray[np.float32]


def read(path: Path) -> tuple[dict[str, Any], Tensors]:
    """What the header says of the model, and the tensors.

    Raises:
        PackedError: the file is truncated, altered, or something else; one sentence.
    """
    return unpack_checked(path, check)


#: Number of set bits of each byte.
BITS = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).sum(1, dtype=np.int32)


class PackedTable:
    """A packed table: ids -> vectors.

    Args:
        name: ``embedding`` or ``first_order``.
        model: field names and sizes, from the header.
        tensors: of the file.
    """

    def __init__(self, name: str, model: Mapping[str, Any], tensors: Tensors) -> None:
        self.kept, self.scale = tensors[f"{name}.kept"], tensors.get(f"{name}.scale")
        if not len(self.kept):  # all are coded: one row, unused
            self.kept = np.zeros((1, self.kept.shape[1]), np.float32)
            self.scale = None
        self.low = np.append(tensors[f"{name}.low"], np.uint8(0))
        set_bits = np.cumsum(BITS[self.low], dtype=np.int32)
        self.before = np.append(np.int32(0), set_bits)  # coded features before each byte
        self.offsets = np.cumsum([0, *model["sizes"]])  # field m has the ids from offsets[m] to offsets[m + 1] - 1
        self.coded_fields = {}
        for m, field in enumerate(model["fields"]):
            if f"{name}.centroids.{field}" in tensors:
                codes, centroids = tensors[f"{name}.codes.{field}"], tensors[f"{name}.centroids.{field}"]
                first = int(self.coded_before(self.offsets[m : m + 1])[0])
                self.coded_fields[m] = first, codes, centroids

    def coded_before(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Number of coded features with a smaller id."""
        byte, bit = ids >> 3, ids & 7
        return self.before[byte].astype(np.int64) + BITS[self.low[byte] & (1 << bit) - 1]

    def rows(self, places: NDArray[np.int64]) -> Floats:
        """Rows of kept features, in float32 whatever they are stored as: ``[...]`` -> ``[..., X]``."""
        rows = self.kept[places].astype(np.float32)
        return rows if self.scale is None else rows * self.scale[places]

    def __call__(self, ids: NDArray[np.int64]) -> Floats:
        """Vectors of features, one column of ids a field: int64 ``[B, M]`` -> float32 ``[B, M, X]``.

        Raises:
            IndexError: an id is none of its field's.
            ValueError: ids of another type or shape.
        """
        check_ids(ids, self.offsets)
        before = self.coded_before(ids)
        coded = (self.low[ids >> 3] >> (ids & 7)) & 1 == 1
        out = self.rows(np.where(coded, 0, ids - before))
        for m, (first, codes, centroids) in self.coded_fields.items():
            rows = np.flatnonzero(coded[:, m])
            out[rows, m] = decode(codes, centroids, before[rows, m] - first)
        return out


def decode(codes: NDArray[np.uint8], centroids: Floats, rank: NDArray[np.int64]) -> Floats:
    """Vectors of the coded features with these ranks in their field: ``[P]`` -> ``[P, X]``."""
    subspaces, k, width = centroids.shape
    d = np.arange(subspaces)
    code = unpack(codes, bits_for(k), rank[:, None] * subspaces + d)  # [P, D]
    return centroids[d, code].reshape(len(rank), subspaces * width)


def tables(model: Mapping[str, Any], tensors: Tensors) -> dict[str, PackedTable | Grouped]:
    """The tables of a file: ``embedding`` and, in DeepFM's, ``first_order``."""
    names = [name for name in TABLES if f"unknown.{name}" in tensors]
    if GROUPS not in tensors:
        return {name: PackedTable(name, model, tensors) for name in names}
    widths = {"embedding": model["config"]["embedding_dim"], "first_order": 1}
    return {name: Grouped(name, model["sizes"], widths[name], tensors) for name in names}
