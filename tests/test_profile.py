"""A step's time by kind of work."""

from time import sleep

import pytest
import torch

from benchmarks.profile import ELEMENTWISE, KINDS, PYTHON, as_table, by_kind


def test_kinds_and_python_add_up_to_the_whole():
    table, rows, matrix = torch.randn(1000, 16), torch.randint(1000, (20_000,)), torch.randn(16, 16)

    def step():
        e = table.index_select(0, rows) @ matrix
        sleep(0.05)  # so long that a slow operator does not hide it
        return e.square()

    found = by_kind(step, 5, warm=1)
    kinds = [*KINDS, ELEMENTWISE]
    assert all(found[kind] > 0 for kind in ("gather", "products", ELEMENTWISE))
    assert found["scatter"] == found["optimiser"] == 0
    assert found[PYTHON] > 45
    assert sum(found[kind] for kind in kinds) + found[PYTHON] == pytest.approx(found["whole"])
    assert found["floor"] == pytest.approx(found["gather"] + found["products"])
    assert as_table({"x": found}).loc["x", "whole / floor"] == pytest.approx(found["whole"] / found["floor"])
