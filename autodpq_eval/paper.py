"""The paper's numbers, as facts to stand beside ours."""

from __future__ import annotations

import math
from functools import cache

import pandas as pd

from autodpq_system.paths import ROOT

FACTS = ROOT / "config" / "paper"


@cache
def numbers() -> pd.DataFrame:
    """Tables 1 and 2 as printed, all text: table, dataset, model, strategy, metric, value."""
    return pd.read_csv(FACTS / "tables.csv", dtype=str)


@cache
def published() -> pd.DataFrame:
    """The curves of Figure 3: strategy, log_time, auc."""
    return pd.read_csv(FACTS / "figure3.csv")


@cache
def _cells() -> dict[tuple[str, ...], str]:
    """Dataset, model, strategy and metric -> the number as printed."""
    return numbers().set_index(["dataset", "model", "strategy", "metric"])["value"].to_dict()


def table_value(dataset: str, model: str, strategy: str, metric: str) -> float:
    """A number of Table 1 or 2, which agree (Space in floats: 190k is 190000); NaN where both have none."""
    return as_number(_cells().get((dataset, model, strategy, metric), "nan"))


def curve_value(strategy: str, t: float) -> float:
    """AUC of a curve of Figure 3 at ``t`` FE trainings."""
    facts = published()
    before = facts[(facts["strategy"] == strategy) & (facts["log_time"] <= math.log(t) + 0.005)]
    return float(before["auc"].iloc[-1])


def as_number(text: str) -> float:
    """``190k`` -> 190000, ``151M`` -> 151000000, ``0.8147`` -> 0.8147."""
    unit = {"k": 1_000, "M": 1_000_000}.get(text[-1])
    return float(text[:-1]) * unit if unit else float(text)


def truncated(space: int) -> str:
    """Space as the paper prints it: whole thousands or millions, cut off, not rounded; a decimal below ten million."""
    if 1_000_000 <= space < 10_000_000:
        return f"{space // 100_000 / 10:.1f}M"
    return f"{space // 1_000_000}M" if space >= 1_000_000 else f"{space // 1_000}k"
