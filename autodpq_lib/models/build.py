"""Build a model from a configuration; strategies differ in the embedding and DeepFM's first-order weights alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from autodpq_data.schema import Schema
from autodpq_lib.config import STRATEGIES, Decision, RunConfig
from autodpq_lib.embedding.candidates import Candidates
from autodpq_lib.embedding.compressed import Compressed
from autodpq_lib.embedding.dpq import DPQ
from autodpq_lib.embedding.full import Full
from autodpq_lib.embedding.init import Init, embedding_init
from autodpq_lib.embedding.others import Others
from autodpq_lib.embedding.quantiser import Coding
from autodpq_lib.models.ctr_model import CTRModel
from autodpq_lib.models.dcn import DCN
from autodpq_lib.models.deepfm import DeepFM
from autodpq_lib.models.pnn import PNN
from autodpq_system.seeding import seed_for

#: Makes the embedding of a configuration on a data set: a torch module, which may have the hooks of README.md.
MakesEmbedding = Callable[[RunConfig, Schema], Any]


def full(config: RunConfig, schema: Schema) -> Full:
    """FE's embedding: every feature has its row."""
    return Full(schema.num_features, config.embedding_dim, _init(config, schema))


def others(config: RunConfig, schema: Schema) -> Others:
    """Others' embedding: the low-frequency features of a field share a row."""
    return Others(schema, config.embedding_dim, _init(config, schema))


#: Strategy -> the embedding it trains without a decision. AutoDPQ ends with FE only when ``quantise`` is off.
EMBEDDING: dict[str, MakesEmbedding] = {**dict.fromkeys(STRATEGIES, full), "others": others}


def final_model(config: RunConfig, schema: Schema, decision: Decision | None) -> CTRModel:
    """The model that a run ends with: DPQ under its decision, or the strategy's own embedding."""
    return _on(EMBEDDING[config.strategy], config, schema) if decision is None else dpq_model(config, schema, decision)


def full_model(config: RunConfig, schema: Schema) -> CTRModel:
    """FE, whatever the strategy."""
    return _on(full, config, schema)


def others_model(config: RunConfig, schema: Schema) -> CTRModel:
    """Others, whatever the strategy: rare features share a row in the first-order weights too."""
    return _on(others, config, schema)


def dpq_model(config: RunConfig, schema: Schema, decision: Decision) -> CTRModel:
    """DPQ with the (K, D) of ``decision``."""
    return _on(partial(_dpq, decision=decision), config, schema)


def candidates_model(config: RunConfig, schema: Schema) -> CTRModel:
    """The search's model, with all candidates of every field."""
    return _on(_candidates, config, schema)


def start_from(model: CTRModel, weights: Mapping[str, Tensor]) -> None:
    """Load all that models of different strategies share: raw rows, first-order weights, the rest of the model."""
    apart = ("embedding.quantisers.", "embedding.norms.", "embedding.alpha")
    shared = {name: tensor for name, tensor in weights.items() if not name.startswith(apart)}
    missing, unexpected = model.load_state_dict(shared, strict=False)
    assert not unexpected and all(name.startswith(apart) for name in missing)


def _on(make: MakesEmbedding, config: RunConfig, schema: Schema) -> CTRModel:
    """The model on an embedding. Its own weights start the same whatever the embedding is."""
    _seed(config, "embedding")
    embedding = make(config, schema)
    decay = config.base_model.weight_decay
    if isinstance(embedding, Compressed) and config.quantise and decay and not config.encoder_decay:
        embedding.spare_raw_rows(decay)
    first_order = _first_order(embedding, config, schema) if config.model == "deepfm" else None
    for table in (embedding, first_order):
        if table is not None:
            table.lazy = config.lazy
    _seed(config, config.model)
    return assemble(config, len(schema.fields), embedding, first_order).to(config.device)


def assemble(config: RunConfig, fields: int, embedding: nn.Module, first_order: nn.Module | None = None) -> CTRModel:
    """DeepFM, PNN or DCN on an embedding of M fields; ``first_order`` is DeepFM's alone."""
    dim, hidden, recipe = config.embedding_dim, config.hidden, config.base_model
    match config.model:
        case "deepfm":
            assert first_order is not None
            return DeepFM(embedding, first_order, fields * dim, hidden, recipe)
        case "pnn":
            return PNN(embedding, fields, dim, hidden, recipe)
        case "dcn":
            return DCN(embedding, fields * dim, hidden, recipe)


def _dpq(config: RunConfig, schema: Schema, decision: Decision) -> DPQ:
    return DPQ(schema, config.embedding_dim, _init(config, schema), decision, _coding(config))


def _candidates(config: RunConfig, schema: Schema) -> Candidates:
    dim, init, coding = config.embedding_dim, _init(config, schema), _coding(config)
    norm, quantise = config.search_batchnorm, config.quantise
    return Candidates(schema, dim, init, config.candidates, coding, batchnorm=norm, quantise=quantise)


def _first_order(embedding: nn.Module, config: RunConfig, schema: Schema) -> Any:
    _seed(config, "first_order")
    if (own := getattr(embedding, "make_first_order", None)) is not None:
        return own()
    init = partial(nn.init.normal_, std=config.base_model.first_order_sd)
    return Others(schema, 1, init) if isinstance(embedding, Others) else Full(schema.num_features, 1, init)


def _coding(config: RunConfig) -> Coding:
    return Coding(config.distance, config.tied, config.tau_kd, config.kd_noise)


def _init(config: RunConfig, schema: Schema) -> Init:
    return embedding_init(config.base_model, schema.num_features, config.embedding_dim)


def _seed(config: RunConfig, part: str) -> None:
    torch.manual_seed(seed_for(config.seed, "init", part))
