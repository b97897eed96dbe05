"""Keeping the best of several runs by validation."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from autodpq_eval.best_of import best_of

VALID = [0.70, 0.75, 0.72, 0.71, 0.78]
TEST = [0.60, 0.69, 0.66, 0.70, 0.68]


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5])
def test_is_the_mean_over_all_subsets(k: int) -> None:
    kept = [TEST[max(each, key=VALID.__getitem__)] for each in combinations(range(5), k)]
    assert best_of(k, VALID, TEST) == pytest.approx(np.mean(kept), abs=1e-12)


def test_one_is_the_mean_and_all_is_the_best_on_validation() -> None:
    assert best_of(1, VALID, TEST) == pytest.approx(0.666)
    assert best_of(5, VALID, TEST) == 0.68
