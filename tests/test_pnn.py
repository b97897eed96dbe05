"""PNN against loops."""

from __future__ import annotations

from itertools import combinations

import pytest
import torch
from conftest import small_config

from autodpq_data.schema import Schema
from autodpq_lib.models.build import full_model
from autodpq_lib.models.pnn import Products, pairs_of

IDS = torch.tensor([[2, 6, 12], [0, 7, 13], [1, 8, 9]])


def test_forward_matches_the_formula(schema: Schema) -> None:
    model = full_model(small_config(model="pnn", recipe="paper"), schema).eval()
    got = model(IDS)
    for row, ids in enumerate(IDS.tolist()):
        e = [model.embedding.table[n] for n in ids]
        products = torch.stack([torch.dot(a, b) for a, b in combinations(e, 2)])
        x = torch.cat([*e, products])
        torch.testing.assert_close(got[row], model.mlp(x[None]).squeeze(), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("fields", [2, 5])
def test_gradient_of_the_products(fields: int) -> None:
    e = torch.randn(3, fields, 4, dtype=torch.double, generator=torch.Generator().manual_seed(0), requires_grad=True)
    pairs = list(combinations(range(fields), 2))
    weights = torch.randn(3, len(pairs), dtype=torch.double, generator=torch.Generator().manual_seed(1))
    mine, naive = Products.apply(e, *pairs_of(fields)), torch.stack([(e[:, m] * e[:, n]).sum(1) for m, n in pairs], 1)
    torch.testing.assert_close(mine, naive)
    torch.testing.assert_close(*(torch.autograd.grad(out, e, weights)[0] for out in (mine, naive)))


def test_an_input_for_each_coordinate_and_each_pair(schema: Schema) -> None:
    assert full_model(small_config(model="pnn"), schema).mlp[0].in_features == 3 * 16 + 3


def test_no_first_order_weights(schema: Schema) -> None:
    names = dict(full_model(small_config(model="pnn"), schema).named_parameters())
    assert not any("first_order" in name for name in names)
