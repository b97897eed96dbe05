"""Differences in words and figures."""

from __future__ import annotations

import math

import pytest

from autodpq_eval.words import judged_by_both, plus_minus, spanned


@pytest.mark.parametrize(
    ("mean", "spread", "said"),
    [
        (0.00125, 0.00049, "+0.0013 ± 0.0005"),
        (0.00003, 0.00008, "+0.0000 ± 0.0001"),
        (0.00003, 0.00001, "+0.00003 ± 0.00001"),  # where all would print as zero
        (-0.0000012, 0.000001, "-0.0000 ± 0.0000"),
        (-0.00004, math.nan, "-0.0000"),
        (math.nan, math.nan, "–"),
    ],
)
def test_a_digit_more_where_mean_and_spread_would_print_as_zero(mean: float, spread: float, said: str) -> None:
    assert plus_minus(mean, spread) == said


def test_a_mean_that_is_no_difference_has_no_sign() -> None:
    assert plus_minus(0.81234, 0.001, "") == "0.8123 ± 0.0010"


def test_an_effect_with_its_interval_and_more() -> None:
    assert spanned({"effect": 0.00125, "low": 0.0008, "high": 0.0017}) == "+0.0013 (+0.0008 to +0.0017)"
    none = {"effect": -5e-6, "low": -1.2e-5, "high": 2e-6}
    assert spanned(none, "p = 0.127", "equal") == "-0.00001 (-0.00001 to +0.00000, p = 0.127, equal)"


def test_a_judged_difference_has_both_tests_and_no_interval_where_there_is_none() -> None:
    row = {"effect": 0.0013, "low_paired": 0.0008, "high_paired": 0.0017, "verdict": "better"}
    row |= {"p_paired_holm": 0.003, "p_welch_holm": 0.567}
    said = "+0.0013 (+0.0008 to +0.0017), better; p = 0.003 paired, p = 0.567 by Welch"
    assert judged_by_both(row) == said
    one = row | {"low_paired": math.nan, "high_paired": math.nan, "p_paired_holm": math.nan, "verdict": "missing"}
    assert judged_by_both(one).startswith("+0.0013 (–), missing; no test paired")
