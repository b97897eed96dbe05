"""What it is worth to train several times and keep the run that is best on validation, as Grid and Random do."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb


def best_of(k: int, valid: Sequence[float], test: Sequence[float]) -> float:
    """Expected test AUC of the run that is best on validation among k of n runs, drawn without replacement.

    ``sum_r C(r - 1, k - 1) / C(n, k) t_r``: r ranks the runs on validation, n the best, and t is their test AUC.

    Args:
        k: from 1, the mean of all, to n, their best alone.
        valid: validation AUC of each run.
        test: test AUC of each run.
    """
    ranked = [t for _, t in sorted(zip(valid, test, strict=True))]
    return sum(comb(rank, k - 1) * t for rank, t in enumerate(ranked)) / comb(len(ranked), k)
