"""The rivals by name, and the model that one makes."""

from __future__ import annotations

import torch

from autodpq_data.schema import Schema
from autodpq_lib.config import RunConfig
from autodpq_lib.embedding.init import NORMAL_SD, embedding_init
from autodpq_lib.models.build import assemble
from autodpq_lib.models.ctr_model import CTRModel
from autodpq_rivals.dhe import DHE
from autodpq_rivals.double_hash import DoubleHash
from autodpq_rivals.dpq_vq import DPQVQ
from autodpq_rivals.int_b import IntB
from autodpq_rivals.lsq import LSQ
from autodpq_rivals.mgqe import MGQE
from autodpq_rivals.mpe import MPE
from autodpq_rivals.qr import QR
from autodpq_rivals.rival import FLOAT, Options, Rival, Table
from autodpq_system.seeding import seed_for

METHODS: dict[str, type[Rival]] = {
    "int-b": IntB,
    "lsq": LSQ,
    "double-hash": DoubleHash,
    "dhe": DHE,
    "dpq-vq": DPQVQ,
    "mgqe": MGQE,
    "mpe": MPE,
    "qr": QR,
}


def rival_model(config: RunConfig, schema: Schema, method: str, options: Options) -> CTRModel:
    """The configuration's model on a rival of its width; DeepFM's first-order weights are one of width 1.

    The rest of the model starts as FE's does.

    Raises:
        ValueError: no such method.
    """
    if method not in METHODS:
        raise ValueError(f"method: expected one of {', '.join(METHODS)}, found {method!r}")
    kind = METHODS[method]
    embedding, first_order = tables(config, schema)
    torch.manual_seed(seed_for(config.seed, "init", "embedding"))
    vectors = kind(embedding, **options)
    torch.manual_seed(seed_for(config.seed, "init", "first_order"))
    weights = kind(first_order, **kind.first_order(options)) if config.model == "deepfm" else None
    torch.manual_seed(seed_for(config.seed, "init", config.model))
    return assemble(config, len(schema.fields), vectors, weights).to(config.device)


def tables(config: RunConfig, schema: Schema) -> tuple[Table, Table]:
    """The full tables that FE has: the embedding, and DeepFM's first-order weights.

    Where the recipe starts first-order weights at zero, they start small here: equal centroids would stay equal.
    """
    start = embedding_init(config.base, schema.num_features, config.embedding_dim)
    sd = config.base.first_order_sd or NORMAL_SD
    return Table(schema, config.embedding_dim, start), Table(schema, 1, lambda tensor: tensor.normal_(0.0, sd))


def file_bytes(model: CTRModel) -> int:
    """Bytes of all that serving a model needs: of rivals what they say, of the rest its parameters in float32."""
    rivals = [part for part in (model.embedding, model.first_order) if isinstance(part, Rival)]
    inside = {id(p) for rival in rivals for p in rival.parameters()}
    rest = sum(p.numel() for p in model.parameters() if id(p) not in inside)
    return sum(rival.served_bytes() for rival in rivals) + FLOAT * rest
