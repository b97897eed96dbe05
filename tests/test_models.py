"""What all models share: every embedding fits, the same start, the MLP; and an independent implementation."""

from __future__ import annotations

import importlib
import pickle

import pytest
import torch
from conftest import small_config
from torch import Tensor, nn

from autodpq_data.schema import Schema
from autodpq_lib.config import RunConfig
from autodpq_lib.models.build import candidates_model, dpq_model, full_model, others_model
from autodpq_lib.models.ctr_model import CTRModel
from autodpq_lib.models.mlp import Dropout

MODELS = ["deepfm", "pnn", "dcn"]
IDS = torch.tensor([[2, 6, 12], [0, 7, 13], [1, 8, 9]])
DECISION = {"a": (2, 2), "c": (4, 4)}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("embedding", ["full", "others", "dpq", "candidates"])
def test_every_embedding_fits_every_model(schema: Schema, model: str, embedding: str) -> None:
    config = small_config(model=model)
    made = {
        "full": lambda: full_model(config, schema),
        "others": lambda: others_model(config, schema),
        "dpq": lambda: dpq_model(config, schema, DECISION),
        "candidates": lambda: candidates_model(config, schema),
    }[embedding]()
    assert made(IDS).shape == (3,)
    assert made.eval()(IDS[:1]).shape == (1,)


@pytest.mark.parametrize("model", MODELS)
def test_strategies_start_from_the_same_weights(schema: Schema, model: str) -> None:
    config = small_config(recipe="paper", model=model)
    full, quantised = full_model(config, schema), dpq_model(config, schema, DECISION)
    shared = dict(full.named_parameters())
    assert all(torch.equal(tensor, quantised.get_parameter(name)) for name, tensor in shared.items())


@pytest.mark.parametrize("model", MODELS)
def test_recipe_paper_puts_batchnorm_and_dropout_into_the_mlp(schema: Schema, model: str) -> None:
    layers = {
        recipe: list(full_model(small_config(recipe=recipe, model=model), schema).mlp) for recipe in ("paper", "tuned")
    }
    kinds = {recipe: [type(layer).__name__ for layer in each] for recipe, each in layers.items()}
    last = ["Linear"] * (model != "dcn")  # DCN's is that of both of its parts
    assert kinds["paper"] == ["Linear", "BatchNorm", "ReLU", "Dropout"] * 2 + last
    assert kinds["tuned"] == ["Linear", "ReLU"] * 2 + last
    assert [layer.rate for layer in layers["paper"] if isinstance(layer, Dropout)] == [0.2, 0.2]


def test_dropout_zeroes_and_rescales_in_training_alone() -> None:
    torch.manual_seed(0)
    layer, x = Dropout(0.2), torch.ones(100_000)
    out = layer(x)
    assert set(out.unique().tolist()) == {0.0, 1.25}
    assert (out == 0).float().mean().item() == pytest.approx(0.2, abs=0.005)
    assert torch.equal(layer.eval()(x), x)


@pytest.mark.parametrize("model", MODELS)
def test_forward_equals_deepctr_torch(schema: Schema, model: str) -> None:
    peers = pytest.importorskip("deepctr_torch.models", reason="deepctr-torch is not installed")
    config = small_config(model=model, embedding_dim=4, subspaces=(2,), hidden=(6, 5))
    ours = full_model(config, schema)
    with torch.no_grad():
        for tensor in ours.parameters():
            tensor.normal_()
    theirs = peer(peers, config, schema)
    copy_weights(ours, theirs, schema)
    local = IDS - torch.tensor(schema.offsets)
    torch.testing.assert_close(
        torch.sigmoid(ours.eval()(IDS)), theirs.eval()(local.float()).squeeze(1), atol=1e-5, rtol=1e-5
    )


def peer(peers: object, config: RunConfig, schema: Schema) -> nn.Module:
    inputs = importlib.import_module("deepctr_torch.inputs")
    columns = [inputs.SparseFeat(f, n, config.embedding_dim) for f, n in zip(schema.fields, schema.sizes, strict=True)]
    make = {
        "deepfm": lambda: peers.DeepFM(columns, columns, dnn_hidden_units=config.hidden),
        "pnn": lambda: peers.PNN(columns, dnn_hidden_units=config.hidden),
        "dcn": lambda: peers.DCN([], columns, cross_num=3, dnn_hidden_units=config.hidden),
    }
    return make[config.model]()


@torch.no_grad()
def copy_weights(ours: CTRModel, theirs: nn.Module, schema: Schema) -> None:
    for name, table in zip(schema.fields, ours.embedding.table.split(schema.sizes), strict=True):
        theirs.embedding_dict[name].weight.copy_(table)
    linears = [layer for layer in ours.mlp if isinstance(layer, nn.Linear)]
    last = ours.last if hasattr(ours, "last") else linears.pop()
    for mine, other in zip(linears, theirs.dnn.linears, strict=True):
        other.weight.copy_(mine.weight)
        other.bias.copy_(mine.bias)
    theirs.dnn_linear.weight.copy_(last.weight)
    theirs.out.bias.copy_(last.bias + getattr(ours, "bias", 0.0))
    if ours.first_order is not None:
        for name, table in zip(schema.fields, ours.first_order.table.split(schema.sizes), strict=True):
            theirs.linear_model.embedding_dict[name].weight.copy_(table)
    if hasattr(ours, "cross"):
        theirs.crossnet.kernels.copy_(stacked([layer.weight.T for layer in ours.cross.weights]))
        theirs.crossnet.bias.copy_(stacked([bias[:, None] for bias in ours.cross.biases]))


def stacked(parts: list[Tensor]) -> Tensor:
    return torch.stack([part.detach() for part in parts])


def test_a_quantised_model_can_be_pickled(schema: Schema) -> None:
    """As another process that scores with it needs it."""
    model = dpq_model(small_config(), schema, {"a": (4, 2), "c": (2, 4)}).eval()
    ids = torch.tensor([[2, 6, 12], [0, 7, 13]])
    assert torch.equal(pickle.loads(pickle.dumps(model))(ids), model(ids))
