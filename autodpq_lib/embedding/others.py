"""Others: all low-frequency features of a field share one row."""

from __future__ import annotations

import torch
from torch import Tensor

from autodpq_data.schema import Schema
from autodpq_lib.embedding.full import Full
from autodpq_lib.embedding.init import Init


class Others(Full):
    """Embedding table of the kept features and one "Others" row per field that needs it (section 4.2).

    Kept features come first, in the order of their ids; the "Others" rows follow, in the order of the fields.
    """

    row: Tensor

    def __init__(self, schema: Schema, dim: int, init: Init) -> None:
        kept = int((~schema.low).sum())
        super().__init__(kept + len(schema.low_fields), dim, init)
        self.register_buffer("row", others_rows(schema), persistent=False)

    def forward(self, ids: Tensor) -> Tensor:
        """Vectors of the features: ids int64 ``[B, M]`` -> ``[B, M, X]``."""
        return super().forward(self.row.index_select(0, ids.flatten()).view_as(ids))  # rows, [B, M]


def others_rows(schema: Schema) -> Tensor:
    """int64 ``[N]``: the row of each feature in the table of :class:`Others`."""
    kept = ~schema.low
    return torch.where(kept, kept.cumsum(0) - 1, kept.sum() + schema.low_field)
