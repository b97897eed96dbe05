"""Plain arrays in at most so many bytes: tables that were trained anywhere.

Features of a field are grouped by how often they occur in the training data, with steps at 10, 40, 160, 640 and 2560
times (:data:`autodpq_budget.tables.TIERS`). So counts are occurrences, and no shares of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from autodpq_budget.asked import expect
from autodpq_budget.menu import bytes_of, menu
from autodpq_budget.tables import Floats, Table
from autodpq_packed.check import check_plain
from autodpq_packed.container import Tensors
from autodpq_packed.export import check_name, signed
from autodpq_packed.grouped import CHUNK, Grouped, order
from autodpq_system.atomic import atomic_path

#: Half of the largest float16, in which the range of a dimension must fit; and the least that has all digits of one.
LARGEST, LEAST = 65504 // 2, float(np.finfo(np.float16).smallest_normal)
#: Beyond this float64 no longer counts one by one.
MOST_OFTEN = 2**53
Rows = dict[str, NDArray[np.float32]]


@dataclass(frozen=True)
class Arrays:
    """Compressed plain arrays.

    Attributes:
        tensors: of :mod:`autodpq_packed.grouped`, which number features anew.
        tables: table -> field -> ``[V, X]`` as a reader gets them, in the order in which they were given.
        places: int32 ``[N]``, the number that each feature has in the tensors, field after field.
    """

    tensors: Tensors
    tables: dict[str, Rows]
    places: NDArray[np.int32]

    @property
    def rows(self) -> Rows:
        """Of the first table, which is the only one of :func:`compress_arrays`."""
        return next(iter(self.tables.values()))

    @property
    def bytes(self) -> int:
        """Of all tensors, as the budget counts them: without :attr:`places`."""
        return bytes_of(self.tensors)

    def save(self, path: Path, *, own_ids: bool = True) -> int:
        """Write a file for :class:`autodpq_packed.plain.PlainTables`, all or nothing; return all its bytes.

        Beside the tensors it has a header of about a thousand bytes and, with ``own_ids``, four bytes a feature that
        the budget does not count: the places. Who makes ids of raw values anyway can number them by place instead.

        Args:
            path: of the file (``.safetensors``).
            own_ids: whether ids will be places in the arrays that were given; else they are :attr:`places`, counted
                from the field's first.

        Raises:
            ValueError: the path has another ending, or a field's name is no text.
        """
        check_name(Path(path))
        sizes = {field: len(rows) for field, rows in self.rows.items()}
        dims = {name: next(iter(part.values())).shape[1] for name, part in self.tables.items()}
        said = json.dumps({"fields": [*sizes], "sizes": [*sizes.values()], "dims": dims})
        tensors = self.tensors | ({"places": self.places} if own_ids else {})
        check_plain(json.loads(said), tensors)
        with atomic_path(Path(path)) as target:
            target.write_bytes(signed(tensors, said))
        return Path(path).stat().st_size


def compress_arrays(
    rows: Mapping[str, ArrayLike],
    counts: Mapping[str, ArrayLike],
    budget_bytes: int,
    sensitivities: Mapping[str, ArrayLike] | None = None,
) -> Arrays:
    """Compress an embedding that was trained anywhere: :func:`compress_tables` of one table, ``embedding``.

    Args:
        rows: field -> ``[V, X]``, one X for all.
        counts: field -> ``[V]``, how often each feature occurs in the training data.
        budget_bytes: of the tensors.
        sensitivities: field -> ``[X]``.

    Raises:
        ValueError: an array that isn't as it should be, or nothing fits.
    """
    own = {"embedding": _mapping("rows", rows)}
    scales = None if sensitivities is None else {"embedding": sensitivities}
    return compress_tables(own, counts, budget_bytes, scales)


def compress_tables(
    tables: Mapping[str, Mapping[str, ArrayLike]],
    counts: Mapping[str, ArrayLike],
    budget_bytes: int,
    sensitivities: Mapping[str, Mapping[str, ArrayLike]] | None = None,
) -> Arrays:
    """Compress tables of the same features that share one budget, as an embedding and first-order weights do.

    Each table is stored in ways of its own. Do not put two side by side into one: they would share their ways, and of
    an odd X there are no subspaces, for D is a power of 2 that divides X.

    Args:
        tables: table -> field -> ``[V, X]``, each table with an X of its own: anything that NumPy takes for numbers.
            A field's largest number is 0 or from :data:`LEAST` to :data:`LARGEST`, for float16 is what is stored.
        counts: field -> ``[V]``, how often each feature occurs in the training data.
        budget_bytes: of the tensors of all tables.
        sensitivities: table -> field -> ``[X]``, mean square gradient of a sample's loss, only their ratios count;
            without, all errors count alike.

    Raises:
        ValueError: an array that isn't as it should be, or nothing fits.
    """
    known = isinstance(budget_bytes, Real) and not isinstance(budget_bytes, bool)
    expect(known, "budget_bytes", "a number", repr(budget_bytes))
    made = {name: _rows(name, part) for name, part in _mapping("tables", tables).items()}
    sizes = {field: len(array) for field, array in next(iter(made.values())).items()}
    for name, part in made.items():
        found = {field: len(array) for field, array in part.items()}
        expect(list(found.items()) == list(sizes.items()), name, f"rows of each field: {sizes}", found)
    often = np.concatenate([_counts(field, _mapping("counts", counts), size) for field, size in sizes.items()])
    scales = _scales(made, sensitivities)
    offered = menu(
        {name: Table(np.concatenate([*part.values()]), scales[name]) for name, part in made.items()},
        [*sizes.values()],
        often,
    )
    return _restored(offered.tensors(offered.choose(budget_bytes)), made, order([*sizes.values()], often))


def _restored(tensors: Tensors, made: Mapping[str, Rows], ordered: NDArray[np.int64]) -> Arrays:
    """What a reader gets of the tensors: features of the file have the ids ``ordered`` ``[N]``."""
    ends, tables = np.cumsum([len(rows) for rows in next(iter(made.values())).values()]), {}
    for name, part in made.items():
        dim = next(iter(part.values())).shape[1]
        every = _vectors(Grouped.alone(name, np.diff(ends, prepend=0).tolist(), dim, tensors), ordered)
        tables[name] = dict(zip(part, np.split(every, ends[:-1]), strict=True))
    return Arrays(tensors, tables, ordered.argsort().astype(np.int32))


def _vectors(table: Grouped, ordered: NDArray[np.int64]) -> NDArray[np.float32]:
    """Vectors in the order of the ids, some at a time: ``[N, X]``."""
    found = np.empty((len(ordered), table.dim), np.float32)
    for start in range(0, len(ordered), CHUNK):
        ids = ordered[start : start + CHUNK]
        found[ids] = table.vectors(np.arange(start, start + len(ids)))
    return found


def _rows(table: str, rows: Any) -> Rows:
    """Of a table, each field's rows in float32."""
    made = {field: _numbers(f"rows of {field} in {table}", array) for field, array in _mapping(table, rows).items()}
    dim = next((array.shape[-1] for array in made.values() if array.ndim), 0)
    for field, array in made.items():
        what = f"rows of {field} in {table}"
        expect(array.ndim == 2 and array.shape[1] == dim > 0 and len(array) > 0, what, f"[V, {dim}]", array.shape)
        largest = max(float(array.max()), -float(array.min()))
        expect(largest <= LARGEST, what, f"numbers of at most {LARGEST}", largest)
        expect(
            largest == 0 or largest >= LEAST,
            *(what, f"a largest number of {LEAST:g} or more, for float16 has no digits below; multiply them", largest),
        )
    return {field: array.astype(np.float32, copy=False) for field, array in made.items()}


