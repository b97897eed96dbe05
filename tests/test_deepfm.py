"""DeepFM against loops, its recipes, and its initial weights."""

from __future__ import annotations

from itertools import combinations

import pytest
import torch
from conftest import small_config

from autodpq_data.schema import Schema
from autodpq_lib.models.build import full_model, others_model
from autodpq_lib.models.deepfm import Pairwise
from autodpq_lib.models.mlp import BatchNorm
from autodpq_system.seeding import seed_for

IDS = torch.tensor([[2, 6, 12], [0, 7, 13], [1, 8, 9]])


def test_forward_matches_the_formula(schema: Schema) -> None:
    model = full_model(small_config(recipe="paper"), schema).eval()
    got = model(IDS)
    for row, ids in enumerate(IDS.tolist()):
        e = [model.embedding.table[n] for n in ids]
        first = sum(model.first_order.table[n, 0] for n in ids)
        second = sum(torch.dot(a, b) for a, b in combinations(e, 2))
        deep = model.mlp(torch.cat(e)[None]).squeeze()
        torch.testing.assert_close(got[row], model.bias[0] + first + second + deep, atol=1e-5, rtol=1e-5)


def test_pairwise_by_hand() -> None:
    e = torch.tensor([[[1.0, 2.0], [3.0, -1.0], [0.5, 4.0]]])
    assert Pairwise.apply(e).item() == pytest.approx((3 - 2) + (0.5 + 8) + (1.5 - 4))


def test_gradient_of_pairwise_is_that_of_the_sum_over_pairs() -> None:
    e = torch.randn(3, 4, 5, dtype=torch.double, generator=torch.Generator().manual_seed(0), requires_grad=True)
    weights = torch.tensor([1.0, -2.0, 0.5], dtype=torch.double)
    naive = sum((e[:, m] * e[:, n]).sum(1) for m, n in combinations(range(4), 2))
    mine, expected = (torch.autograd.grad(out, e, weights)[0] for out in (Pairwise.apply(e), naive))
    torch.testing.assert_close(mine, expected)


def test_others_shares_first_order_weights_too(schema: Schema) -> None:
    model = others_model(small_config(recipe="paper"), schema)  # in which they are not all 0
    assert model.first_order.table.shape == (10, 1)
    assert model.first_order(torch.tensor([[2, 6, 9]]))[0, 0] != model.first_order(torch.tensor([[0, 6, 9]]))[0, 0]
    assert model.first_order(torch.tensor([[2, 6, 9]]))[0, 0] == model.first_order(torch.tensor([[5, 6, 9]]))[0, 0]


def test_recipes_differ_where_they_say(schema: Schema) -> None:
    paper, tuned = (full_model(small_config(recipe=recipe), schema) for recipe in ("paper", "tuned"))
    kinds = {type(layer).__name__ for layer in paper.mlp}
    assert {"BatchNorm", "Dropout"} <= kinds
    assert {type(layer).__name__ for layer in tuned.mlp} == {"Linear", "ReLU"}
    bound = (6 / (14 + 16)) ** 0.5
    assert 0.9 * bound < paper.embedding.table.abs().max() <= bound
    assert tuned.embedding.table.std().item() == pytest.approx(0.01, rel=0.15)
    torch.manual_seed(seed_for(1, "init", "first_order"))
    assert torch.equal(paper.first_order.table, torch.empty(14, 1).normal_())
    assert tuned.first_order.table.abs().max() == 0


def test_a_batch_of_one_row_is_normalised_as_in_evaluation() -> None:
    norm, reference = BatchNorm(3), torch.nn.BatchNorm1d(3)
    x = torch.randn(5, 3)
    assert torch.equal(norm(x), reference(x))
    assert torch.equal(norm(x[:1]), reference.eval()(x[:1]))
    assert norm.running_mean.equal(reference.running_mean)


def test_weight_decay_is_the_recipes() -> None:
    assert small_config(recipe="paper").base_model.weight_decay == 1e-6
    assert small_config(recipe="tuned").base_model.weight_decay == 0
