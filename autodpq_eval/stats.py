"""The paper's significance test, two-sided t, in both of its readings, what stands beside it, and Rel.Improv."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

LEVEL = 0.05
#: A difference below this is none: the level that the paper calls significant.
MARGIN = 0.001
#: +1 where higher is better, -1 where lower is.
BETTER = {"auc": 1, "auc_at_cost": 1, "logloss": -1, "space": -1, "cost": -1}
#: What a paired test gives beside the mean.
PAIRED = ("low", "high", "p", "p_equal")
#: Differences that are this close are one.
ROUNDING = 1e-12
BySeed = Mapping[int, float]


def effect(ours: BySeed, baseline: BySeed) -> dict[str, float]:
    """Mean of ours minus mean of base; its 95 % interval and p-value, by Welch and by the paired test; both n.

    All runs of both count, whatever their seeds; fewer than two of either give no test. Paired, and in the test of
    equivalence, are the seeds that both have, see :func:`paired_effect`.
    """
    a, b = (np.array([runs[seed] for seed in sorted(runs)]) for runs in (ours, baseline))
    result = {"n": len(a), "n_base": len(b), "effect": a.mean() - b.mean() if len(a) and len(b) else np.nan}
    result |= dict.fromkeys(("low", "high", "p_welch", *(f"{key}_paired" for key in PAIRED)), np.nan)
    if min(len(a), len(b)) < 2:
        return result
    result |= _welch(a, b)
    pairs = paired_effect(ours, baseline)
    return result | {f"{key}_paired": pairs[key] for key in PAIRED}


def _welch(a: NDArray[np.float64], b: NDArray[np.float64]) -> dict[str, float]:
    """Interval and p by Welch's test; without any spread on either side, what they tend to."""
    gap = a.mean() - b.mean()
    if np.ptp(a) == np.ptp(b) == 0:
        return {"low": gap, "high": gap, "p_welch": float(gap == 0)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # scipy warns where one side has no spread; the test stands
        test = stats.ttest_ind(a, b, equal_var=False)
    low, high = test.confidence_interval(0.95)
    return {"low": low, "high": high, "p_welch": test.pvalue}


def starred(difference: Mapping[str, float], metric: str) -> bool:
    """The star of the tables: an :func:`effect` in the right direction that Welch's test shows."""
    return bool(BETTER[metric] * difference["effect"] > 0 and difference["p_welch"] < LEVEL)


def paired_effect(ours: BySeed, baseline: BySeed, margin: float = MARGIN) -> dict[str, float]:
    """Mean of the differences over the seeds that both have, its 95 % interval, p by the paired test, their number.

    *p_equal* is that of two one-sided tests: below 0.05 it says that there is no difference of ``margin``, where a
    large *p* only says that none was shown. Without any spread both are what they tend to, 0 or 1.
    """
    differences = gaps(ours, baseline)
    result = {"n": len(differences)} | dict.fromkeys(("effect", *PAIRED), np.nan)
    if len(differences) < 2:
        return result
    mean, equal = differences.mean(), max(_above(differences, -margin), _above(-differences, -margin))
    if np.ptp(differences) < ROUNDING:
        whole = dict.fromkeys(("effect", "low", "high"), mean)
        return result | whole | {"p": float(abs(mean) < ROUNDING), "p_equal": equal}
    test = stats.ttest_1samp(differences, 0)
    low, high = test.confidence_interval(0.95)
    return result | {"effect": mean, "low": low, "high": high, "p": test.pvalue, "p_equal": equal}


def _above(differences: NDArray[np.float64], least: float) -> float:
    """The p of a one-sided test that the mean lies above ``least``; without any spread what it tends to, 0 or 1."""
    if np.ptp(differences) < ROUNDING:
        return float(differences.mean() <= least)
    return float(stats.ttest_1samp(differences, least, alternative="greater").pvalue)


def paired_beside_welch(ours: BySeed, baseline: BySeed) -> dict[str, float]:
    """:func:`paired_effect`, and *p_welch*, the p-value of Welch's test on the same seeds."""
    return paired_effect(ours, baseline) | {"p_welch": effect(*common(ours, baseline))["p_welch"]}


def no_worse(ours: BySeed, baseline: BySeed) -> float:
    """Non-inferiority: the p of a one-sided paired test that ours lies less than :data:`MARGIN` below the baseline.

    For a metric of which more is better. Without any spread it is what it tends to, 0 or 1.
    """
    differences = gaps(ours, baseline)
    return _above(differences, -MARGIN) if len(differences) > 1 else math.nan


def by_ranks(ours: BySeed, baseline: BySeed) -> dict[str, float]:
    """Hodges and Lehmann's estimate of the differences over the seeds that both have, and its exact 95 % interval.

    The estimate is the median of the means of all pairs of differences, each difference with itself among them. The
    interval is what the exact signed-rank test does not reject: it takes the differences to be symmetric, not normal.
    Fewer than six pairs have none, for their smallest two-sided p is above 0.05; then its ends are NaN.
    """
    differences = gaps(ours, baseline)
    means = np.sort((differences[:, None] + differences)[np.triu_indices(len(differences))] / 2)
    cut = _cut(len(differences))
    low, high = (means[cut - 1], means[-cut]) if cut else (np.nan, np.nan)
    return {"centre": float(np.median(means)) if len(differences) else np.nan, "rank low": low, "rank high": high}


def _cut(pairs: int) -> int:
    """How many of the smallest signed-rank sums have at most ``LEVEL / 2`` probability together, if signs are random.

    With ``c`` of them, the interval's ends are the ``c``-th smallest and the ``c``-th largest mean of two differences.
    """
    ways = np.ones(1)  # of signs, by the sum of the positive ranks
    for rank in range(1, pairs + 1):
        ways = np.convolve(ways, [1, *[0] * (rank - 1), 1])
    return int((ways.cumsum() / 2**pairs <= LEVEL / 2).sum())


def gaps(ours: BySeed, baseline: BySeed) -> NDArray[np.float64]:
    """Ours minus base over the seeds that both have, in their order."""
    return np.array([ours[seed] - baseline[seed] for seed in sorted({*ours} & {*baseline})])


def common(a: BySeed, b: BySeed) -> tuple[dict[int, float], dict[int, float]]:
    """Both, on the seeds that both have."""
    both = sorted({*a} & {*b})
    return {seed: a[seed] for seed in both}, {seed: b[seed] for seed in both}


def verdict(row: Mapping[str, float]) -> str:
    """*better* or *worse* by the paired test, *equal* within the margin by two one-sided ones, else *open*.

    All after Holm's correction. The paired test decides, for a seed gives both sides of a pair the same order of the
    data and the same start of the weights that they share. A difference can be both shown and smaller than the margin;
    then both are said.
    """
    if np.isnan(row["p_paired_holm"]):
        return "missing"
    shown = ("better" if row["effect"] > 0 else "worse") if row["p_paired_holm"] < LEVEL else ""
    equal = f"equal within {MARGIN:g}" if row["p_equal_paired_holm"] < LEVEL else ""
    return ", ".join(filter(None, (shown, equal))) or "open"


def corrected(rows: Sequence[Mapping[str, object]]) -> pd.DataFrame:
    """Comparisons as a table, with each test's p-values corrected by Holm over all of its rows, and the verdicts.

    Raises:
        ValueError: there is none.
    """
    if not rows:
        raise ValueError("comparisons: expected runs of both sides, found none")
    table = pd.DataFrame(rows)
    for column in ("p_welch", "p_paired", "p_equal_paired"):
        table[f"{column}_holm"] = holm(table[column].to_numpy(float))
    return table.assign(verdict=[verdict(row) for _, row in table.iterrows()])


def with_intervals(rows: Sequence[Mapping[str, object]]) -> pd.DataFrame:
    """Of the comparisons those of ``n`` > 1 seeds, as a table: one pair has no interval."""
    table = pd.DataFrame(rows)
    return table[table["n"] > 1].reset_index(drop=True)


def holm(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Holm's step-down adjusted p-values; NaN stays NaN and counts for nothing."""
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known])]
    adjusted = np.full_like(p, np.nan)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(order), 0, -1)), 1)
    return adjusted


