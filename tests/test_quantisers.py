"""The quantisers of all fields in C against those of torch, one by one."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from autodpq_lib.embedding.quantiser import Coding, Quantiser
from autodpq_lib.embedding.quantisers import SOURCE, quantise
from autodpq_lib.native.compiled import library

needs_compiler = pytest.mark.skipif(library(SOURCE) is None, reason="no C compiler")
#: Vectors of each field: some, none, one.
ROWS = [9, 0, 1, 20]


def normal(tensor: Tensor) -> Tensor:
    return tensor.normal_(0, 0.5)


def fields(sizes: list[int], subspaces: list[int], **options: object) -> list[list[Quantiser]]:
    torch.manual_seed(1)
    return [[Quantiser(sizes, d, 16, normal, Coding(**options)) for d in subspaces] for _ in ROWS]


def vectors() -> Tensor:
    return torch.randn(sum(ROWS), 16, generator=torch.Generator().manual_seed(3), requires_grad=True)


def results(of: list[list[Quantiser]], dtype: torch.dtype = torch.float32) -> tuple[Tensor, list[Tensor | None]]:
    """Vectors, and the gradients of the raw ones and of every table; float64 is left to torch."""
    e = vectors().to(dtype)
    for quantiser in (quantiser for field in of for quantiser in field):
        quantiser.to(dtype)
    out = quantise(e, ROWS, of)
    weights = torch.randn(out.shape, generator=torch.Generator().manual_seed(4)).to(dtype)
    parameters = [p for field in of for quantiser in field for p in quantiser.parameters()]
    return out.detach(), list(torch.autograd.grad(out, [e, *parameters], weights, allow_unused=True))


@needs_compiler
@pytest.mark.parametrize("tau", [1.0, 0.3])
@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize(("sizes", "subspaces"), [([16], [4]), ([8, 16, 32], [2, 4, 8]), ([1, 3, 11], [1, 16])])
def test_c_equals_torch(sizes: list[int], subspaces: list[int], tied: bool, tau: float) -> None:
    out, grads = results(fields(sizes, subspaces, tied=tied, tau=tau))
    wanted, wanted_grads = results(fields(sizes, subspaces, tied=tied, tau=tau), torch.float64)
    assert torch.equal(out, wanted.float())
    for grad, expected in zip(grads, wanted_grads, strict=True):
        assert (grad is None) == (expected is None)
        if expected is not None and grad is not None:
            torch.testing.assert_close(grad.double(), expected, atol=1e-5, rtol=1e-5)


@needs_compiler
@pytest.mark.parametrize("tau", [1e-4, 0.02])
def test_a_small_temperature(monkeypatch: pytest.MonkeyPatch, tau: float) -> None:
    """On integers, whose responses are exact: dividing by tau would blow their rounding up."""

    def found() -> tuple[Tensor, list[Tensor | None]]:
        of = fields([8, 11], [2], tau=tau)
        for field in of:
            field[0].centroids.data.round_()
        e = vectors().detach().round_().requires_grad_()
        out = quantise(e, ROWS, of)
        return out.detach(), list(torch.autograd.grad(out.sum(), [e, of[0][0].centroids]))

    out, grads = found()
    monkeypatch.setattr("autodpq_lib.embedding.quantisers.library", lambda _: None)
    wanted, wanted_grads = found()
    assert torch.equal(out, wanted)
    for grad, expected in zip(grads, wanted_grads, strict=True):
        torch.testing.assert_close(tau * grad, tau * expected, atol=1e-5, rtol=1e-5)


@needs_compiler
def test_equal_responses_choose_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """As torch's argmax does, or training and evaluation would differ."""
    for count in (3, 8, 20):
        quantiser = Quantiser([count], 2, 16, torch.zero_)
        quantiser.centroids.data[0, :, count // 2 :, 0] = 1
        quantiser.values = torch.nn.Parameter(torch.randn_like(quantiser.centroids))
        e = torch.ones(1, 16)
        assert torch.equal(quantise(e, [1], [[quantiser]]), quantiser.decode(quantiser.encode(e)))
        assert quantiser.encode(e).flatten().tolist() == [count // 2] * 2


@needs_compiler
def test_each_quantiser_has_its_own_temperature() -> None:
    found = []
    for dtype in (torch.float32, torch.float64):
        of = fields([8], [2])
        of[0][0].tau = 0.5
        found.append(results(of, dtype)[1])
    for mine, expected in zip(*found, strict=True):
        if mine is not None and expected is not None:
            torch.testing.assert_close(mine.double(), expected, atol=1e-5, rtol=1e-5)


def test_sizes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        quantise(vectors(), [29, 1], fields([8], [2])[:1])


@needs_compiler
def test_raw_vectors_and_gradients_may_lie_anywhere() -> None:
    of = fields([8], [2])
    apart = torch.randn(16, sum(ROWS)).T.requires_grad_()
    together = apart.detach().contiguous().requires_grad_()
    weights = torch.randn(16, 1, sum(ROWS)).permute(2, 1, 0)
    grads = [
        torch.autograd.grad(quantise(e, ROWS, of), e, g)[0] for e, g in ((apart, weights), (together, weights.clone()))
    ]
    assert torch.equal(*grads)


@needs_compiler
@pytest.mark.parametrize(("dtype", "noise"), [(torch.float32, True), (torch.float64, False)])
def test_what_c_does_not_know_is_left_to_torch(
    monkeypatch: pytest.MonkeyPatch, dtype: torch.dtype, noise: bool
) -> None:
    monkeypatch.setattr("autodpq_lib.embedding.quantisers.QuantisersInC", None)
    out, _ = results(fields([8], [2], noise=noise), dtype)
    assert out.dtype == dtype
