"""Read a table whose features lie in groups, each group stored in a way of its own; NumPy alone.

Features of a field that are about equally frequent form a group (:func:`groups`), and have consecutive ids: in the file
a field's most frequent feature comes first (:func:`order`). :func:`file_ids` turns a data set's own ids into the
file's. The header's ``order``, which older files lack, is the :func:`digest` of this order. Tensor ``groups``, int32
``[G]``, has the number of features of each group, field by field. A table has three tensors more: ``<table>.option``
uint8 ``[G]``, how each group is stored; ``<table>.codes`` uint8, the codes (:mod:`autodpq_packed.bits`), those of each
group from the start of a byte; and ``<table>.numbers`` float16, all else, group by group. With n features of X
dimensions:

======== ============ =================== ============================ ==================================
option   name         codes a feature     numbers                      dimension x of the feature ranked r
======== ============ =================== ============================ ==================================
0        mean         none                mean ``[X]``                 ``mean[x]``
1 to 8   integers     X of ``b`` bits,    low ``[X]``, step ``[X]``    ``low[x] + code[r, x] * step[x]``
                      b is the option
9        rows         none                row ``[n, X]``               ``row[r, x]``
10 on    centroids    D of log2(K) bits   centroid ``[D, K, X/D]``     ``centroid[d, code[r, d], x % w]``,
                                                                       w = X/D, d = x div w
======== ============ =================== ============================ ==================================

Option ``9 + 8 log2(D) + log2(K)`` has K of 2 to 256 centroids in each of D subspaces, both powers of 2; so every code
names a centroid. Arithmetic is in float32.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autodpq_packed.container import Tensors

MEAN, ROWS = 0, 9
#: Columns of a layout: id of the group's first feature, first bit of its codes and first of its numbers; bits of a
#: code, K, D and X/D; numbers of a row, if rows are stored; and whether codes are integers.
FIRST, BIT, NUMBER, BITS, CENTROIDS, SUBSPACES, WIDTH, ROW, INTEGERS = range(9)
#: Features whose places are made at a time, where all are wanted: each takes some kilobytes meanwhile.
CHUNK = 8192
#: Counts at which the groups of a field part; a feature with exactly such a count is in the more frequent group.
TIERS = (10, 40, 160, 640, 2560)
#: Bits of a tier in a file of plain arrays.
TIER_BITS = 3
#: Hexadecimal digits that tell one order from another.
ORDER_DIGITS = 16
#: Tensor with the number of features of each group.
GROUPS = "groups"
Ids = NDArray[np.integer[Any]]
Places = NDArray[np.int64]


def order(sizes: Sequence[int], counts: Ids) -> Places:
    """A data set's ids in the order of the file: field by field, the most frequent first, of equals the smaller id.

    Args:
        sizes: number of features of each field.
        counts: int ``[N]``, how often each feature occurs, in the order of the data set's ids.

    Returns:
        int64 ``[N]``.
    """
    field = np.repeat(np.arange(len(sizes)), sizes)
    return np.lexsort((-counts.astype(np.int64), field))


def tiers(counts: Ids) -> NDArray[np.uint8]:
    """Tier of each count, uint8 ``[N]``: how many of :data:`TIERS` are above it, so 0 for the most frequent."""
    return (len(TIERS) - np.digitize(counts, TIERS)).astype(np.uint8)


def groups(sizes: Sequence[int], counts: Ids) -> NDArray[np.int32]:
    """Number of features of each group, in the order of the file: a field's tiers, those without features left out."""
    return group_sizes(sizes, tiers(counts))


def group_sizes(sizes: Sequence[int], tier: NDArray[np.uint8]) -> NDArray[np.int32]:
    """As :func:`groups`, from the tiers of the features, uint8 ``[N]``, instead of their counts: int32 ``[G]``."""
    found = np.bincount(_keys(sizes, tier))
    return found[found > 0].astype(np.int32)


def by_tier(sizes: Sequence[int], tier: NDArray[np.uint8]) -> Places:
    """As :func:`order`, but in a group the smaller id comes first, so that tiers are all it takes to know it."""
    return _keys(sizes, tier).argsort(kind="stable")


def _keys(sizes: Sequence[int], tier: NDArray[np.uint8]) -> NDArray[np.int32]:
    return np.repeat(np.arange(len(sizes), dtype=np.int32) * (1 << TIER_BITS), sizes) + tier.astype(np.int32)


def digest(ordered: Ids) -> str:
    """The first :data:`ORDER_DIGITS` digits of the sha256 of an :func:`order` ``[N]``, as little-endian int64."""
    return hashlib.sha256(ordered.astype("<i8").tobytes()).hexdigest()[:ORDER_DIGITS]


def file_ids(ids: Ids, sizes: Sequence[int], counts: Ids) -> Places:
    """A data set's ids as a file of groups numbers them: ``[...]`` -> int64 ``[...]``; arguments as in :func:`order`.

    Example:
        >>> file_ids(np.array([[0, 3], [1, 4]]), [3, 2], np.array([5, 90, 7, 1, 2])).tolist()
        [[2, 4], [0, 3]]
    """
    return np.argsort(order(sizes, counts))[ids]


