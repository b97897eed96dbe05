"""The rivals by name, and what a configuration makes of one."""

from __future__ import annotations

from functools import partial
from inspect import Parameter, signature
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError
from torch import nn

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
from autodpq_rivals.rival import FIRST_ORDER, FullTable, Rival, split_options
from autodpq_system.sentence import sentence

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
#: Rivals that are one training, and so can learn from a teacher as well as from labels.
LEARNERS = tuple(name for name in METHODS if name not in ("int-b", "mpe"))
#: Rivals that start first-order weights near zero in every recipe.
NEAR_ZERO = ("lsq", "dhe", "mpe")


def rival(config: RunConfig, schema: Schema) -> Rival:
    """The embedding of a configuration whose strategy is a rival's name, with its ``options``.

    The option ``taught`` is no option of the embedding: it says whether a learner has a teacher. One whose name begins
    with ``first_order_`` is that of the first-order weights alone.

    Raises:
        ValueError: an option that the rival does not have, lacks, or cannot have.
    """
    check_options(config)
    kind, (embedding, weights) = METHODS[config.strategy], tables(config, schema)
    options, own = split_options({key: value for key, value in config.options.items() if key != "taught"})
    made = kind(embedding, **options)
    made.make_first_order = partial(kind, weights, **kind.for_weights(options) | own)  # no lambda: models are pickled
    return made


def check_options(config: RunConfig) -> None:
    """Refuse options that are unknown, missing, or not of the type that the rival gives them; and lazy tables.

    Raises:
        ValueError: one of them is so.
    """
    if config.lazy:
        raise ValueError(f"lazy: expected false for {config.strategy}, whose gradients are dense, found true")
    options, of = config.options, f"options of {config.strategy}"
    types, needed = _options_of(config)
    if unknown := [key for key in options if key not in types]:
        raise ValueError(f"{of}: expected some of {', '.join(types)}, found {', '.join(unknown)}")
    if lacks := [key for key in needed if key not in options]:
        raise ValueError(f"{of}: expected {', '.join(lacks)}, found {', '.join(options) or 'none'}")
    for key, value in options.items():
        try:
            TypeAdapter(types[key]).validate_python(value, strict=True)
        except ValidationError as error:
            raise ValueError(f"{of}: {key}: {sentence(error)}") from None
    if config.embedding_dim % (parts := options.get("subspaces", 1)):
        raise ValueError(f"{of}: subspaces: expected a divisor of embedding_dim {config.embedding_dim}, found {parts}")


def _options_of(config: RunConfig) -> tuple[dict[str, Any], list[str]]:
    """The types of the options that a rival can have, and the names of those that it must have."""
    kind = METHODS[config.strategy]
    _, *parameters = signature(kind).parameters.values()
    hints = get_type_hints(kind.__init__, include_extras=True)
    prefixes = ("", FIRST_ORDER) if config.model == "deepfm" else ("",)
    types = {prefix + each.name: hints[each.name] for prefix in prefixes for each in parameters}
    for key in ("subspaces", "search_epochs"):  # a number has one part, and a model is searched once
        types.pop(FIRST_ORDER + key, None)
    if config.strategy in LEARNERS:
        types["taught"] = bool
    return types, [each.name for each in parameters if each.default is Parameter.empty]


def tables(config: RunConfig, schema: Schema) -> tuple[FullTable, FullTable]:
    """The full tables that FE has: the embedding, and DeepFM's first-order weights.

    Where the recipe starts first-order weights at zero, they start small here: equal centroids would stay equal.
    """
    start = embedding_init(config.base_model, schema.num_features, config.embedding_dim)
    sd = config.base_model.first_order_sd or NORMAL_SD
    return FullTable(schema, config.embedding_dim, start), FullTable(schema, 1, partial(nn.init.normal_, std=sd))
