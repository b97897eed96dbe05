"""Power and exaggeration, against known values and a naive loop."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import ttest_1samp, ttest_ind

from autodpq_eval.power import draw, of_pairs, power, table


def test_power_without_a_gap_is_half_the_level_and_grows_with_it() -> None:
    welch, paired, exaggeration = power(0.0, 0.0005, 3)
    assert math.isnan(exaggeration)
    assert paired == pytest.approx(0.025, abs=0.004)  # the other half has the other sign
    assert welch < 0.025
    grown = [power(gap, 0.0005, 3)[0] for gap in (0.0, 0.0005, 0.001, 0.002)]
    assert grown == sorted(grown)


@pytest.mark.parametrize(("runs", "welch", "paired"), [(3, 0.37, 0.29), (5, 0.76, 0.66), (10, 0.99, 0.98)])
def test_power_at_a_gap_of_two_standard_deviations(runs: int, welch: float, paired: float) -> None:
    assert power(0.001, 0.0005, runs)[:2] == pytest.approx((welch, paired), abs=0.015)


@pytest.mark.parametrize("runs", [3, 10])
def test_power_at_the_spread_of_pairs_is_that_of_a_loop(runs: int) -> None:
    gaps = np.random.default_rng(3).normal(0.001, 0.0012, (20_000, runs))
    found = ttest_1samp(gaps, 0, axis=1)
    assert of_pairs(0.001, 0.0012, runs) == pytest.approx(
        ((found.pvalue < 0.05) & (found.statistic > 0)).mean(), abs=0.01
    )


def test_gaps_that_are_found_exaggerate_where_power_is_low() -> None:
    rng = np.random.default_rng(5)
    a, b = rng.normal(0.001, 0.0009, (20_000, 3)), rng.normal(0, 0.0009, (20_000, 3))
    starred = np.abs(a.mean(1) - b.mean(1))[ttest_ind(a, b, axis=1, equal_var=False).pvalue < 0.05]
    assert power(0.001, 0.0009, 3).exaggeration == pytest.approx(starred.mean() / 0.001, rel=0.03)
    assert power(0.01, 0.0009, 10).exaggeration == pytest.approx(1, abs=0.01)


def test_the_table_has_power_at_the_margin_by_metric_and_runs() -> None:
    made = table({"auc": 0.0009, "logloss": 0.0021}).set_index(["metric", "runs"])
    assert made.loc[("auc", 3), "welch"] == power(0.001, 0.0009, 3).welch
    assert made.loc[("logloss", 10), "exaggeration"] == power(0.001, 0.0021, 10).exaggeration


def test_a_panel_a_metric() -> None:
    titles = [axis.get_title(loc="left") for axis in draw({"auc": 0.0009, "logloss": 0.0021}).axes]
    assert titles == ["AUC, sd 0.0009 over seeds", "logloss, sd 0.0021 over seeds"]


def test_a_line_a_test_and_number_of_runs_and_the_papers_gaps() -> None:
    """Of logloss, where the paper's gain counts, too, though lower is better there."""
    axis = draw({"logloss": 0.0021}).axes[0]
    gaps = [line.get_xdata()[0] for line in axis.lines if line.get_linestyle() == ":"]
    assert gaps == pytest.approx([0.001, 0.0052])
    for name in ("Welch", "paired"):
        line = next(line for line in axis.lines if line.get_label().lower() == f"3 runs, {name}".lower())
        assert line.get_ydata()[-1] == getattr(power(line.get_xdata()[-1], 0.0021, 3), name.lower())
