"""Rows of a table and their gradient, against index_select."""

from __future__ import annotations

import pytest
import torch

import autodpq_native as native
from autodpq_lib.embedding.rows import rows


@pytest.mark.skipif(not native.available(), reason="no C compiler")
@pytest.mark.parametrize("width", [1, 3, 16])
@pytest.mark.parametrize("count", [0, 1, 50])
def test_rows_and_gradient_equal_index_selects(width: int, count: int) -> None:
    generator = torch.Generator().manual_seed(0)
    table = torch.randn(7, width, generator=generator, requires_grad=True)
    numbers = torch.randint(7, (count,), generator=generator)  # most rows many times
    weights = torch.randn(width, count, generator=generator).T  # and not contiguous
    got, wanted = rows(table, numbers), table.index_select(0, numbers)
    assert torch.equal(got, wanted)
    assert type(got.grad_fn).__name__ == "RowsInCBackward"
    assert torch.equal(*(torch.autograd.grad(out, table, weights)[0] for out in (got, wanted)))


def test_without_a_compiler_it_is_index_select(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "available", lambda: False)
    found = rows(torch.zeros(3, 2, requires_grad=True), torch.tensor([1]))
    assert type(found.grad_fn).__name__ == "IndexSelectBackward0"


def test_numbers_of_another_type_are_left_to_torch() -> None:
    table = torch.zeros(3, 2, requires_grad=True)
    rows(table, torch.tensor([1, 1, 2], dtype=torch.int32)).sum().backward()
    assert table.grad is not None
    assert table.grad.tolist() == [[0, 0], [2, 2], [1, 1]]