def centroids_option(k: int, d: int) -> int:
    """The option of K centroids in each of D subspaces."""
    return ROWS + 8 * (d.bit_length() - 1) + k.bit_length() - 1


def parameters(option: int, dim: int) -> tuple[int, int, int]:
    """Bits of a code, K and D of an option, for X dimensions; K = 1 where there are no centroids.

    Raises:
        ValueError: there is no such option for X.
    """
    if option <= ROWS:
        return (option, 1, dim) if MEAN < option < ROWS else (0, 1, 1)
    d, bits = divmod(option - ROWS - 1, 8)
    if dim % (1 << d):
        raise ValueError(f"option {option}: expected subspaces that divide {dim} dimensions, found {1 << d}")
    return bits + 1, 2 << bits, 1 << d


def numbers_of(option: int, features: int, dim: int) -> int:
    """How many numbers a group has."""
    if option == ROWS:
        return features * dim
    return 2 * dim if MEAN < option < ROWS else parameters(option, dim)[1] * dim


def code_bytes(option: int, features: int, dim: int) -> int:
    """Bytes of a group's codes."""
    bits, _, subspaces = parameters(option, dim)
    return -(-features * subspaces * bits // 8)


def layout(groups: Sequence[int], options: Sequence[int], dim: int) -> Places:
    """Where all of each group is, see :data:`FIRST`: int64 ``[G + 1, 9]``; the last row has the ends."""
    rows, first, byte, number = [], 0, 0, 0
    for features, option in zip(groups, options, strict=True):
        bits, k, d = parameters(option, dim)
        whole, integers = (dim if option == ROWS else 0), int(MEAN < option < ROWS)
        rows.append((first, 8 * byte, number, bits, k, d, dim // d, whole, integers))
        first, byte = first + features, byte + code_bytes(option, features, dim)
        number += numbers_of(option, features, dim)
    return np.array([*rows, (first, 8 * byte, number, 0, 1, 1, dim, 0, 0)], np.int64)


class Grouped:
    """A table of groups: ids -> vectors.

    Args:
        name: of the table: ``embedding`` or ``first_order``, or as plain arrays have it.
        sizes: number of features of each field.
        dim: X.
        tensors: of the file.
    """

    def __init__(self, name: str, sizes: Sequence[int], dim: int, tensors: Tensors) -> None:
        self.dim = dim
        self.numbers = tensors[f"{name}.numbers"]
        self.codes = np.append(tensors[f"{name}.codes"], np.zeros(8, np.uint8))  # up to eight bytes are read at a time
        self.ends = layout(tensors[GROUPS].tolist(), tensors[f"{name}.option"].tolist(), self.dim)
        self.layout = self.ends[:-1]
        self.offsets = np.cumsum([0, *sizes])
        #: First group of each field, then the number of all groups: int64 ``[M + 1]``.
        self.first_groups = np.searchsorted(self.ends[:, FIRST], self.offsets).astype(np.int64)

    def __call__(self, ids: Ids) -> NDArray[np.float32]:
        """Vectors of features, one column of ids a field: int64 ``[B, M]`` -> float32 ``[B, M, X]``.

        Raises:
            IndexError: an id is none of its field's.
            ValueError: ids of another type or shape.
        """
        check_ids(ids, self.offsets)
        return self.vectors(ids)

    def vectors(self, ids: Ids) -> NDArray[np.float32]:
        """Vectors of features that there are: ``[...]`` -> ``[..., X]``."""
        place, factor, step = self.places(ids)
        return self.numbers[place].astype(np.float32) + factor * self.numbers[step].astype(np.float32)

    def places(self, ids: Ids) -> tuple[Places, NDArray[np.float32], Places]:
        """What makes each entry: ``numbers[place] + factor * numbers[step]``, ``[...]`` -> ``[..., X]`` each."""
        group = np.searchsorted(self.layout[:, FIRST], ids, "right") - 1
        first, bit, number, bits, k, d, width, row, integers = np.moveaxis(self.layout[group], -1, 0)[..., None]
        x, rank = np.arange(self.dim), ids[..., None] - first
        start = bit + (rank * d + x // width) * bits
        window = self.codes[start >> 3].astype(np.int64) | self.codes[(start >> 3) + 1].astype(np.int64) << 8
        code = window >> (start & 7) & (1 << bits) - 1
        factor = code * integers
        place = number + rank * row + (x // width * k + code - factor) * width + x % width
        return place, factor.astype(np.float32), place + integers * self.dim


def check_ids(ids: Ids, offsets: Places) -> None:
    """Refuse ids that are not integers ``[B, M]``, or of which one is not among its field's.

    Raises:
        IndexError: an id is none of its field's.
        ValueError: ids of another type or shape.
    """
    fields = len(offsets) - 1
    if ids.dtype.kind not in "iu" or ids.dtype == np.uint64 or ids.ndim != 2 or ids.shape[1] != fields:
        raise ValueError(f"ids: expected integers [B, {fields}], found {ids.dtype} {list(ids.shape)}")
    for row, m in np.argwhere((ids < offsets[:-1]) | (ids >= offsets[1:]))[:1]:
        begin, end = offsets[m : m + 2]
        raise IndexError(f"ids[{row}, {m}]: expected {begin} to {end - 1}, found {ids[row, m]}")
