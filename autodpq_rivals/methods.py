"""The rivals by name, and what a configuration makes of one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from inspect import Parameter, signature

from autodpq_data.schema import Schema
from autodpq_lib.config import RunConfig
from autodpq_lib.embedding.init import NORMAL_SD, embedding_init
from autodpq_rivals.dhe import DHE
from autodpq_rivals.double_hash import DoubleHash
from autodpq_rivals.dpq_vq import DPQVQ
from autodpq_rivals.int_b import IntB
from autodpq_rivals.lsq import LSQ
from autodpq_rivals.merge import Merge
from autodpq_rivals.mgqe import MGQE
from autodpq_rivals.mpe import MPE
from autodpq_rivals.narrow import Narrow
from autodpq_rivals.qr import QR
from autodpq_rivals.rival import Rival, Table

METHODS: dict[str, type[Rival]] = {
    "narrow": Narrow,
    "merge": Merge,
    "int-b": IntB,
    "lsq": LSQ,
    "double-hash": DoubleHash,
    "dhe": DHE,
    "dpq-vq": DPQVQ,
    "mgqe": MGQE,
    "mpe": MPE,
    "qr": QR,
}

#: The least that a number among the options may be; others begin at 1. A quarter of MGQE's tail has one centroid.
LEAST = {"kept": 0, "threshold": 0, "price": 0}


def rival(config: RunConfig, schema: Schema) -> Rival:
    """The embedding of a configuration whose strategy is a rival's name, with its ``options``.

    One of them, ``taught``, says whom it learns from and is none of the embedding's.

    Raises:
        ValueError: an option that the rival does not have, lacks, or cannot have.
    """
    kind, (embedding, weights) = METHODS[config.strategy], tables(config, schema)
    options = {key: value for key, value in config.options.items() if key != "taught"}
    _, *parameters = signature(kind).parameters.values()
    for expected, found in _wrong(config, options, parameters):
        raise ValueError(f"options of {config.strategy}: expected {expected}, found {found}")
    made = kind(embedding, **options)
    made.first_order = lambda: kind(weights, **kind.for_weights(options))
    return made


def _wrong(
    config: RunConfig, options: Mapping[str, float], parameters: Sequence[Parameter]
) -> Iterator[tuple[str, object]]:
    """What was expected and what found, of options that are unknown, missing or impossible."""
    kinds = {each.name: str(each.annotation) for each in parameters}
    yield from ((f"some of {', '.join(kinds)}", key) for key in options if key not in kinds)
    lacking = [each.name for each in parameters if each.default is Parameter.empty and each.name not in options]
    yield from ((key, ", ".join(options) or "none") for key in lacking)
    for key, value in options.items():
        least = LEAST.get(key, 1)
        if kinds[key] == "bool" and not isinstance(value, bool):
            yield f"{key} true or false", value
        if kinds[key] != "bool" and (isinstance(value, bool) or value < least or (kinds[key] == "int" and value % 1)):
            yield f"{key} a {'whole ' if kinds[key] == 'int' else ''}number of at least {least}", value
    if config.embedding_dim % (parts := options.get("subspaces", 1)):
        yield f"subspaces a divisor of embedding_dim {config.embedding_dim}", parts


def tables(config: RunConfig, schema: Schema) -> tuple[Table, Table]:
    """The full tables that FE has: the embedding, and DeepFM's first-order weights.

    Where the recipe starts first-order weights at zero, they start small here: equal centroids would stay equal.
    """
    start = embedding_init(config.base_model, schema.num_features, config.embedding_dim)
    sd = config.base_model.first_order_sd or NORMAL_SD
    return Table(schema, config.embedding_dim, start), Table(schema, 1, lambda tensor: tensor.normal_(0.0, sd))
