"""Our call of the fused operator against torch.optim.Adam, bit for bit."""

from __future__ import annotations

import pytest
import torch

from autodpq_lib.adam import Adam


def parameters() -> list[torch.nn.Parameter]:
    generator = torch.Generator().manual_seed(0)
    return [torch.nn.Parameter(torch.randn(shape, generator=generator)) for shape in ((5, 3), (4,), ())]


def descend(optimizer: torch.optim.Adam, of: list[torch.nn.Parameter], steps: range) -> list[torch.Tensor]:
    for step in steps:
        optimizer.zero_grad()
        for n, p in enumerate(of):
            if (step + n) % 3:  # every parameter is left out now and then
                p.grad = torch.randn(p.shape, generator=torch.Generator().manual_seed(10 * step + n))
        optimizer.step()
    return [p.detach() for p in of]


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_equals_torchs_fused_adam_and_takes_its_state(decay: float) -> None:
    mine, theirs = parameters(), parameters()
    one = Adam(mine, lr=0.01, weight_decay=decay)
    other = torch.optim.Adam(theirs, lr=0.01, weight_decay=decay, fused=True)
    assert all(map(torch.equal, descend(one, mine, range(8)), descend(other, theirs, range(8))))
    again = Adam(theirs, lr=0.01, weight_decay=decay)
    again.load_state_dict(other.state_dict())
    other.load_state_dict(one.state_dict())
    assert all(map(torch.equal, descend(one, mine, range(8, 12)), descend(again, theirs, range(8, 12))))


def test_parameters_without_a_gradient_stay() -> None:
    (p, *_) = parameters()
    before = p.detach().clone()
    Adam([p], 0.1).step()
    assert torch.equal(p, before)
