"""Equations 2 and 3 against loops; the search's mixture and its decision."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from autodpq_data.schema import Schema
from autodpq_lib.embedding.candidates import Candidates, FieldNorm
from autodpq_lib.embedding.dpq import DPQ
from autodpq_lib.embedding.quantiser import Coding

PAIRS = [(2, 2), (2, 4), (4, 2), (4, 4)]
IDS = torch.tensor([[2, 6, 12], [3, 7, 13], [4, 8, 9], [5, 6, 10], [2, 6, 9]])


pytestmark = pytest.mark.usefixtures("compiler")


def normal(tensor: Tensor) -> Tensor:
    return tensor.normal_()


def candidates(schema: Schema, coding: Coding = Coding(), **options: object) -> Candidates:
    torch.manual_seed(2)
    return Candidates(schema, 16, normal, PAIRS, coding, **options)


def test_field_norm_matches_the_equation() -> None:
    norm, e = FieldNorm(3, 4), torch.randn(6, 3, 4)
    got = norm(e)
    for t in range(3):
        for x in range(4):
            column = e[:, t, x]
            variance = sum((v - column.mean()) ** 2 for v in column) / 6
            torch.testing.assert_close(got[:, t, x], (column - column.mean()) / (variance + 1e-5) ** 0.5)


def test_field_norm_equals_batchnorm_without_affine() -> None:
    norm, reference = FieldNorm(2, 4), nn.BatchNorm1d(8, affine=False)
    for rows in (5, 3):
        e = torch.randn(rows, 2, 4)
        torch.testing.assert_close(norm(e).flatten(1), reference(e.flatten(1)))
    assert torch.equal(norm.mean, reference.running_mean)
    assert torch.equal(norm.variance, reference.running_var)


@pytest.mark.parametrize("rows", [0, 1])
def test_field_norm_with_too_few_rows_uses_and_keeps_the_running_statistics(rows: int) -> None:
    norm = FieldNorm(2, 4)
    norm(torch.randn(5, 2, 4))
    mean, variance = norm.mean.clone(), norm.variance.clone()
    e = torch.randn(rows, 2, 4)
    expected = (e.flatten(1) - mean) / (variance + 1e-5).sqrt()
    torch.testing.assert_close(norm(e).flatten(1), expected)
    assert torch.equal(norm.mean, mean)
    assert torch.equal(norm.variance, variance)


def test_the_scale_of_the_raw_rows_follows_to_another_type_and_is_not_kept() -> None:
    norm = FieldNorm(2, 4)
    norm.bring_back_to(torch.randn(5, 4))
    kept = norm.state_dict()
    assert norm.double()(torch.randn(3, 2, 4).double()).dtype == torch.float64
    assert sorted(kept) == ["mean", "variance"]


@pytest.mark.parametrize("batchnorm", [True, False])
def test_mixture_matches_equation_3(schema: Schema, batchnorm: bool) -> None:
    module = candidates(schema, batchnorm=batchnorm)
    module.alpha.data.normal_()
    module.tau = 0.7
    torch.manual_seed(5)
    got = module(IDS)
    torch.manual_seed(5)
    noise = -torch.empty(2, 4).exponential_().log()
    for m, n in ((0, 0), (2, 1)):
        logits = [(module.alpha[n, t].item() + noise[n, t].item()) / 0.7 for t in range(4)]
        p = torch.tensor(logits).softmax(0)
        low = schema.low[IDS[:, m]]
        expected = torch.zeros(int(low.sum()), 16)
        for t, (k, d) in enumerate(module.pairs):
            quantiser, place = module.quantiser(schema.fields[m], (k, d))
            raw = module.table[IDS[low, m]]
            decoded = quantiser.decode(quantiser.encode(raw))[:, place]
            if batchnorm:
                decoded = (decoded - decoded.mean(0)) / (decoded.var(0, unbiased=False) + 1e-5).sqrt()
            expected += p[t] * decoded
        torch.testing.assert_close(got[low, m], expected, atol=1e-5, rtol=1e-5)
        assert torch.equal(got[~low, m], module.table[IDS[~low, m]])


def test_gumbel_softmax_has_the_right_distribution(schema: Schema) -> None:
    """At a temperature near zero candidate t wins with probability softmax(alpha)_t."""
    module = candidates(schema)
    module.alpha.data[:] = torch.tensor([0.0, 1.0, 2.0, -1.0])
    module.tau = 1e-3
    torch.manual_seed(0)
    wins = torch.stack([module.probabilities().argmax(1) for _ in range(4000)]).flatten()
    share = torch.bincount(wins, minlength=4) / len(wins)
    assert (share - torch.softmax(module.alpha[0], 0)).abs().max() < 0.02


def test_evaluation_divides_by_tau_too(schema: Schema) -> None:
    module = candidates(schema).eval()
    module.alpha.data[:] = torch.tensor([0.0, 1.0, -torch.inf, -torch.inf])
    module.tau = 0.5
    assert module.probabilities()[0, 1].item() == pytest.approx(1 / (1 + math.exp(-2)))


def test_each_field_keeps_the_scale_of_its_own_rows(schema: Schema) -> None:
    module = candidates(schema)
    module.keep_scale()
    for norm, rows in zip(module.norms, (module.table[2:6], module.table[12:14]), strict=True):
        torch.testing.assert_close(norm.scale, rows.std(0, correction=0))
        torch.testing.assert_close(norm.shift, rows.mean(0))


def test_evaluation_has_no_noise(schema: Schema) -> None:
    module = candidates(schema).eval()
    assert torch.equal(module.probabilities(), torch.softmax(module.alpha / module.tau, 1))
    assert torch.equal(module(IDS), module(IDS))


@pytest.mark.parametrize("ids", [[[1, 6, 9], [0, 7, 10]], [[1, 6, 9], [3, 7, 10]]], ids=["no low row", "one low row"])
def test_any_number_of_low_rows(schema: Schema, ids: list[list[int]]) -> None:
    module = candidates(schema)
    module(torch.tensor(ids)).sum().backward()
    assert torch.isfinite(module.table.grad).all()


def test_gradients_reach_alpha_centroids_and_raw_rows(schema: Schema) -> None:
    module = candidates(schema)
    module(IDS).square().sum().backward()
    assert (module.alpha.grad.abs().sum(1) > 0).all()
    assert all(p.grad.abs().sum() > 0 for p in module.quantisers.parameters())
    assert module.table.grad.abs().sum(1).nonzero().squeeze(1).tolist() == sorted(set(IDS.flatten().tolist()))


def test_decision_is_the_largest_alpha_and_names_the_right_pair(schema: Schema) -> None:
    module = candidates(schema)
    assert sorted(module.pairs) == PAIRS
    module.alpha.data.zero_()
    module.alpha.data[0, module.pairs.index((4, 2))] = 1
    module.alpha.data[1, module.pairs.index((2, 4))] = 1
    assert module.decision() == {"a": (4, 2), "c": (2, 4)}


@pytest.mark.parametrize("tied", [True, False])
def test_retrain_adopts_the_chosen_candidates_centroids(schema: Schema, tied: bool) -> None:
    mixture = candidates(schema, Coding(tied=tied), batchnorm=False)
    decision = {"a": (2, 4), "c": (4, 2)}
    chosen = DPQ(schema, 16, normal, decision, Coding(tied=tied))
    chosen.table.data.copy_(mixture.table.data)
    chosen.adopt(mixture)
    mixture.alpha.data.fill_(-1e9)
    for n, name in enumerate(schema.low_fields):
        mixture.alpha.data[n, mixture.pairs.index(decision[name])] = 0
    torch.testing.assert_close(chosen.eval()(IDS), mixture.eval()(IDS), atol=0, rtol=0)


def test_without_quantising_the_mixture_is_the_raw_vector(schema: Schema) -> None:
    module = candidates(schema, batchnorm=False, quantise=False)
    torch.testing.assert_close(module(IDS), module.table[IDS])
