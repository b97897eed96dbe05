"""What is known of a data set from outside: where its raw files lie, how they are read, what they must hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from autodpq_data.encoding import Block
from autodpq_data.raw_files import checksums
from autodpq_data.split import Rows

#: Ids int32 ``[rows, M]``, labels uint8 ``[rows]`` and the values of each field in the order of their ids -> rows of
#: each part.
PublishedSplit = Callable[[NDArray[np.int32], NDArray[np.uint8], Mapping[str, Sequence[str]]], Rows]


@dataclass(frozen=True, eq=False)
class Source:
    """One data set. All that is registered in :data:`autodpq_data.sources.SOURCES` are of this kind.

    Attributes:
        files: finds the raw files, or fetches them.
        read: goes once through them, block by block: one string column a field, and the columns that tell the label.
            The last argument names the pass, for a progress bar.
        positive: what makes a row positive; every column that it does not use is a field.
        rows: expected number of rows; None, as below: any.
        positives: expected number of positive rows.
        sizes: expected number of values of each field.
        fingerprint: expected sha256 of what is prepared.
        parts: the part of each row, uint8 ``[rows]`` as in :data:`~autodpq_data.split.PARTS`, where the data say so.
        laboratory: the rows of ``split="laboratory"``, where there is one.
        watched: whether the raw files may change; then their sums are compared at each use, and new data prepared.
        settings: what else decides how the files are read; compared at each use, whether files are watched or not.
    """

    files: Callable[[], list[Path]]
    read: Callable[[Sequence[Path], str], Iterable[pl.DataFrame]]
    positive: pl.Expr = field(default_factory=lambda: pl.col("label"))
    rows: int | None = None
    positives: int | None = None
    sizes: Mapping[str, int] | None = None
    fingerprint: str | None = None
    parts: Callable[[Sequence[Path]], NDArray[np.uint8]] | None = None
    laboratory: PublishedSplit | None = None
    watched: bool = False
    settings: dict[str, str] = field(default_factory=dict)

    def blocks(self, files: Sequence[Path], what: str) -> Iterator[Block]:
        """One pass: fields as strings, and labels."""
        used = self.positive.meta.root_names()
        for block in self.read(files, what):
            yield block.drop(used), block.select(self.positive.cast(pl.UInt8)).to_series()

    def sums(self, files: Sequence[Path]) -> dict[str, str]:
        """File name -> sha256, and the settings, by names with a slash, which no file has."""
        return checksums(files) | self.settings
