"""The ways in which a group of features can be stored, and what each loses.

The distortion of a way is ``sum_i count_i |(e_i - e'_i) * s|^2``, with e' what a reader of the file gets and s the root
of the mean square gradient of the loss. Where the model is near an optimum, its loss grows by about half of that, for
the mean square of the gradient stands for the curvature (the empirical Fisher information).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from warnings import catch_warnings, simplefilter

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from autodpq_budget.tables import Floats, Group, Integers
from autodpq_packed.bits import pack
from autodpq_packed.grouped import GROUPS, MEAN, ROWS, Grouped, centroids_option, code_bytes, numbers_of, parameters
from autodpq_rivals.int_b import SPANS

#: Bits of K, the most centroids of a subspace.
MOST_BITS = 8
#: Most features that centroids are made from, and most rounds of k-means.
MOST_POINTS, ROUNDS = 20_000, 20
#: Fewest dimensions of a subspace, but for a table that has fewer: one by one, integers do as well.
NARROWEST = 2


@dataclass(frozen=True)
class Stored:
    """A group, stored in one way.

    Attributes:
        option: of :mod:`autodpq_packed.grouped`.
        codes: uint8, packed.
        numbers: float16.
    """

    option: int
    codes: NDArray[np.uint8]
    numbers: NDArray[np.float16]

    @property
    def bytes(self) -> int:
        """Of codes and numbers."""
        return self.codes.nbytes + self.numbers.nbytes

    @property
    def whole(self) -> Stored:
        """Itself."""
        return self


@dataclass(frozen=True)
class Later:
    """A group that is so large that it is only stored in the way that is chosen.

    Attributes:
        group: all of it.
        option: as of :class:`Stored`.
    """

    group: Group
    option: int

    @property
    def bytes(self) -> int:
        """Of codes and numbers."""
        return size(self.option, *self.group.rows.shape)

    @cached_property
    def whole(self) -> Stored:
        """The group, stored: once, for several budgets may choose it."""
        return encode(self.group, self.option)


def options(features: int, dim: int) -> Iterator[int]:
    """The options of a group of n features: those that are smaller than its rows, and the rows themselves."""
    subspaces = [
        d for d in (1 << n for n in range(dim.bit_length())) if dim % d == 0 and d * min(NARROWEST, dim) <= dim
    ]
    found = [MEAN, *range(1, 9), *(centroids_option(2 << b, d) for d in subspaces for b in range(MOST_BITS))]
    limit = size(ROWS, features, dim)
    yield from (option for option in found if size(option, features, dim) < limit)
    yield ROWS


def size(option: int, features: int, dim: int) -> int:
    """Bytes of a group of n features in X dimensions: its codes, packed, and two for each of its numbers."""
    return code_bytes(option, features, dim) + 2 * numbers_of(option, features, dim)


def store(group: Group, option: int) -> tuple[Stored, float]:
    """A group in one way, and what it loses."""
    with _threads().limit(limits=1):
        stored = _encode(group, option)
        return stored, distortion(group, restored(stored, *group.rows.shape))


def encode(group: Group, option: int) -> Stored:
    """A group in one way, on one thread: on busy cores more slow small groups down, and sums have other last bits."""
    with _threads().limit(limits=1):
        return _encode(group, option)


@cache
def _threads() -> ThreadpoolController:
    """Of the libraries that are loaded; to look for them each time would take as long as k-means of a small group."""
    import sklearn.cluster  # noqa: F401, PLC0415 - it has threads of its own, which are looked for now or never

    return ThreadpoolController()


def _encode(group: Group, option: int) -> Stored:
    bits, k, d = parameters(option, group.rows.shape[1])
    codes: Integers = np.zeros(0, np.uint8)
    numbers: Floats = group.rows
    if k > 1:
        codes, numbers = _centroids(group, k, d)
    elif bits:
        codes, numbers = _integers(group, bits)
    elif option == MEAN:
        numbers = np.average(group.rows, axis=0, weights=group.counts)
    return Stored(option, pack(codes.ravel(), bits), numbers.astype(np.float16).ravel())


def restored(stored: Stored, features: int, dim: int) -> NDArray[np.float32]:
    """What a reader of the file gets: ``[n, X]``."""
    own = {"own.option": np.array([stored.option]), "own.codes": stored.codes, "own.numbers": stored.numbers}
    table = Grouped("own", [features], dim, own | {GROUPS: np.array([features])})
    return table.vectors(np.arange(features))


def distortion(group: Group, rows: Floats) -> float:
    """``sum_i count_i |(e_i - e'_i) * s|^2``: e' ``[n, X]``."""
    return float(group.counts @ np.square((group.rows - rows) * group.scale).sum(1, dtype=np.float64))


def _centroids(group: Group, k: int, d: int) -> tuple[Integers, Floats]:
    """Codes ``[n, D]`` and centroids ``[D, K, X/D]`` by k-means where errors count alike, of the counts as weights."""
    made = [_kmeans(part, group.counts, k) for part in np.split(group.rows * group.scale, d, axis=1)]
    centroids = np.stack([centres for _, centres in made]) / group.scale.reshape(d, 1, -1)
    return np.stack([labels for labels, _ in made], axis=1), centroids


def _kmeans(points: Floats, weights: Floats, k: int) -> tuple[Integers, Floats]:
    from sklearn.cluster import KMeans  # noqa: PLC0415 - as in autodpq_lib/training/metrics.py
    from sklearn.exceptions import ConvergenceWarning  # noqa: PLC0415

    some = np.random.default_rng(0).permutation(len(points))[:MOST_POINTS]
    found = KMeans(k, n_init=1, max_iter=ROUNDS, random_state=0)
    with catch_warnings():  # rows that are repeated leave centroids over, and the choice sees what that is worth
        simplefilter("ignore", ConvergenceWarning)
        found.fit(points[some], sample_weight=weights[some])
    labels, centres = found.predict(points), found.cluster_centers_
    unused = np.setdiff1d(np.arange(k), labels)
    centres[unused] = centres[labels[0]]  # where rows are repeated it can be any number, beyond what a file holds
    return labels, centres


def _integers(group: Group, bits: int) -> tuple[Integers, Floats]:
    """Codes ``[n, X]``, low and step ``[2, X]``: of each dimension the share of its range with the least error.

    As the rival int-b does it field by field, so that groups are all that the two differ in; but int-b's step is never
    below 6.1e-5, the least normal float16.
    """
    ranges = [_low_and_step(*group.range, bits, share) for share in SPANS]
    errors = np.stack([group.counts @ np.square(_errors(group.rows, bits, *each)) for each in ranges])
    best = errors.argmin(0)  # [X]
    low, step = np.array(ranges).transpose(2, 0, 1)[np.arange(len(best)), best].T
    return _codes(group.rows, bits, low, step), np.stack([low, step])


def _low_and_step(low: Floats, high: Floats, bits: int, share: float) -> tuple[Floats, Floats]:
    """Low and step as the file has them; 2^b values cover a share of each dimension's range."""
    return _half(low + (high - low) * (1 - share) / 2), _half((high - low) * share / (2**bits - 1))


def _codes(rows: Floats, bits: int, low: Floats, step: Floats) -> NDArray[np.uint8]:
    return np.rint((rows - low) / np.where(step > 0, step, 1)).clip(0, 2**bits - 1).astype(np.uint8)


def _errors(rows: Floats, bits: int, low: Floats, step: Floats) -> Floats:
    """What becomes of the rows, less the rows."""
    return low + _codes(rows, bits, low, step) * step - rows


def _half(numbers: Floats) -> NDArray[np.float32]:
    return numbers.astype(np.float16).astype(np.float32)
