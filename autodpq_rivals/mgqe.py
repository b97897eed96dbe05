"""MGQE, multi-granular quantised embeddings (Kang et al., WWW 2020): DPQ-VQ with fewer centroids for rare features."""

from __future__ import annotations

import math
from typing import Annotated

import torch
from pydantic import Field, PositiveInt

from autodpq_data.schema import Schema
from autodpq_rivals.books import Books
from autodpq_rivals.rival import FullTable, ranks
from autodpq_rivals.vq import VQ

#: Share of the features, the most frequent, that may use all K centroids; the others may use K / FEWER.
HEAD, FEWER = 0.1, 4
#: K, large enough that a rare feature has a centroid.
Centroids = Annotated[int, Field(ge=FEWER)]


class MGQE(VQ):
    """One book of K centroids a subspace; the 10 % most frequent features use all, the others the first K / 4.

    The paper has K = 256.

    Args:
        table: the full table.
        centroids: K.
        subspaces: D, a divisor of X.
        normed: see :class:`VQ`; the paper has it.
        by_field: a book and a list of frequent features for each field; the paper has one for each table.
    """

    def __init__(
        self,
        table: FullTable,
        *,
        centroids: Centroids,
        subspaces: PositiveInt,
        normed: bool = True,
        by_field: bool = False,
    ) -> None:
        super().__init__(table, books_of(table.schema, centroids, by_field=by_field), subspaces, normed=normed)

    @staticmethod
    def size(table: FullTable, *, centroids: int, subspaces: int, by_field: bool = False, **_: bool) -> int:
        """Codes, of fewer bits for the rare, and centroids."""
        return books_of(table.schema, centroids, by_field=by_field).size(table.dim, subspaces)


def books_of(schema: Schema, centroids: int, *, by_field: bool) -> Books:
    """Each feature's book, and how many of its centroids it may use; with by_field at most its field's features."""
    sizes = list(schema.sizes) if by_field else [schema.num_features]
    frequent = torch.cat([ranks(counts) < math.ceil(HEAD * len(counts)) for counts in schema.counts.split(sizes)])
    limit = torch.where(frequent, centroids, centroids // FEWER)
    if not by_field:
        return Books(torch.zeros_like(schema.field_of), limit)
    return Books(schema.field_of, limit.minimum(torch.tensor(sizes)[schema.field_of]))
