"""How large the embedding is, under each accounting."""

from __future__ import annotations

import math

from pydantic import PositiveInt
from torch import nn

from autodpq_data.schema import Schema
from autodpq_lib.config import Decision
from autodpq_system.strict import Strict


class Space(Strict):
    """Size of a strategy's embedding.

    Attributes:
        paper: the paper's units: floats of the kept rows of all fields, **one unit per code entry**, centroid floats
            (one tied table); no first-order weights, no MLP. Inferred: it fits all that Tables 1 and 2
            print for MovieLens-1M.
        bits: the same in bits: 32 for each float, ``ceil(log2 K)`` for each code entry.
        model_bytes: the whole model, first-order weights and MLP included: 4 bytes for each kept float, codes at
            ``ceil(log2 K)`` bits; of a module with ``served_bytes()`` these. Untied keys count, though serving does not
            need them; raw rows of coded features and BatchNorm statistics do not.
    """

    paper: PositiveInt
    bits: PositiveInt
    model_bytes: PositiveInt


def space(schema: Schema, dim: int, decision: Decision | None, model: nn.Module, *, tied: bool = True) -> Space:
    """Space of a trained model: DPQ by its decision, any other by its ``served_bytes()`` or else its parameters."""
    if decision is None:
        served = _served(model.get_submodule("embedding"))
        return Space(paper=math.ceil(served / 4), bits=8 * served, model_bytes=model_bytes(model))
    dense = sum(p.numel() for name, p in model.named_parameters() if not name.startswith("embedding."))
    floats = _floats(schema, dim, decision, tied)
    packed = _code_bits(schema, decision)
    return Space(
        paper=quantised_space(schema, dim, decision, tied=tied),
        bits=quantised_bits(schema, dim, decision, tied=tied),
        model_bytes=4 * (floats + dense) + sum(math.ceil(bits / 8) for bits in packed),
    )


def model_bytes(model: nn.Module) -> int:
    """Bytes that serving a model needs: each part's ``served_bytes()``, or else its parameters."""
    return sum(_served(part) for part in model.children()) + 4 * sum(p.numel() for p in model.parameters(recurse=False))


def _served(part: nn.Module) -> int:
    own = getattr(part, "served_bytes", None)
    return 4 * sum(p.numel() for p in part.parameters()) if own is None else own()


def quantised_space(schema: Schema, dim: int, decision: Decision, *, tied: bool = True) -> int:
    """Space of DPQ in the paper's units: ``kept * X + sum_m (L_m * D_m + K_m * X)``.

    The sum is over the fields m with L_m low-frequency features; untied tables count twice.
    """
    return _floats(schema, dim, decision, tied) + sum(n for n, _ in _codes(schema, decision))


def quantised_bits(schema: Schema, dim: int, decision: Decision, *, tied: bool = True) -> int:
    """The same in bits: 32 for each float of kept rows and centroids, ``ceil(log2 K_m)`` for each code."""
    return 32 * _floats(schema, dim, decision, tied) + sum(_code_bits(schema, decision))


def _code_bits(schema: Schema, decision: Decision) -> list[int]:
    """Bits of all codes of each field."""
    return [n * math.ceil(math.log2(k)) for n, k in _codes(schema, decision)]


def _floats(schema: Schema, dim: int, decision: Decision, tied: bool) -> int:
    tables = 1 if tied else 2
    return int((~schema.low).sum()) * dim + sum(tables * k * dim for k, _ in decision.values())


def _codes(schema: Schema, decision: Decision) -> list[tuple[int, int]]:
    """Number of code entries of each field, and its K."""
    return [(schema.low_sizes[name] * d, k) for name, (k, d) in decision.items()]
