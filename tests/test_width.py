"""A width by rotation: what is kept of a table, by hand and by the singular value decomposition."""

from __future__ import annotations

import torch

from benchmarks.width import kept

ROWS = torch.tensor([[3.0, 4.0], [0.8, -0.6], [6.0, 8.0]])


def test_the_main_direction_is_that_of_the_rows_that_occur() -> None:
    first, second, third = kept(ROWS, torch.tensor([1, 2, 1]), 1)
    torch.testing.assert_close(first, ROWS[0])
    torch.testing.assert_close(second, torch.zeros(2))
    torch.testing.assert_close(third, ROWS[2])
    torch.testing.assert_close(kept(ROWS, torch.tensor([0, 5, 0]), 1)[1], ROWS[1])


def test_of_equal_counts_it_is_the_best_of_its_rank() -> None:
    rows = torch.randn(40, 8, generator=torch.Generator().manual_seed(0))
    u, s, v = torch.linalg.svd(rows, full_matrices=False)
    torch.testing.assert_close(kept(rows, torch.ones(40), 3), u[:, :3] * s[:3] @ v[:3], atol=1e-5, rtol=1e-5)
