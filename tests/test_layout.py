"""Differences in words and figures."""

from __future__ import annotations

import math

import pytest

from autodpq_eval.layout import plus_minus, spanned


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
