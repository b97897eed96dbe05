"""An effect, its interval and its tests in words, for sentences and for cells of tables."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import pandas as pd


def p_value(value: float) -> str:
    """Three decimals, a dash where there is no test."""
    return "–" if pd.isna(value) else f"{value:.3f}" if value >= 0.001 else "< 0.001"


def p_in_words(value: float) -> str:
    """``p = 0.012``, ``p < 0.001``, or that there is no test."""
    return "no test" if pd.isna(value) else f"p = {value:.3f}" if value >= 0.001 else "p < 0.001"


def interval(low: float, high: float) -> str:
    """``-0.0001 to +0.0025``."""
    return "–" if pd.isna(low) else f"{low:+.4f} to {high:+.4f}"


def plus_minus(mean: float, spread: float, sign: str = "+", digits: int | None = None) -> str:
    """A mean and its spread, or the half width of its interval, where there is one; ``digits`` if not by their size."""
    if pd.isna(mean):
        return "–"
    if pd.isna(spread):
        return f"{mean:{sign}.4f}"
    digits = digits or _digits_of(mean, spread)
    return f"{mean:{sign}.{digits}f} ± {spread:.{digits}f}"


def _digits_of(*numbers: float) -> int:
    """Four, or one more where all would print as zero and then don't."""
    printed = {digits: any(round(number, digits) for number in numbers) for digits in (4, 5)}
    return 5 if printed[5] and not printed[4] else 4


def gap(effect: Mapping[str, float] | pd.Series) -> str:
    """``+0.0013 ± 0.0005``: an effect with half of its interval."""
    return plus_minus(effect["effect"], effect["high"] - effect["effect"])


def spanned(effect: Mapping[str, float] | pd.Series, *more: str) -> str:
    """``+0.0013 (+0.0008 to +0.0017, p < 0.001)``: an effect with its interval, and what more is said of it."""
    numbers = [effect[key] for key in ("effect", "low", "high")]
    mean, low, high = (f"{number:+.{_digits_of(*numbers)}f}" for number in numbers)
    between = "–" if pd.isna(effect["low"]) else f"{low} to {high}"
    return f"{mean} ({', '.join((between, *more))})"


def from_to(numbers: Collection[int]) -> str:
    """``3 to 10``; one number where they are the same."""
    return " to ".join(dict.fromkeys((f"{min(numbers):.0f}", f"{max(numbers):.0f}")))


def judged(row: Mapping[str, Any] | pd.Series) -> str:
    """``+0.0013 (+0.0008 to +0.0017), better``: an effect with its paired interval and its verdict."""
    paired = {"effect": row["effect"], "low": row["low_paired"], "high": row["high_paired"]}
    return f"{spanned(paired)}, {row['verdict']}"


def judged_by_both(row: Mapping[str, Any] | pd.Series) -> str:
    """:func:`judged`, then ``; p = 0.003 paired, p = 0.567 by Welch``."""
    return f"{judged(row)}; {both_tests(row)}"


def both_tests(row: Mapping[str, Any] | pd.Series, corrected: str = "_holm") -> str:
    """``p = 0.003 paired, p = 0.567 by Welch``: corrected by Holm unless ``corrected`` is empty."""
    paired, welch = (p_in_words(row[f"{test}{corrected}"]) for test in ("p_paired", "p_welch"))
    return f"{paired} paired, {welch} by Welch"


#: Heads of the cells of :func:`tested`.
TESTED = ("95 %, Welch", "paired", "p Welch", "p paired", "p equal", "verdict")


def tested(row: Mapping[str, Any] | pd.Series) -> list[str]:
    """Cells of a difference: both intervals, the p-values of both tests and of equivalence, corrected, the verdict."""
    return [
        *(interval(row[f"low{test}"], row[f"high{test}"]) for test in ("", "_paired")),
        *(p_value(row[f"{test}_holm"]) for test in ("p_welch", "p_paired", "p_equal_paired")),
        row["verdict"],
    ]
