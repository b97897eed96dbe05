"""DPQ-VQ of the whole table (Chen et al., ICML 2020, section 2): every feature has a code, none keeps its row."""

from __future__ import annotations

import torch
from pydantic import PositiveInt

from autodpq_data.schema import Schema
from autodpq_rivals.books import Books
from autodpq_rivals.rival import FullTable
from autodpq_rivals.vq import VQ


class DPQVQ(VQ):
    """DPQ-VQ, every feature with K centroids.

    Args:
        table: the full table.
        centroids: K.
        subspaces: D, a divisor of X.
        shared: one book of centroids for all fields; else one a field.
        tied: the subspaces of a book share its centroids, as by default in the authors' code.
        normed: see :class:`VQ`; the paper does not have it.
    """

    def __init__(
        self,
        table: FullTable,
        *,
        centroids: PositiveInt,
        subspaces: PositiveInt,
        shared: bool,
        tied: bool,
        normed: bool,
    ) -> None:
        super().__init__(table, books_of(table.schema, centroids, shared=shared, tied=tied), subspaces, normed=normed)

    @staticmethod
    def size(table: FullTable, *, centroids: int, subspaces: int, shared: bool, tied: bool, **_: bool) -> int:
        """Codes and centroids."""
        return books_of(table.schema, centroids, shared=shared, tied=tied).size(table.dim, subspaces)


def books_of(schema: Schema, centroids: int, *, shared: bool, tied: bool) -> Books:
    """One book of K centroids for all fields, or one a field; never more centroids than features."""
    sizes = torch.tensor([schema.num_features] if shared else schema.sizes)
    book = torch.zeros_like(schema.field_of) if shared else schema.field_of
    return Books(book, sizes.clamp(max=centroids)[book], tied=tied)
