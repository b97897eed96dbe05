"""The quantisers of all fields in C against those of torch, one by one."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import autodpq_native as native
from autodpq_lib.embedding.quantiser import Coding, Quantiser
from autodpq_lib.embedding.quantisers import quantise

needs_compiler = pytest.mark.skipif(not native.available(), reason="no C compiler")
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
    monkeypatch.setattr(native, "available", lambda: False)
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
        of[0][0].coding = Coding(tau=0.5)
        found.append(results(of, dtype)[1])
    for mine, expected in zip(*found, strict=True):
        if mine is not None and expected is not None:
            torch.testing.assert_close(mine.double(), expected, atol=1e-5, rtol=1e-5)


class Biased(Quantiser):
    """The nearest centroid, where ``2 <e, c> - |c|^2`` is largest; with an offset to be learned, and other values."""

    def __init__(self, *given: object, **options: object) -> None:
        super().__init__(*given, **options)
        self.offset = nn.Parameter(normal(torch.empty(self.centroids.shape[:3])))

    @property
    def decoder(self) -> Tensor:
        return self.centroids.sin()

    def keys_and_bias(self) -> tuple[Tensor, Tensor]:
        return 2 * self.centroids, self.offset - self.centroids.square().sum(-1)


def naive(quantiser: Quantiser, e: Tensor) -> Tensor:
    """``onehot + (s - s.detach())``, one vector, table and subspace after the other: ``[P, X]`` -> ``[P, T, X]``."""
    (keys, bias), values = quantiser.keys_and_bias(), quantiser.decoder
    rows = []
    for row in e:
        for t, size in enumerate(quantiser.sizes.tolist()):
            for d, part in enumerate(row.view(keys.shape[1], -1)):
                responses = torch.stack([part.dot(keys[t, d, k]) + bias[t, d, k] for k in range(size)])
                soft = torch.softmax(responses / quantiser.coding.tau, 0)
                hard = F.one_hot(responses.argmax(), size)
                rows.append((hard + soft - soft.detach()) @ values[t, d, :size])
    return torch.stack(rows).view(len(e), len(quantiser.sizes), -1)


@pytest.mark.usefixtures("compiler")
@pytest.mark.parametrize("tau", [1.0, 0.3])
@pytest.mark.parametrize(("sizes", "subspaces"), [([16], 4), ([8, 16, 3], 2), ([1, 11], 16)])
def test_a_bias_is_part_of_the_responses_and_has_a_gradient(sizes: list[int], subspaces: int, tau: float) -> None:
    """In C and in torch, with and without padding, and on from the tables to what they are made of."""
    torch.manual_seed(1)
    biased = Biased(sizes, subspaces, 16, normal, Coding(tau=tau))
    e = torch.randn(9, 16, requires_grad=True)
    weights = torch.randn(9, len(sizes), 16)
    out = quantise(e, [9], [[biased]])
    grads = torch.autograd.grad(out, [e, *biased.parameters()], weights)
    exact = e.detach().double().requires_grad_()
    expected = naive(biased.double(), exact)
    wanted = torch.autograd.grad(expected, [exact, *biased.parameters()], weights.double())
    torch.testing.assert_close(out.double(), expected, atol=1e-6, rtol=1e-6)
    for grad, want in zip(grads, wanted, strict=True):
        torch.testing.assert_close(grad.double(), want, atol=1e-5, rtol=1e-5)


@needs_compiler
def test_quantisers_with_and_without_a_bias_go_together() -> None:
    torch.manual_seed(1)
    of = [[Biased([8], 2, 16, normal), Quantiser([4], 4, 16, normal)]]
    e = torch.randn(5, 16, requires_grad=True)
    apart = torch.cat([quantiser(e) for quantiser in of[0]], 1)
    together = quantise(e, [5], of)
    assert torch.equal(together, apart)
    parameters = [e, *(p for quantiser in of[0] for p in quantiser.parameters())]
    for mine, expected in zip(
        *(torch.autograd.grad(x.cos().sum(), parameters) for x in (together, apart)), strict=True
    ):
        torch.testing.assert_close(mine, expected, atol=1e-5, rtol=1e-5)


@needs_compiler
def test_a_table_that_changes_before_its_gradient_is_noticed() -> None:
    of = fields([8], [2])
    out = quantise(vectors(), ROWS, of)
    with torch.no_grad():
        of[0][0].centroids.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        out.sum().backward()


@pytest.mark.usefixtures("compiler")
def test_sizes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        quantise(vectors(), [29, 1], fields([8], [2])[:1])
    with pytest.raises(ValueError, match="sizes: expected a sum of 30, the number of vectors, found 29"):
        quantise(vectors(), [9, 0, 1, 19], fields([8], [2]))


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
    monkeypatch.setattr("autodpq_lib.embedding.quantisers.InC", None)
    out, _ = results(fields([8], [2], noise=noise), dtype)
    assert out.dtype == dtype
