"""Merging: rare features of a field share a row, as in the paper's Others; the threshold is an option."""

from __future__ import annotations

from dataclasses import replace

from pydantic import NonNegativeInt
from torch import Tensor

from autodpq_lib.embedding.full import Full
from autodpq_lib.embedding.others import others_rows
from autodpq_rivals.rival import FLOAT, FullTable, Rival


class Merge(Rival):
    """The features of a field that occur fewer than ``threshold`` times share a row (section 4.2).

    Args:
        table: the full table.
        threshold: in samples.
    """

    row: Tensor

    def __init__(self, table: FullTable, *, threshold: NonNegativeInt) -> None:
        super().__init__()
        self.register_buffer("row", _rows(table, threshold), persistent=False)
        self.rows = Full(1 + int(self.row.max()), table.dim, table.init)

    def vectors(self, features: Tensor) -> Tensor:
        """Vectors of distinct features: int64 ``[U]`` -> ``[U, X]``."""
        return self.rows(self.row[features])

    @staticmethod
    def size(table: FullTable, *, threshold: int) -> int:
        """A row for each kept feature, and for each field that has rare ones."""
        return FLOAT * table.dim * (1 + int(_rows(table, threshold).max()))


def _rows(table: FullTable, threshold: int) -> Tensor:
    return others_rows(replace(table.schema, threshold=threshold))
