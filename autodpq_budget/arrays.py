"""Plain arrays in a file of at most so many bytes: tables that were trained anywhere.

Features of a field are grouped by how often they occur in the training data, with steps at 10, 40, 160, 640 and 2560
times (:data:`autodpq_packed.grouped.TIERS`). So counts are occurrences, and no shares of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from autodpq_budget.check_arguments import check_bytes, expect
from autodpq_budget.check_arrays import Rows, counts_of, dims_of, mapping, scales_of, sizes_of, tables_of
from autodpq_budget.menu import all_means, bytes_of, menu
from autodpq_budget.tables import Table
from autodpq_packed.bits import pack
from autodpq_packed.check import PLAIN_TIERS, check_plain
from autodpq_packed.container import Tensors
from autodpq_packed.export import check_path, signed
from autodpq_packed.grouped import CHUNK, GROUPS, TIER_BITS, Grouped, by_tier, groups, tiers
from autodpq_system.atomic import atomic_path


@dataclass(frozen=True)
class Arrays:
    """Compressed plain arrays.

    Attributes:
        tensors: of :mod:`autodpq_packed.grouped`, which number features anew.
        tables: table -> field -> float32 ``[V, X]``, as a reader decodes them, in the order in which they were given.
        tiers: uint8 ``[N]``, each feature's tier of :func:`~autodpq_packed.grouped.tiers`, in that order, too.
    """

    tensors: Tensors
    tables: dict[str, Rows]
    tiers: NDArray[np.uint8]

    @property
    def rows(self) -> Rows:
        """Field -> float32 ``[V, X]`` of the first table; :func:`compress_arrays` makes no other."""
        return next(iter(self.tables.values()))

    @property
    def table_bytes(self) -> int:
        """Bytes of :attr:`tensors`, which is what counts where methods are compared: no header, no :attr:`tiers`."""
        return bytes_of(self.tensors)

    @property
    def file_bytes(self) -> int:
        """Bytes of the file that :meth:`save` writes."""
        return len(self._content())

    def save(self, path: Path) -> int:
        """Write a file for :class:`autodpq_packed.plain.PlainTables`, all or nothing; return its bytes.

        Args:
            path: of the file (``.safetensors``).

        Raises:
            ValueError: the path has another ending, or there are more fields than a header can name.
        """
        check_path(Path(path))
        content = self._content()
        with atomic_path(Path(path)) as target:
            target.write_bytes(content)
        return len(content)

    def _content(self) -> bytes:
        return _file(self.tensors, sizes_of(self.tables), dims_of(self.tables), self.tiers)


def _file(tensors: Tensors, sizes: Mapping[str, int], dims: Mapping[str, int], tier: NDArray[np.uint8]) -> bytes:
    """A file of tables: features of each field, X of each table, tiers ``[N]``."""
    said = json.dumps({"fields": [*sizes], "sizes": [*sizes.values()], "dims": dims})
    whole = tensors | {PLAIN_TIERS: pack(tier, TIER_BITS)}
    check_plain(json.loads(said), whole)
    return signed(whole, said)


def compress_arrays(
    rows: Mapping[str, ArrayLike],
    counts: Mapping[str, ArrayLike],
    budget_bytes: int,
    sensitivities: Mapping[str, ArrayLike] | None = None,
    *,
    whole_file: bool = True,
) -> Arrays:
    """Compress an embedding that was trained anywhere: :func:`compress_tables` of one table, ``embedding``.

    Args:
        rows: field -> ``[V, X]``, one X for all.
        counts: field -> ``[V]``, how often each feature occurs in the training data. A feature of count 0 has an error
            that costs nothing: it gets what is left over. Give 1 to those that will be asked for all the same.
        budget_bytes: of the whole file; some may be left over, and no more than float16 rows take is ever used.
        sensitivities: field -> ``[X]``.
        whole_file: as in :func:`compress_tables`.

    Raises:
        ValueError: an array that isn't as it should be, or nothing fits.
    """
    own = {"embedding": mapping("rows", rows)}
    scales = None if sensitivities is None else {"embedding": sensitivities}
    return compress_tables(own, counts, budget_bytes, scales, whole_file=whole_file)


def compress_tables(
    tables: Mapping[str, Mapping[str, ArrayLike]],
    counts: Mapping[str, ArrayLike],
    budget_bytes: int,
    sensitivities: Mapping[str, Mapping[str, ArrayLike]] | None = None,
    *,
    whole_file: bool = True,
) -> Arrays:
    """Compress tables of the same features that share one budget, as an embedding and first-order weights do.

    How a group is stored is chosen for each table by itself. Do not concatenate two tables into one: they would share
    that choice, and an odd X allows no subspaces but D = 1, for D is a power of 2 that divides X.

    Args:
        tables: table -> field -> ``[V, X]``, each table with an X of its own: anything that NumPy takes for numbers.
            The largest magnitude in a field must be 0 or suit float16, in which numbers are stored: from
            :data:`~autodpq_budget.check_arrays.LEAST` to :data:`~autodpq_budget.check_arrays.LARGEST`.
        counts: field -> ``[V]``, how often each feature occurs in the training data; 0 as in :func:`compress_arrays`.
        budget_bytes: of the whole file.
        sensitivities: table -> field -> ``[X]``, the mean over samples of the squared gradient of the sample's own loss
            with respect to the vector; only ratios count. Without them all errors count alike.
        whole_file: if false, the budget is that of the tables alone, as wherever methods are compared: it leaves out
            the header, and the three bits a feature that map one's own ids to the file's.

    Raises:
        ValueError: an array that isn't as it should be, or nothing fits.
    """
    budget_bytes = check_bytes(budget_bytes)
    made = tables_of(tables)
    sizes, dims, scales = sizes_of(made), dims_of(made), scales_of(made, sensitivities)
    often, lengths = counts_of(counts, sizes), [*sizes.values()]
    tier = tiers(often)

    def cost(tensors: Tensors) -> int:
        return len(_file(tensors, sizes, dims, tier)) if whole_file else bytes_of(tensors)

    least = cost(_means(groups(lengths, often), dims))
    expect(budget_bytes >= least, "budget_bytes", f"at least {least}", budget_bytes)
    rows = {name: Table(np.concatenate([*part.values()]), scales[name]) for name, part in made.items()}
    offered = menu(rows, lengths, often, by_tier(lengths, tier))
    return _restored(offered.within(budget_bytes, budget_bytes, cost), made, tier)


def _means(lengths: NDArray[np.int32], dims: Mapping[str, int]) -> Tensors:
    """All tables in the fewest bytes."""
    every = {name: all_means(len(lengths), dim) for name, dim in dims.items()}
    return {GROUPS: lengths} | {f"{name}.{key}": array for name, part in every.items() for key, array in part.items()}


def _restored(tensors: Tensors, made: Mapping[str, Rows], tier: NDArray[np.uint8]) -> Arrays:
    """What a reader gets of the tensors."""
    sizes = [*sizes_of(made).values()]
    ordered, tables = by_tier(sizes, tier), {}
    for name, dim in dims_of(made).items():
        every = _vectors(Grouped(name, sizes, dim, tensors), ordered)
        tables[name] = dict(zip(made[name], np.split(every, np.cumsum(sizes)[:-1]), strict=True))
    return Arrays(tensors, tables, tier)


def _vectors(table: Grouped, ordered: NDArray[np.int64]) -> NDArray[np.float32]:
    """Vectors in the order of the ids, some at a time: ``[N, X]``."""
    found = np.empty((len(ordered), table.dim), np.float32)
    for start in range(0, len(ordered), CHUNK):
        ids = ordered[start : start + CHUNK]
        found[ids] = table.vectors(np.arange(start, start + len(ids)))
    return found
