"""DCN against loops."""

from __future__ import annotations

import torch
from conftest import small_config

from autodpq_data.schema import Schema
from autodpq_lib.models.build import full_model
from autodpq_lib.models.dcn import Cross

IDS = torch.tensor([[2, 6, 12], [0, 7, 13], [1, 8, 9]])


def test_forward_matches_the_formula(schema: Schema) -> None:
    model = full_model(small_config(model="dcn", recipe="paper"), schema).eval()
    got = model(IDS)
    for row, ids in enumerate(IDS.tolist()):
        first = torch.cat([model.embedding.table[n] for n in ids])
        x = first
        for layer, bias in zip(model.cross.weights, model.cross.biases, strict=True):
            x = torch.stack([a * torch.dot(x, layer.weight[0]) + b + c for a, b, c in zip(first, bias, x, strict=True)])
        both = torch.cat([x, model.mlp(first[None])[0]])
        wanted = model.last.bias[0] + torch.dot(model.last.weight[0], both)
        torch.testing.assert_close(got[row], wanted, atol=1e-5, rtol=1e-5)


def test_cross_by_hand() -> None:
    cross = Cross(2, 1)
    with torch.no_grad():
        cross.weights[0].weight.copy_(torch.tensor([[2.0, -1.0]]))
        cross.biases[0].copy_(torch.tensor([0.5, 1.0]))
    x = torch.tensor([[3.0, 4.0]])
    assert [cross(x, v).tolist() for v in torch.eye(2)[:, None]] == [[3 * 2 + 0.5 + 3], [4 * 2 + 1 + 4]]


def test_three_layers_of_one_vector_each(schema: Schema) -> None:
    cross = full_model(small_config(model="dcn"), schema).cross
    assert [tuple(layer.weight.shape) for layer in cross.weights] == [(1, 48)] * 3
