"""Plain arrays in at most so many bytes: tables that were trained anywhere.

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
from autodpq_budget.check_arrays import Rows, counts_of, mapping, only, rows_of, scales_of
from autodpq_budget.menu import bytes_of, means_bytes, menu
from autodpq_budget.tables import Table
from autodpq_packed.check import check_plain
from autodpq_packed.container import Tensors
from autodpq_packed.export import check_path, signed
from autodpq_packed.grouped import CHUNK, Grouped, groups, order
from autodpq_system.atomic import atomic_path


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

        :meth:`file_bytes` says how many before. Beside the tensors it has what the budget does not count: a header, and
        with ``own_ids`` four bytes a feature, the places. Who makes ids of raw values anyway can number them by place
        instead.

        Args:
            path: of the file (``.safetensors``).
            own_ids: whether ids will be places in the arrays that were given; else they are :attr:`places`, counted
                from the field's first.

        Raises:
            ValueError: the path has another ending, or there are more fields than a header can name.
        """
        check_path(Path(path))
        content = _content(self, own_ids=own_ids)
        with atomic_path(Path(path)) as target:
            target.write_bytes(content)
        return len(content)

    def file_bytes(self, *, own_ids: bool = True) -> int:
        """All bytes of the file that :meth:`save` would write: tensors, header and, with ``own_ids``, places."""
        return len(_content(self, own_ids=own_ids))


def _content(made: Arrays, *, own_ids: bool) -> bytes:
    """Of a file."""
    sizes = {field: len(rows) for field, rows in made.rows.items()}
    dims = {name: next(iter(part.values())).shape[1] for name, part in made.tables.items()}
    said = json.dumps({"fields": [*sizes], "sizes": [*sizes.values()], "dims": dims})
    tensors = made.tensors | ({"places": made.places} if own_ids else {})
    check_plain(json.loads(said), tensors)
    return signed(tensors, said)


def compress_arrays(
    rows: Mapping[str, ArrayLike],
    counts: Mapping[str, ArrayLike],
    budget_bytes: int,
    sensitivities: Mapping[str, ArrayLike] | None = None,
) -> Arrays:
    """Compress an embedding that was trained anywhere: :func:`compress_tables` of one table, ``embedding``.

    Args:
        rows: field -> ``[V, X]``, one X for all.
        counts: field -> ``[V]``, how often each feature occurs in the training data. A feature of count 0 has an error
            that costs nothing: it gets what is left over. Give 1 to those that will be asked for all the same.
        budget_bytes: of the tensors; some may be left over, and no more than float16 rows take is ever used.
        sensitivities: field -> ``[X]``.

    Raises:
        ValueError: an array that isn't as it should be, or nothing fits.
    """
    own = {"embedding": mapping("rows", rows)}
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
            A field's largest number is 0 or in the range of float16, in which it is stored: from
            :data:`~autodpq_budget.check_arrays.LEAST` to :data:`~autodpq_budget.check_arrays.LARGEST`.
        counts: field -> ``[V]``, how often each feature occurs in the training data; 0 as in :func:`compress_arrays`.
        budget_bytes: of the tensors of all tables.
        sensitivities: table -> field -> ``[X]``, mean square gradient of a sample's loss, only their ratios count;
            without, all errors count alike.

    Raises:
        ValueError: an array that isn't as it should be, or nothing fits.
    """
    check_bytes(budget_bytes)
    made = {name: rows_of(name, part) for name, part in mapping("tables", tables).items()}
    sizes = {field: len(array) for field, array in next(iter(made.values())).items()}
    for name, part in made.items():
        found = {field: len(array) for field, array in part.items()}
        expect(list(found.items()) == list(sizes.items()), name, f"rows of each field, in this order: {sizes}", found)
    known = only("counts", mapping("counts", counts), sizes)
    often = np.concatenate([counts_of(field, known, size) for field, size in sizes.items()])
    scales = scales_of(made, sensitivities)
    least = means_bytes(len(groups([*sizes.values()], often)), [scale.shape[1] for scale in scales.values()])
    expect(budget_bytes >= least, "budget_bytes", f"at least {least}", budget_bytes)
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
        every = _vectors(Grouped(name, np.diff(ends, prepend=0).tolist(), dim, tensors), ordered)
        tables[name] = dict(zip(part, np.split(every, ends[:-1]), strict=True))
    return Arrays(tensors, tables, ordered.argsort().astype(np.int32))


def _vectors(table: Grouped, ordered: NDArray[np.int64]) -> NDArray[np.float32]:
    """Vectors in the order of the ids, some at a time: ``[N, X]``."""
    found = np.empty((len(ordered), table.dim), np.float32)
    for start in range(0, len(ordered), CHUNK):
        ids = ordered[start : start + CHUNK]
        found[ids] = table.vectors(np.arange(start, start + len(ids)))
    return found
