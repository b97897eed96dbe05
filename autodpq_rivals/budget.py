"""The configurations of a method whose tables have at most so many bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import nn

from autodpq_data.schema import Schema
from autodpq_lib.config import RunConfig
from autodpq_lib.embedding.others import others_rows
from autodpq_lib.models.build import assemble
from autodpq_rivals.knobs import KNOBS
from autodpq_rivals.methods import METHODS, tables
from autodpq_rivals.rival import FLOAT, Options, Rival, Table

#: Configurations that a method may try at one budget.
MOST = 6
#: Widths X that a method may have.
WIDTHS = (16, 8)
#: Those of narrow FE, which has nothing else to vary, and of DHE, where X is that of the last layer alone.
OWN_WIDTHS = {"fe": range(8, 0, -1), "dhe": (16,)}


@dataclass(frozen=True)
class Setting:
    """One configuration of a method.

    Attributes:
        method: a key of :data:`SIZES`.
        dim: embedding dimension X.
        options: what else the method is told.
        bytes: of embedding and first-order weights; the rest of a model is the same for every method.
    """

    method: str
    dim: int
    options: Options
    bytes: int


def settings(method: str, config: RunConfig, schema: Schema, budget: int) -> list[Setting]:
    """The configurations of a method whose tables have at most ``budget`` bytes: at most six, the largest first.

    The size of MPE is what its search decides: here it is the least, and a trained model must be measured.

    Args:
        method: a key of :data:`SIZES`: a rival, ``fe`` (narrow) or ``others`` (by threshold).
        config: says which model.
        schema: fields and counts.
        budget: in bytes.
    """
    found = [one for dim in OWN_WIDTHS.get(method, WIDTHS) for one in _of_width(method, dim, config, schema, budget)]
    return sorted(found, key=lambda setting: -setting.bytes)[:MOST]


def _of_width(method: str, dim: int, config: RunConfig, schema: Schema, budget: int) -> list[Setting]:
    config = config.model_copy(update={"embedding_dim": dim})
    embedding, weights = tables(config, schema)
    size, for_weights = SIZES[method], METHODS.get(method, Rival).for_weights

    def whole(options: Options) -> int:
        both = size(embedding, **options)
        return both + size(weights, **for_weights(options)) if config.model == "deepfm" else both

    fitting = KNOBS[method](schema, lambda options: whole(options) <= budget)
    return [Setting(method, dim, options, whole(options)) for options in fitting]


def rest_bytes(config: RunConfig, fields: int) -> int:
    """Bytes of a model of M fields without embedding and first-order weights, in float32."""
    with torch.device("meta"):
        model = assemble(config, fields, nn.Identity(), nn.Identity())
    return FLOAT * sum(p.numel() for p in model.parameters())


def full_size(table: Table) -> int:
    """Bytes of FE: ``4 N X``."""
    return FLOAT * table.rows * table.dim


def others_size(table: Table, *, threshold: int) -> int:
    """Bytes of Others: ``4 X`` for each kept feature, and for each field that has low-frequency ones."""
    rows = others_rows(replace(table.schema, threshold=threshold))
    return FLOAT * table.dim * (1 + int(rows.max()))


#: Table and options -> bytes when served.
SIZES: dict[str, Callable[..., int]] = {
    "fe": full_size,
    "others": others_size,
    **{name: kind.size for name, kind in METHODS.items()},
}
