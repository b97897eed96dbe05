"""Plain arrays in at most so many bytes: an embedding that was trained anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from autodpq_budget.asked import expect
from autodpq_budget.menu import bytes_of, menu
from autodpq_budget.tables import Floats, Integers, Table
from autodpq_packed.container import Tensors
from autodpq_packed.grouped import Grouped, order

#: Half of the largest float16, in which the range of a dimension must fit.
LARGEST = 65504 // 2


@dataclass(frozen=True)
class Arrays:
    """Compressed plain arrays.

    Attributes:
        tensors: of :mod:`autodpq_packed.grouped`, all that a reader needs.
        rows: field -> ``[V, X]`` as a reader gets them, in the order in which they were given.
    """

    tensors: Tensors
    rows: dict[str, NDArray[np.float32]]

    @property
    def bytes(self) -> int:
        """Of all tensors."""
        return bytes_of(self.tensors)


def compress_arrays(
    rows: Mapping[str, Floats],
    counts: Mapping[str, Integers],
    budget_bytes: int,
    sensitivities: Mapping[str, Floats] | None = None,
) -> Arrays:
    """Compress an embedding that was trained anywhere, of the X that it has: without its model nothing can be taught.

    Args:
        rows: field -> ``[V, X]``, one X for all.
        counts: field -> ``[V]``, how often each feature occurs.
        budget_bytes: of all that a reader needs.
        sensitivities: field -> ``[X]``, mean square gradient of a sample's loss; without, all errors count alike.

    Raises:
        ValueError: an array that isn't as it should be, or nothing fits.
    """
    _check(rows, counts, sensitivities)
    sizes = [len(array) for array in rows.values()]
    every, often = (np.concatenate([part[field] for field in rows]) for part in (rows, counts))
    scale = np.stack([np.ones(every.shape[1]) if sensitivities is None else sensitivities[field] for field in rows])
    offered = menu({"embedding": Table(every.astype(np.float32), scale.astype(np.float32))}, sizes, often)
    tensors = offered.tensors(offered.choose(budget_bytes))
    table = Grouped("embedding", {"sizes": sizes, "config": {"embedding_dim": every.shape[1]}}, tensors)
    restored = np.empty_like(every, np.float32)
    restored[order(sizes, often)] = table.vectors(np.arange(len(every)))
    return Arrays(tensors, dict(zip(rows, np.split(restored, np.cumsum(sizes)[:-1]), strict=True)))


def _check(rows: Mapping[str, Floats], counts: Mapping[str, Integers], scale: Mapping[str, Floats] | None) -> None:
    """Whether each field has its rows, as many counts, and as many sensitivities as dimensions."""
    for what, part in (("", rows), ("counts of ", counts), ("sensitivities of ", scale or {})):
        for field, array in part.items():
            kind = str(array.dtype) if isinstance(array, np.ndarray) else type(array).__name__
            known = isinstance(array, np.ndarray) and array.dtype.kind in "fiu"
            expect(known, f"{what}{field}", "an array of numbers", kind)
    dim = next((array.shape[-1] for array in rows.values() if array.ndim), 0)
    for field, array in rows.items():
        expect(array.ndim == 2 and array.shape[1] == dim > 0 and len(array) > 0, f"{field}", f"[V, {dim}]", array.shape)
        largest = float(np.abs(array).max())
        expect(largest <= LARGEST, f"{field}", f"numbers of at most {LARGEST}", largest)
        often = counts.get(field, np.zeros(0))
        expect(often.shape == (len(array),), f"counts of {field}", f"[{len(array)}]", often.shape)
        expect(bool((often >= 0).all()), f"counts of {field}", "none below 0", often.min(initial=0))
        expect(bool(np.isfinite(often).all()), f"counts of {field}", "finite numbers", often.max(initial=0))
        if scale is not None:
            found = scale.get(field, np.zeros(0))
            holds = found.shape == (dim,) and bool((found >= 0).all()) and bool(np.isfinite(found).all())
            expect(holds, f"sensitivities of {field}", f"[{dim}], finite and none below 0", found)
    expect(bool(rows), "rows", "a field or more", "none")
