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
        shared: one book and one list of frequent features for all fields; else one a field, as in the paper.
    """

    def __init__(
        self,
        table: FullTable,
        *,
        centroids: Centroids,
        subspaces: PositiveInt,
        normed: bool = True,
        shared: bool = True,
    ) -> None:
        super().__init__(table, granular(table.schema, centroids, shared=shared), subspaces, normed=normed)

    @staticmethod
    def size(table: FullTable, *, centroids: int, subspaces: int, shared: bool = True, **_: bool) -> int:
        """Codes, of fewer bits for the rare, and centroids."""
        return granular(table.schema, centroids, shared=shared).size(table.dim, subspaces)


def granular(schema: Schema, centroids: int, *, shared: bool) -> Books:
    """The book of each feature and how much of it the feature may use; never more centroids than features."""
    sizes = [schema.num_features] if shared else list(schema.sizes)
    book = torch.zeros_like(schema.field_of) if shared else schema.field_of
    each = zip(schema.counts.split(sizes), sizes, strict=True)
    frequent = torch.cat([ranks(counts) < math.ceil(HEAD * size) for counts, size in each])
    limit = torch.where(frequent, centroids, centroids // FEWER)
    return Books(book, limit if shared else limit.minimum(torch.tensor(sizes)[book]))
