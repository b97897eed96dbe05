"""How large the embedding is, under each accounting."""

from __future__ import annotations

import math

from pydantic import BaseModel
from torch import nn

from autodpq_lib.config import Decision
from autodpq_lib.data.schema import Schema


class Space(BaseModel):
    """Size of a strategy's embedding.

    Attributes:
        paper: the paper's units: floats of kept rows, **one unit per code entry**, centroid floats (one tied
            table); only fields that have low-frequency features; no first-order weights, no MLP. Inferred
            from Table 1: it is the only reading that gives 216k, 171k and 194k.
        bits: information content of the same: 32 bits a float, log2(K) bits a code entry.
        model_bytes: parameters of the whole model that serving needs, first-order weights and MLP
            included: 4 bytes a float, each field's codes packed at log2(K) bits.
    """

    paper: int
    bits: int
    model_bytes: int


def space(schema: Schema, dim: int, decision: Decision | None, model: nn.Module, *, tied: bool = True) -> Space:
    """Space of a trained model: FE and Others by their table, DPQ by its decision.

    ``kept * X + sum_m (L_m * D_m + K_m * X)`` over the fields m with L_m low-frequency features.
    """
    table = model.get_parameter("embedding.table")
    dense = sum(p.numel() for name, p in model.named_parameters() if not name.startswith("embedding."))
    if decision is None:
        return Space(paper=table.numel(), bits=32 * table.numel(), model_bytes=4 * (table.numel() + dense))
    kept = int((~schema.low).sum()) * dim
    tables = 1 if tied else 2
    centroids = sum(tables * k * dim for k, _ in decision.values())
    codes = {name: schema.low_sizes[name] * d for name, (_, d) in decision.items()}
    packed = {name: n * math.ceil(math.log2(decision[name][0])) for name, n in codes.items()}
    return Space(
        paper=kept + sum(codes.values()) + centroids,
        bits=32 * (kept + centroids) + sum(packed.values()),
        model_bytes=4 * (kept + centroids + dense) + sum(math.ceil(bits / 8) for bits in packed.values()),
    )
