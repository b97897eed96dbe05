"""The t-tests, the star's tail, and Rel.Improv. as the paper defines it."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from scipy.stats import t as student
from scipy.stats import ttest_ind, wilcoxon

from autodpq_eval.stats import (
    _cut,
    auc_error,
    best_baseline,
    by_ranks,
    corrected,
    effect,
    no_worse,
    paired_beside_welch,
    paired_effect,
    relative_improvement,
    starred,
)

OURS = {1: 0.8147, 2: 0.8150, 3: 0.8144}
BASE = {1: 0.8112, 2: 0.8110, 3: 0.8115}


def mean(values: dict[int, float]) -> float:
    return sum(values.values()) / len(values)


def variance(values: dict[int, float]) -> float:
    return sum((v - mean(values)) ** 2 for v in values.values()) / (len(values) - 1)


def test_welch_by_hand() -> None:
    a, b = variance(OURS) / 3, variance(BASE) / 3
    statistic = (mean(OURS) - mean(BASE)) / math.sqrt(a + b)
    freedom = (a + b) ** 2 / (a**2 / 2 + b**2 / 2)
    expected = 2 * student.sf(abs(statistic), freedom)
    assert effect(OURS, BASE)["p_welch"] == pytest.approx(expected, abs=1e-9)


def test_paired_by_hand() -> None:
    gaps = {seed: OURS[seed] - BASE[seed] for seed in OURS}
    expected = 2 * student.sf(abs(mean(gaps)) / math.sqrt(variance(gaps) / 3), 2)
    assert effect(OURS, BASE)["p_paired"] == pytest.approx(expected, abs=1e-9)


def test_star_needs_significance_in_the_right_direction() -> None:
    assert starred(effect(OURS, BASE), "auc")
    assert not starred(effect(BASE, OURS), "auc")  # significant, and worse
    assert starred(effect(BASE, OURS), "logloss")  # lower is better
    assert not starred(effect(OURS, {1: 0.8100, 2: 0.8200, 3: 0.8000}), "auc")
    assert not starred(effect({1: 0.8}, {1: 0.7}), "auc")


@pytest.mark.parametrize(
    ("ours", "baseline", "metric", "printed"),
    [
        (0.8147, 0.8112, "auc", "0.43%"),
        (0.5141, 0.5193, "logloss", "1.00%"),
        (0.7894, 0.7879, "auc", "0.19%"),
        (0.3732, 0.3751, "logloss", "0.51%"),
    ],
)
def test_relative_improvement_gives_the_papers_four_values(
    ours: float, baseline: float, metric: str, printed: str
) -> None:
    assert f"{relative_improvement(ours, baseline, metric):.2%}" == printed


def test_best_baseline_is_chosen_per_metric() -> None:
    """DCN of Table 2: the best logloss is Others', the best AUC Random's."""
    assert best_baseline({"others": 0.8105, "random": 0.8119}, "auc") == "random"
    assert best_baseline({"others": 0.5193, "random": 0.5208}, "logloss") == "others"


def test_equivalence_by_hand() -> None:
    """t = (gap -+ margin) / (s / sqrt(n)) with n - 1 degrees of freedom, on either side."""
    ours, baseline = {1: 1.0, 2: 1.25, 3: 1.4}, {1: 1.1, 2: 1.3, 3: 1.5}
    gaps = np.array([-0.1, -0.05, -0.1])
    error = gaps.std(ddof=1) / 3**0.5
    by_hand = max(student.sf((gaps.mean() + 0.5) / error, 2), student.cdf((gaps.mean() - 0.5) / error, 2))
    assert paired_effect(ours, baseline, 0.5)["p_equal"] == pytest.approx(by_hand, abs=1e-9)
    assert effect(ours, baseline)["p_equal_paired"] == pytest.approx(paired_effect(ours, baseline)["p_equal"], abs=0)


def test_no_worse_by_hand() -> None:
    """Gaps of -0.0005, 0.0001 and -0.0002: t = (-0.0002 + 0.001) / (0.0003 / root 3) with two degrees of freedom."""
    ours, baseline = {1: 0.7995, 2: 0.8001, 3: 0.7998, 4: 0.1}, dict.fromkeys((1, 2, 3), 0.8)
    assert no_worse(ours, baseline) == pytest.approx(student.sf(0.0008 / (0.0003 / 3**0.5), 2), abs=1e-9)
    assert no_worse(baseline, ours) < 0.05 < no_worse({1: 0.7985, 2: 0.7989, 3: 0.799}, baseline)
    level = {1: 0.5, 2: 0.25}
    assert [no_worse({s: x - gap for s, x in level.items()}, level) for gap in (0.0, 0.125)] == [0, 1]
    assert math.isnan(no_worse({1: 0.8}, baseline))


def test_equivalence_needs_two_pairs_and_without_spread_all_is_certain() -> None:
    assert math.isnan(paired_effect({1: 0.8, 3: 0.7}, {1: 0.8, 2: 0.7})["p_equal"])
    same = paired_effect({1: 1.0, 2: 2.0}, {1: 0.5, 2: 1.5})
    assert [same[key] for key in ("effect", "low", "high", "p", "p_equal")] == [0.5, 0.5, 0.5, 0, 1]
    rounded = paired_effect({1: 0.80, 2: 0.81, 3: 0.82}, {1: 0.70, 2: 0.71, 3: 0.72})
    assert [rounded["p"], rounded["p_equal"]] == [0, 1]
    constant = effect({1: 0.8, 2: 0.8}, {1: 0.7, 2: 0.7})
    assert [constant[key] for key in ("low", "p_welch", "p_paired")] == pytest.approx([0.1, 0, 0])
    runs = {1: 0.8, 2: 0.81}
    assert [paired_effect(runs, runs)[key] for key in ("effect", "p", "p_equal")] == [0, 1, 0]
    found = effect(runs, runs)
    assert corrected([found])["verdict"].tolist() == ["equal within 0.001"]
    assert math.isnan(effect({1: 0.8, 2: 0.81}, {3: 0.8, 4: 0.82})["p_equal_paired"])


def test_equivalence_is_corrected_over_the_rows_that_are_tested() -> None:
    """By hand: 0.02 counts twice, 0.03 once, and not less than what comes before it; one that is not tested, not."""
    row = {"effect": 0.0002, "p_welch": 0.5, "p_paired": 0.5}
    found = corrected([row | {"p_equal_paired": p} for p in (0.03, 0.02, math.nan)])
    assert found["p_equal_paired_holm"].tolist() == pytest.approx([0.04, 0.04, math.nan], nan_ok=True)
    alone, beside = (corrected([row | {"p_equal_paired": 0.03}] * n)["verdict"][0] for n in (1, 2))
    assert (alone, beside) == ("equal within 0.001", "open")


def test_the_paired_effect_by_hand() -> None:
    ours, baseline = {1: 0.801, 2: 0.802, 3: 0.803, 9: 0.9}, {1: 0.8, 2: 0.8, 3: 0.8, 7: 0.1}
    found = paired_effect(ours, baseline)
    half = 4.302653 * 0.001 / 3**0.5  # t of two degrees of freedom
    p = 2 * student.sf(0.002 / (0.001 / 3**0.5), 2)
    hand = {"n": 3, "effect": 0.002, "low": 0.002 - half, "high": 0.002 + half, "p": p}
    assert found.pop("p_equal") > 0.5  # the margin is 0.001
    assert found == pytest.approx(hand, abs=1e-8)


def test_one_pair_has_no_paired_effect() -> None:
    found = paired_effect({1: 0.8}, {1: 0.7})
    assert found["n"] == 1
    assert math.isnan(found["effect"])


def test_the_estimate_by_ranks_by_hand() -> None:
    """Of 1, 2 and 6 the means of pairs are 1, 1.5, 2, 3.5, 4 and 6; a fourth seed has no partner."""
    ours, baseline = {1: 1.0, 2: 2.0, 3: 6.0, 4: 9.0}, {1: 0.0, 2: 0.0, 3: 0.0, 5: 9.0}
    found = by_ranks(ours, baseline)
    assert found["centre"] == 2.75
    assert math.isnan(found["rank low"])
    assert math.isnan(by_ranks(ours, {})["centre"])


def test_ten_pairs_cut_the_signed_rank_distribution_where_all_signs_do() -> None:
    """All 1024 of them; the interval covers 95.1 %. Five pairs have no interval of 95 %, six have one of 96.9 %."""
    sums = np.array([sum(rank for rank, sign in enumerate(signs, 1) if sign) for signs in product((0, 1), repeat=10)])
    below = [(sums < place).mean() for place in (_cut(10), _cut(10) + 1)]
    assert below[0] <= 0.025 < below[1]
    assert 1 - 2 * below[0] == pytest.approx(0.951, abs=5e-4)
    assert [_cut(pairs) for pairs in (5, 6)] == [0, 1]


def test_the_interval_by_ranks_is_what_scipy_s_exact_test_does_not_reject() -> None:
    gaps = np.random.default_rng(1).exponential(size=10)
    found = by_ranks(dict(enumerate(gaps)), dict.fromkeys(range(10), 0.0))
    for end, out in (("rank low", -1e-9), ("rank high", 1e-9)):
        ps = [wilcoxon(gaps - found[end] - step, method="exact").pvalue for step in (out, -out)]
        assert ps[0] < 0.05 < ps[1]


def test_the_error_of_an_auc_is_that_of_exponential_scores() -> None:
    """For which Hanley and McNeil's formula is exact: the spread of AUC over many draws, by a loop."""
    rng = np.random.default_rng(0)
    aucs = [np.greater.outer(rng.exponential(3, 20), rng.exponential(1, 40)).mean() for _ in range(4000)]
    assert np.mean(aucs) == pytest.approx(0.75, abs=0.003)
    assert auc_error(0.75, 20, 40) == pytest.approx(np.std(aucs), rel=0.03)


def test_welchs_p_beside_the_paired_effect_is_that_of_the_common_seeds() -> None:
    ours, base = {1: 0.80, 2: 0.83, 3: 0.81, 4: 0.99}, {1: 0.79, 2: 0.80, 3: 0.80, 5: 0.10}
    found = paired_beside_welch(ours, base)
    expected = ttest_ind([0.80, 0.83, 0.81], [0.79, 0.80, 0.80], equal_var=False).pvalue
    assert found["p_welch"] == pytest.approx(expected, rel=1e-9)
    assert found["effect"] == pytest.approx(0.05 / 3)
