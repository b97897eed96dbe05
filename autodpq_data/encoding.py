"""Number the values of each field, block by block, so that a file need not fit into memory.

A first pass counts values; sorted within their field and numbered through all fields, they get their ids. A second
pass writes the ids.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

#: Some rows: one string column a field, and labels uint8 ``[rows]``.
Block = tuple[pl.DataFrame, pl.Series]
#: A pass over the data. The argument names it.
Pass = Callable[[str], Iterable[Block]]
#: Counts of single blocks are added up when so many have come together.
PENDING = 4_000_000


@dataclass(frozen=True)
class Counted:
    """What the first pass finds.

    Attributes:
        values: per field a frame ``value`` (sorted) and ``count``.
        rows: number of rows.
        positives: number of rows with label 1.
    """

    values: dict[str, pl.DataFrame]
    rows: int
    positives: int

    @property
    def sizes(self) -> dict[str, int]:
        """Number of values of each field."""
        return {name: len(values) for name, values in self.values.items()}

    def features(self) -> pl.DataFrame:
        """All features in the order of their ids: ``field``, ``value``, ``count``."""
        named = [values.select(pl.lit(name).alias("field"), "value", "count") for name, values in self.values.items()]
        return pl.concat(named)


def count_values(blocks: Pass) -> Counted:
    """First pass: every value of every field and how often it occurs."""
    counts: dict[str, list[pl.DataFrame]] = {}
    rows = positives = 0
    for fields, labels in blocks("counting"):
        rows, positives = rows + len(fields), positives + int(labels.sum())
        for column in fields:
            pending = counts.setdefault(column.name, [])
            pending.append(column.alias("value").value_counts().cast({"count": pl.Int64}))
            if sum(map(len, pending[1:])) > PENDING:
                counts[column.name] = [_added(pending)]
    return Counted({name: _added(pending).sort("value") for name, pending in counts.items()}, rows, positives)


def _added(counts: list[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat(counts).group_by("value").agg(pl.col("count").sum())


def write_ids(blocks: Pass, counted: Counted, folder: Path) -> str:
    """Second pass: ``ids.npy`` int32 ``[rows, M]``, ``labels.npy`` uint8 ``[rows]``; sha256 of sizes, ids, labels."""
    shape = (counted.rows, len(counted.values))
    ids = np.lib.format.open_memmap(folder / "ids.npy", "w+", np.int32, shape)
    labels = np.lib.format.open_memmap(folder / "labels.npy", "w+", np.uint8, shape[:1])
    for name in ("ids.npy", "labels.npy"):
        _reserve(folder / name)
    digest = hashlib.sha256(json.dumps(counted.sizes).encode())
    end = 0
    for fields, block_labels in blocks("writing"):
        start, end = end, end + len(fields)
        ids[start:end] = encode(fields, counted.values)
        labels[start:end] = block_labels.to_numpy()
        digest.update(ids[start:end].tobytes())
    digest.update(labels.tobytes())
    return digest.hexdigest()


def _reserve(path: Path) -> None:
    """Take a file's room on the disk, where that can be done: a full disk would end the process without a word."""
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)


def encode(fields: pl.DataFrame, values: Mapping[str, pl.DataFrame]) -> NDArray[np.int32]:
    """Ids int32 ``[rows, M]``: a value's rank in its field, plus the sizes of all fields before; none may be new."""
    ids = np.empty((len(fields), len(values)), np.int32)
    offset = 0
    for m, (name, known) in enumerate(values.items()):
        ids[:, m] = known["value"].search_sorted(fields[name])
        ids[:, m] += offset
        offset += len(known)
    return ids
