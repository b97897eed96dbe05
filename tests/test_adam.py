"""Our call of the fused operator against torch.optim.Adam, bit for bit."""

from __future__ import annotations

import pytest
import torch

from autodpq_lib.training.adam import Adam


def parameters() -> list[torch.nn.Parameter]:
    generator = torch.Generator().manual_seed(0)
    return [torch.nn.Parameter(torch.randn(shape, generator=generator)) for shape in ((5, 3), (4,), ())]


def descend(optimizer: Adam | torch.optim.Adam, of: list[torch.nn.Parameter], steps: range) -> list[torch.Tensor]:
    for step in steps:
        optimizer.zero_grad()
        for n, p in enumerate(of):
            if (step + n) % 3:  # every parameter is left out now and then
                p.grad = torch.randn(p.shape, generator=torch.Generator().manual_seed(10 * step + n))
        optimizer.step()
    return [p.detach() for p in of]


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_equals_torchs_fused_adam(decay: float) -> None:
    mine, theirs = parameters(), parameters()
    one = Adam(mine, lr=0.01, weight_decay=decay)
    other = torch.optim.Adam(theirs, lr=0.01, weight_decay=decay, fused=True)
    assert all(map(torch.equal, descend(one, mine, range(12)), descend(other, theirs, range(12))))


def test_state_survives_saving() -> None:
    straight, broken = parameters(), parameters()
    expected = descend(Adam(straight, lr=0.01), straight, range(12))
    first, second = Adam(broken, lr=0.01), Adam(broken, lr=0.01)
    descend(first, broken, range(7))
    second.load_state_dict(first.state_dict())
    assert all(map(torch.equal, descend(second, broken, range(7, 12)), expected))


def test_parameters_without_a_gradient_stay() -> None:
    (p, *_) = parameters()
    before = p.detach().clone()
    Adam([p], 0.1).step()
    assert torch.equal(p, before)
