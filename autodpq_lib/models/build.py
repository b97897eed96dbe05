"""Put a model together from a configuration; what differs between strategies is the embedding alone."""

from __future__ import annotations

import torch
from torch import nn

from autodpq_data.schema import Schema
from autodpq_lib.config import Decision, RunConfig
from autodpq_lib.embedding.candidates import Candidates
from autodpq_lib.embedding.dpq import DPQ
from autodpq_lib.embedding.full import Full
from autodpq_lib.embedding.init import Init, embedding_init
from autodpq_lib.embedding.others import Others
from autodpq_lib.models.ctr_model import CTRModel
from autodpq_lib.models.dcn import DCN
from autodpq_lib.models.deepfm import DeepFM
from autodpq_lib.models.pnn import PNN
from autodpq_lib.runs.checkpoints import Weights
from autodpq_system.seeding import seed_for


def final_model(config: RunConfig, schema: Schema, decision: Decision | None) -> CTRModel:
    """The model that a run ends with: DPQ under its decision, or Others, or FE."""
    if decision is not None:
        return dpq_model(config, schema, decision)
    return (others_model if config.strategy == "others" else full_model)(config, schema)


def full_model(config: RunConfig, schema: Schema) -> CTRModel:
    """FE: every feature has its row."""
    _seed(config, "embedding")
    return _on(Full(schema.num_features, config.embedding_dim, _init(config, schema)), config, schema)


def others_model(config: RunConfig, schema: Schema) -> CTRModel:
    """Others: the low-frequency features of a field share a row, in the first-order weights too."""
    _seed(config, "embedding")
    return _on(Others(schema, config.embedding_dim, _init(config, schema)), config, schema)


def dpq_model(config: RunConfig, schema: Schema, decision: Decision) -> CTRModel:
    """DPQ with the (K, D) of ``decision``."""
    _seed(config, "embedding")
    embedding = DPQ(
        schema,
        config.embedding_dim,
        _init(config, schema),
        decision,
        tied=config.tied,
        tau=config.tau_kd,
        noise=config.kd_noise,
    )
    return _on(embedding, config, schema)


def candidates_model(config: RunConfig, schema: Schema) -> CTRModel:
    """The search's model, with all candidates of every field."""
    _seed(config, "embedding")
    embedding = Candidates(
        schema,
        config.embedding_dim,
        _init(config, schema),
        config.candidates,
        batchnorm=config.search_batchnorm,
        quantise=config.quantise,
        tied=config.tied,
        tau_kd=config.tau_kd,
        noise=config.kd_noise,
    )
    return _on(embedding, config, schema)


def start_from(model: CTRModel, weights: Weights) -> None:
    """Load all that models of different strategies share: raw rows, first-order weights, the rest of the model."""
    apart = ("embedding.quantisers.", "embedding.norms.", "embedding.alpha")
    shared = {name: tensor for name, tensor in weights.items() if not name.startswith(apart)}
    missing, unexpected = model.load_state_dict(shared, strict=False)
    assert not unexpected
    assert all(name.startswith(apart) for name in missing)


def _on(embedding: Full, config: RunConfig, schema: Schema) -> CTRModel:
    """The model on an embedding. Its own weights start the same whatever the embedding is."""
    first_order = _first_order(embedding, config, schema) if config.model == "deepfm" else None
    for table in (embedding, first_order):
        if table is not None:
            table.lazy = config.lazy
    _seed(config, config.model)
    return assemble(config, len(schema.fields), embedding, first_order).to(config.device)


def assemble(config: RunConfig, fields: int, embedding: nn.Module, first_order: nn.Module | None = None) -> CTRModel:
    """DeepFM, PNN or DCN on an embedding of M fields; ``first_order`` is DeepFM's alone."""
    inputs, rest = fields * config.embedding_dim, (config.hidden, config.base)
    if config.model == "deepfm":
        assert first_order is not None
        return DeepFM(embedding, first_order, inputs, *rest)
    if config.model == "pnn":
        return PNN(embedding, fields, config.embedding_dim, *rest)
    return DCN(embedding, inputs, *rest)


def _first_order(embedding: Full, config: RunConfig, schema: Schema) -> Full:
    _seed(config, "first_order")

    def init(tensor: torch.Tensor) -> torch.Tensor:
        return tensor.normal_(0.0, config.base.first_order_sd)

    return Others(schema, 1, init) if isinstance(embedding, Others) else Full(schema.num_features, 1, init)


def _init(config: RunConfig, schema: Schema) -> Init:
    return embedding_init(config.base, schema.num_features, config.embedding_dim)


def _seed(config: RunConfig, part: str) -> None:
    torch.manual_seed(seed_for(config.seed, "init", part))