def _counts(field: str, counts: Mapping[str, Any], size: int) -> NDArray[np.int64]:
    what = f"counts of {field}"
    often = _numbers(what, counts.get(field, np.zeros(0)))
    expect(often.shape == (size,), what, f"[{size}]", often.shape)
    expect(bool((often >= 0).all()), what, "none below 0", often.min())
    expect(bool(np.isfinite(often).all()), what, "finite numbers", often.max())
    expect(bool((often <= MOST_OFTEN).all()), what, f"at most {MOST_OFTEN}", often.max())
    broken = often[often != np.floor(often)][:1]
    said = "whole numbers, how often each feature occurs in the training data"
    expect(not len(broken), what, said, *broken.tolist() or [0])
    return often.astype(np.int64)


def _scales(made: Mapping[str, Rows], given: Mapping[str, Mapping[str, ArrayLike]] | None) -> dict[str, Floats]:
    """Sensitivities of each table ``[M, X]``, over a power of 4, so that no square of float32 is lost."""
    if given is None:
        return {name: np.ones((len(p), next(iter(p.values())).shape[1]), np.float32) for name, p in made.items()}
    found = {name: _sensitivities(name, part, _mapping("sensitivities", given)) for name, part in made.items()}
    largest = max(array.max() for array in found.values()) or 1.0
    unit = 4.0 ** np.floor(np.log2(largest) / 2)
    return {name: (array / unit).astype(np.float32) for name, array in found.items()}


def _sensitivities(table: str, rows: Rows, given: Mapping[str, Any]) -> Floats:
    made = []
    for field, array in rows.items():
        what, dim = f"sensitivities of {field} in {table}", array.shape[1]
        found = _numbers(what, _mapping("sensitivities", given.get(table)).get(field, np.zeros(0)))
        holds = found.shape == (dim,) and bool((found >= 0).all()) and bool(np.isfinite(found).all())
        expect(holds, what, f"[{dim}], finite and none below 0", found)
        made.append(found.astype(np.float64))
    return np.stack(made)


def _mapping(what: str, given: Any) -> Mapping[str, Any]:
    expect(isinstance(given, Mapping), what, "a mapping by name", type(given).__name__)
    expect(bool(given), what, "a field or more", "none")
    return given


def _numbers(what: str, given: Any) -> NDArray[Any]:
    """As an array of numbers."""
    try:
        array = np.asarray(given)
    except (TypeError, ValueError, RuntimeError) as error:  # a ragged list; a tensor on a GPU, or one that is trained
        raise ValueError(f"{what}: expected an array of numbers, found {type(given).__name__}: {error}") from error
    found = array.dtype if isinstance(given, np.ndarray | Sequence) else type(given).__name__
    expect(array.dtype.kind in "fiu", what, "an array of numbers", found)
    return array