def hedges_g(ours: BySeed, baseline: BySeed) -> float:
    """Difference of the means in pooled standard deviations, corrected for small samples."""
    a, b = np.array(list(ours.values())), np.array(list(baseline.values()))
    freedom = len(a) + len(b) - 2
    if min(len(a), len(b)) < 2 or np.ptp(a) == np.ptp(b) == 0:
        return float("nan")
    pooled = np.sqrt(((len(a) - 1) * a.var(ddof=1) + (len(b) - 1) * b.var(ddof=1)) / freedom)
    return float((a.mean() - b.mean()) / pooled * (1 - 3 / (4 * freedom - 1)))


def relative_improvement(ours: float, baseline: float, metric: str) -> float:
    """Rel.Improv. as Table 1 has it: gain over the best baseline as a share of the baseline.

    0.8147 against 0.8112 is 0.43 %, and 0.5141 against 0.5193 is 1.00 %.
    """
    return BETTER[metric] * (ours - baseline) / baseline


def auc_error(auc: float, positives: float, negatives: float) -> float:
    """Standard error of an AUC on so many samples of each label, by Hanley and McNeil's formula (1982)."""
    # Probability that two positives both score above one negative, and that one positive scores above two negatives.
    two_positives, two_negatives = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    more = (positives - 1) * (two_positives - auc**2) + (negatives - 1) * (two_negatives - auc**2)
    return float(np.sqrt((auc * (1 - auc) + more) / (positives * negatives)))


def best_baseline(means: Mapping[str, float], metric: str) -> str:
    """The strategy with the best mean; chosen for each metric apart, as the paper's stars require."""
    return max(means, key=lambda name: BETTER[metric] * means[name])
