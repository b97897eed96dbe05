"""The configurations of a method that fit a budget of bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import zip_longest
from typing import Any

import torch
from torch import nn

from autodpq_data.schema import Schema
from autodpq_lib.config import RunConfig
from autodpq_lib.models.build import assemble
from autodpq_rivals.knobs import KNOBS
from autodpq_rivals.methods import METHODS, tables
from autodpq_rivals.rival import Options, split_options

#: Configurations that a method may try at one budget. MPE tries the same ten at all: its search decides its bytes.
MOST = 6
#: Widths X that a method may have, the compressor too.
WIDTHS = (16, 8, 4, 2)
#: Widths of the methods that do not have :data:`WIDTHS`. Narrow FE varies nothing else, and LSQ's bytes would go in
#: large steps. The other three vary more than their width, so they have fewer; X is only the last layer of DHE's net.
OWN_WIDTHS = {
    "narrow": range(8, 0, -1),
    "lsq": (16, 12, 8, 6, 4, 3, 2, 1),
    "double-hash": (16, 8),
    "mpe": (16, 8),
    "dhe": (16,),
}


@dataclass(frozen=True)
class Setting:
    """One configuration of a method.

    Attributes:
        dim: embedding dimension X.
        options: the method's own.
        bytes: of embedding and first-order weights; the rest of a model is the same for every method.
    """

    dim: int
    options: Options
    bytes: int


def settings(
    method: str, config: RunConfig, schema: Schema, budget: int, *, own: Mapping[str, Any] = {}
) -> list[Setting]:
    """A method's configurations of at most ``budget`` bytes of tables: each width's largest, then each one's next.

    Of more than :data:`MOST` the first count, so of more widths the widest. MPE's search decides its size: here it is
    the least possible, and a trained model must be measured.

    Args:
        method: a rival's name.
        config: says which model.
        schema: fields and counts.
        budget: in bytes.
        own: options that all of them have: of first-order weights that are not the embedding's, or of the method.
    """
    widths = OWN_WIDTHS.get(method, WIDTHS)
    found = [_of_width(method, dim, config, schema, budget, own) for dim in widths]
    turns = [one for turn in zip_longest(*found) for one in turn if one]
    return turns if method == "mpe" else turns[:MOST]


def _of_width(
    method: str, dim: int, config: RunConfig, schema: Schema, budget: int, own: Mapping[str, Any]
) -> list[Setting]:
    """The configurations of one width, the largest first."""
    of_width = config.model_copy(update={"embedding_dim": dim})

    def whole(options: Options) -> int:
        return size_of(method, of_width, schema, {**options, **own})

    def fits(options: Options) -> bool:
        return int(options.get("subspaces", 1)) <= dim and whole(options) <= budget

    found = [Setting(dim, {**options, **own}, whole(options)) for options in KNOBS[method](schema, fits)]
    return sorted(found, key=lambda setting: -setting.bytes)


def size_of(method: str, config: RunConfig, schema: Schema, options: Options) -> int:
    """Bytes of a method's tables, of the configuration's model and width; of MPE, whose search decides, the least."""
    return _size_of(config.model_copy(update={"strategy": method, "options": options}), schema)


@cache  # one setting is asked for at each share of bytes; a schema is known by its counts as an object
def _size_of(config: RunConfig, schema: Schema) -> int:
    kind, (embedding, weights) = METHODS[config.strategy], tables(config, schema)
    of_embedding, own = split_options(config.options)
    size = kind.size(embedding, **of_embedding)
    return size + kind.size(weights, **kind.for_weights(of_embedding) | own) if config.model == "deepfm" else size


def rest_bytes(config: RunConfig, fields: int) -> int:
    """Bytes of a model of M fields without embedding and first-order weights, in float32."""
    return _rest_bytes(config.model_copy(update={"strategy": "fe", "seed": 0, "options": {}}), fields)


@cache
def _rest_bytes(config: RunConfig, fields: int) -> int:
    with torch.device("meta"):
        model = assemble(config, fields, nn.Identity(), nn.Identity())
    return 4 * sum(p.numel() for p in model.parameters())
