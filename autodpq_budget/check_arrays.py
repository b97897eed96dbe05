"""Plain arrays as they are given to the compressor: each is checked, and refused in a sentence.

All raise ValueError for what isn't as it should be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from autodpq_budget.check_arguments import expect
from autodpq_budget.tables import Floats

#: Half of the largest float16, in which the range of a dimension must fit; and the least that has all digits of one.
LARGEST, LEAST = 65504 // 2, float(np.finfo(np.float16).smallest_normal)
#: Beyond this float64 no longer counts one by one.
MOST_OFTEN = 2**53
Rows = dict[str, NDArray[np.float32]]


def tables_of(given: Any) -> dict[str, Rows]:
    """Of each table its fields' rows; all tables have the same features."""
    made = {name: _rows(name, part) for name, part in mapping("tables", given, "table").items()}
    sizes = sizes_of(made)
    for name, part in made.items():
        found = {field: len(array) for field, array in part.items()}
        expect([*found.items()] == [*sizes.items()], name, f"rows of each field, in this order: {sizes}", found)
    return made


def sizes_of(tables: Mapping[str, Rows]) -> dict[str, int]:
    """How many features each field has, by the first table."""
    return {field: len(array) for field, array in next(iter(tables.values())).items()}


def dims_of(tables: Mapping[str, Rows]) -> dict[str, int]:
    """X of each table."""
    return {name: next(iter(part.values())).shape[1] for name, part in tables.items()}


def _rows(table: str, rows: Any) -> Rows:
    """Of a table, each field's rows in float32."""
    made = {field: _numbers(f"rows of {field} in {table}", array) for field, array in mapping(table, rows).items()}
    dim = next((array.shape[1] for array in made.values() if array.ndim == 2), "X")
    for field, array in made.items():
        what = f"rows of {field} in {table}"
        expect(array.ndim == 2 and array.shape[1] == dim, what, f"[V, {dim}]", array.shape)
        expect(array.size > 0, what, "[V, X] with a feature and a dimension or more", array.shape)
        largest = max(float(array.max()), -float(array.min()))
        expect(largest <= LARGEST, what, f"numbers of at most {LARGEST}", largest)
        expect(
            largest == 0 or largest >= LEAST,
            *(what, f"a largest number of {LEAST:g} or more, for float16 has no digits below; multiply them", largest),
        )
    return {field: array.astype(np.float32, copy=False) for field, array in made.items()}


def counts_of(given: Any, sizes: Mapping[str, int]) -> NDArray[np.int64]:
    """How often each feature occurs, field by field, of fields with so many: ``[N]``."""
    known = only("counts", mapping("counts", given), sizes)
    return np.concatenate([_counts(field, known, size) for field, size in sizes.items()])


def _counts(field: str, counts: Mapping[str, Any], size: int) -> NDArray[np.int64]:
    what = f"counts of {field}"
    expect(field in counts, what, f"[{size}]", "none")
    often = _numbers(what, counts[field])
    expect(often.shape == (size,), what, f"[{size}]", often.shape)
    rules = {
        "finite numbers": np.isfinite(often),
        "none below 0": often >= 0,
        f"at most {MOST_OFTEN}": often <= MOST_OFTEN,
        "whole numbers, how often each feature occurs in the training data": often == np.floor(often),
    }
    for said, holds in rules.items():
        for wrong in often[~holds][:1]:
            expect(False, what, said, wrong)
    return often.astype(np.int64)


def scales_of(made: Mapping[str, Rows], given: Mapping[str, Mapping[str, ArrayLike]] | None) -> dict[str, Floats]:
    """Sensitivities of each table ``[M, X]``, over a power of 4, so that no square of float32 is lost."""
    if given is None:
        return {name: np.ones((len(made[name]), dim), np.float32) for name, dim in dims_of(made).items()}
    known = only("sensitivities", mapping("sensitivities", given, "table"), made)
    found = {name: _sensitivities(name, part, known) for name, part in made.items()}
    largest = max(array.max() for array in found.values()) or 1.0
    unit = 4.0 ** np.floor(np.log2(largest) / 2)
    return {name: (array / unit).astype(np.float32) for name, array in found.items()}


def _sensitivities(table: str, rows: Rows, given: Mapping[str, Any]) -> Floats:
    made = []
    named = f"sensitivities of {table}"
    own = only(named, mapping(named, given.get(table)), rows)
    for field, array in rows.items():
        what, dim = f"sensitivities of {field} in {table}", array.shape[1]
        expect(field in own, what, f"[{dim}]", "none")
        found = _numbers(what, own[field])
        expect(found.shape == (dim,), what, f"[{dim}]", found.shape)
        wrong = found[~((found >= 0) & np.isfinite(found))]
        expect(not len(wrong), what, "finite numbers, none below 0", wrong[:1])
        made.append(found.astype(np.float64))
    return np.stack(made)


def mapping(what: str, given: Any, of: str = "field") -> Mapping[str, Any]:
    """What is given by name, which is a text; there must be something."""
    expect(isinstance(given, Mapping), what, "a mapping by name", type(given).__name__)
    expect(bool(given), what, f"a {of} or more", "none")
    other = [repr(name) for name in given if not isinstance(name, str)]
    expect(not other, what, "names that are texts", ", ".join(other[:3]))
    return given


def only(what: str, given: Mapping[str, Any], known: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is given, if all its names are known."""
    more = [str(name) for name in given if name not in known]
    expect(not more, what, f"some of {', '.join(map(str, known))}", f"{', '.join(more[:3])}, too")
    return given


def _numbers(what: str, given: Any) -> NDArray[Any]:
    """As an array of numbers."""
    expect(not isinstance(given, np.ma.MaskedArray), what, "an array without a mask", "a masked one")
    try:
        array = np.asarray(given)
    except (TypeError, ValueError, RuntimeError) as error:  # a ragged list; a tensor on a GPU, or one that is trained
        raise ValueError(f"{what}: expected an array of numbers, found {type(given).__name__}: {error}") from error
    found = array.dtype if isinstance(given, np.ndarray | Sequence) else type(given).__name__
    expect(array.dtype.kind in "fiu", what, "an array of numbers", found)
    return array
