"""The paper's significance test, two-sided t, in both of its readings, and the relative improvement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import stats

LEVEL = 0.05
#: +1 where higher is better, -1 where lower is.
BETTER = {"auc": 1, "auc_at_cost": 1, "logloss": -1, "space": -1, "cost": -1}
BySeed = Mapping[int, float]


@dataclass(frozen=True)
class Comparison:
    """Ours against a baseline over the same seeds.

    Attributes:
        welch, paired: two-sided p-values; None when a seed is missing or there are fewer than two.
        star: significant by Welch **and** in the right direction.
    """

    welch: float | None
    paired: float | None
    star: bool


def compare(ours: BySeed, baseline: BySeed, metric: str, seeds: int) -> Comparison:
    """Welch's test and the paired test; a missing run is a refusal, not a number."""
    if set(ours) != set(baseline) or len(ours) < max(seeds, 2):
        return Comparison(None, None, star=False)
    a = np.array([ours[seed] for seed in sorted(ours)])
    b = np.array([baseline[seed] for seed in sorted(ours)])
    if np.ptp(a) == np.ptp(b) == 0:
        return Comparison(None, None, star=False)
    welch = float(stats.ttest_ind(a, b, equal_var=False).pvalue)
    paired = float(stats.ttest_rel(a, b).pvalue) if np.ptp(a - b) else None
    better = BETTER[metric] * (a.mean() - b.mean()) > 0
    return Comparison(welch, paired, star=bool(better and welch < LEVEL))


def relative_improvement(ours: float, baseline: float, metric: str) -> float:
    """Rel.Improv. as Table 1 has it: gain over the best baseline as a share of the baseline.

    0.8147 against 0.8112 is 0.43 %, and 0.5141 against 0.5193 is 1.00 %.
    """
    return BETTER[metric] * (ours - baseline) / baseline


def best_baseline(means: Mapping[str, float], metric: str) -> str:
    """The strategy with the best mean; chosen for each metric apart, as the paper's stars require."""
    return max(means, key=lambda name: BETTER[metric] * means[name])
