"""Equation 1, its decoding and its gradient, against loops written from the equations."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from autodpq_lib.embedding.quantiser import Coding, Quantiser


def normal(tensor: Tensor) -> Tensor:
    return tensor.normal_()


def vectors(rows: int = 7, dim: int = 16) -> Tensor:
    return torch.randn(rows, dim, generator=torch.Generator().manual_seed(3), requires_grad=True)


def naive(q: Quantiser, e: Tensor, t: int, k: int) -> tuple[list[list[int]], Tensor]:
    """Codes and vectors of Eq. 1, one number at a time."""
    parts = q.centroids.shape[1]
    width = e.shape[1] // parts
    codes, out = [], []
    for row in e:
        code, pieces = [], []
        for i in range(parts):
            part = row[i * width : (i + 1) * width]
            dots = [sum((part[j] * q.centroids[t, i, c, j]).item() for j in range(width)) for c in range(k)]
            code.append(max(range(k), key=lambda c, dots=dots: dots[c]))
            pieces += [q.decoder[t, i, code[-1], j] for j in range(width)]
        codes.append(code)
        out.append(torch.stack(pieces))
    return codes, torch.stack(out)


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("subspaces", [1, 2, 4, 8])
def test_codes_and_vectors_match_the_equation(subspaces: int, tied: bool) -> None:
    sizes = [2, 8, 5]
    q, e = Quantiser(sizes, subspaces, 16, normal, Coding(tied=tied)), vectors()
    given, codes = q(e), q.encode(e)
    for t, k in enumerate(sizes):
        expected_codes, expected = naive(q, e.detach(), t, k)
        assert codes[t].T.tolist() == expected_codes
        assert torch.equal(given[:, t], expected)


def autograd_form(q: Quantiser, e: Tensor) -> Tensor:
    """The textbook straight-through: a one-hot choice with the softmax's gradient."""
    responses = q.responses(e)
    soft = torch.softmax(responses / q.coding.tau, -1)
    hard = F.one_hot(responses.argmax(-1), soft.shape[-1])
    return torch.einsum("tdpk,tdkw->ptdw", hard + soft - soft.detach(), q.decoder).flatten(2)


@pytest.mark.parametrize("tau", [1.0, 0.3])
@pytest.mark.parametrize("tied", [True, False])
def test_gradient_is_the_softmaxs(tied: bool, tau: float) -> None:
    q, e = Quantiser([3, 8], 4, 16, normal, Coding(tied=tied, tau=tau)), vectors()
    upstream = torch.randn(7, 2, 16)
    mine = torch.autograd.grad(q(e), [e, *q.parameters()], upstream)
    expected = torch.autograd.grad(autograd_form(q, e), [e, *q.parameters()], upstream)
    for got, want in zip(mine, expected, strict=True):
        torch.testing.assert_close(got, want, atol=1e-5, rtol=1e-5)


def test_gradient_by_hand() -> None:
    """One subspace of width 1: responses e q_k, s = softmax, de = sum_k s_k (u_k - <s, u>) q_k."""
    q = Quantiser([2], 1, 1, normal)
    q.centroids.data = torch.tensor([1.0, -2.0]).view(1, 1, 2, 1)
    e = torch.tensor([[0.5]], requires_grad=True)
    q(e).sum().backward()
    s = math.exp(0.5) / (math.exp(0.5) + math.exp(-1.0))
    mean = s * 1 + (1 - s) * -2
    by_hand = s * (1 - mean) * 1 + (1 - s) * (-2 - mean) * -2
    assert e.grad.item() == pytest.approx(by_hand, abs=1e-6)


def test_small_temperature_leaves_no_encoder_gradient() -> None:
    q, e = Quantiser([8], 2, 16, normal, Coding(tau=1e-4)), vectors()
    q(e).sum().backward()
    assert e.grad.abs().max() < 1e-6
    assert q.centroids.grad.abs().max() > 0


def test_padded_centroids_are_never_chosen_and_never_move() -> None:
    q, e = Quantiser([2, 8], 2, 16, normal), -vectors().abs()
    q.centroids.data[0, :, :2] = 1.0  # negative responses: a padded zero would win
    assert q.encode(e)[0].max() < 2
    q(e).sum().backward()
    assert q.centroids.grad[0, :, 2:].abs().max() == 0
    assert q.centroids[0, :, 2:].abs().max() == 0


def test_evaluation_decodes_integer_codes_bit_for_bit() -> None:
    q, e = Quantiser([4, 8], 4, 16, normal), vectors()
    trained = q(e)
    q.eval()
    assert torch.equal(q(e), q.decode(q.encode(e)))
    assert torch.equal(q(e), trained)


def test_noise_changes_codes_in_training_only() -> None:
    q, e = Quantiser([8], 2, 16, lambda x: normal(x) * 0.01, Coding(noise=True)), vectors()
    torch.manual_seed(0)
    assert not torch.equal(q(e), q(e))
    q.eval()
    assert torch.equal(q(e), q(e))


def test_no_rows() -> None:
    q = Quantiser([4], 2, 16, normal)
    assert q(torch.empty(0, 16)).shape == (0, 1, 16)


def test_tied_table_is_one_parameter() -> None:
    assert len(list(Quantiser([4], 2, 16, normal).parameters())) == 1
    assert len(list(Quantiser([4], 2, 16, normal, Coding(tied=False)).parameters())) == 2


def test_a_second_derivative_is_refused() -> None:
    """Codes jump, so it would be one of the softmax alone; C has none either."""
    e = vectors()
    with torch.random.fork_rng():
        out = Quantiser([4], 2, 16, normal, Coding())(e)
    (first,) = torch.autograd.grad(out.square().sum(), e, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.square().sum().backward()
