"""The options by which each method meets a budget."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice, product
from math import isqrt

from autodpq_data.schema import Schema
from autodpq_rivals.rival import Options

#: Whether a method's tables with these options fit the budget.
Fits = Callable[[Options], bool]
#: Bound of the hidden width of DHE.
WIDEST = 2048


def _grid(*options: Options) -> Callable[[Schema, Fits], Iterator[Options]]:
    """A method that has these options to choose from."""
    return lambda _, fits: filter(fits, options)


def _threshold(schema: Schema, fits: Fits) -> Iterator[Options]:
    """Merging: the lowest threshold that fits."""
    every = (schema.counts.unique() + 1).tolist()
    first = bisect_left(every, True, key=lambda threshold: fits({"threshold": threshold}))
    yield from ({"threshold": threshold} for threshold in every[first : first + 1])


def _rows(schema: Schema, fits: Fits) -> Iterator[Options]:
    """Double hash: as many rows as fit, a share of them for frequent features alone."""
    for share in (0.25, 0.5, 0.75):
        yield from _largest(partial(_split, share), schema.num_features, fits)


def _split(share: float, rows: int) -> Options:
    kept = min(round(share * rows), rows - 1)
    return {"kept": kept, "shared": rows - kept}


def _collisions(schema: Schema, fits: Fits) -> Iterator[Options]:
    """QR: as few collisions as fit."""
    options = ({"collisions": m} for m in range(1, isqrt(schema.num_features) + 1))
    yield from islice(filter(fits, options), 1)


def _net(_: Schema, fits: Fits) -> Iterator[Options]:
    """DHE: as wide as fits, with few hashes and with many."""
    for hashes in (32, 128, 1024):
        yield from _largest(partial(_of_width, hashes), WIDEST, fits)


def _of_width(hashes: int, width: int) -> Options:
    return {"hashes": hashes, "width": width}


def _largest(options: Callable[[int], Options], limit: int, fits: Fits) -> Iterator[Options]:
    """The options that the largest number from 1 to ``limit`` gives that fit, if any do."""
    number = bisect_left(range(1, limit + 1), True, key=lambda n: not fits(options(n)))
    if number:
        yield options(number)


_BITS = _grid(*({"bits": b} for b in range(8, 0, -1)))
_PARTS = (8, 4, 2, 1)
_TIED = [(d, tied) for d in _PARTS for tied in (True, False) if d > 1 or not tied]  # one part has nothing to share
_CODES = tuple(product((256, 64, 16, 8, 4, 2), _TIED, (False, True)))
# DPQ-VQ and MGQE go without their norm: on the seed of choice it lost in nearly all pairs of settings.

#: Method -> what gives its options that fit, from a schema and :data:`Fits`; narrow FE varies only its width.
KNOBS: dict[str, Callable[[Schema, Fits], Iterator[Options]]] = {
    "narrow": _grid({}),
    "merge": _threshold,
    "int-b": _BITS,
    "lsq": _BITS,
    "double-hash": _rows,
    "dhe": _net,
    "dpq-vq": _grid(
        *({"centroids": k, "subspaces": d, "shared": s, "tied": t, "normed": False} for k, (d, t), s in _CODES)
    ),
    "mgqe": _grid(*({"centroids": k, "subspaces": d, "normed": False} for k, d in product((256, 64, 16), _PARTS))),
    "mpe": _grid(*({"price": 10.0**power} for power in range(-6, -1))),
    "qr": _collisions,
}
