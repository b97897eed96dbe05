"""The paper's lead of one strategy over another, and AutoDPQ's over the best baseline of a table, in words."""

from __future__ import annotations

from collections.abc import Mapping
from math import isnan
from typing import NamedTuple

import pandas as pd

from autodpq_eval.layout import LABELS, NAMES
from autodpq_eval.paper import table_value
from autodpq_eval.stats import BETTER, LEVEL, best_baseline
from autodpq_eval.words import interval, p_in_words, p_value
from autodpq_lib.config import STRATEGIES

MISSING = "not known, for runs are missing"


class Lead(NamedTuple):
    """By how much AutoDPQ is better, the 95 % interval by Welch, than whom, p by both tests, the star in words."""

    gap: float
    low: float
    high: float
    over: str
    p: float
    p_paired: float
    star: str


def over_best(table: pd.DataFrame, metric: str) -> Lead | None:
    """The lead over the best baseline, of one model's rows of a table; None where runs are missing."""
    part = table[table["metric"] == metric].set_index("strategy")
    ours = part.loc["autodpq"]
    if pd.isna(ours["baseline"]):
        return None
    theirs, sign, p = part.loc[ours["baseline"]], BETTER[metric], ours["p_welch"]
    low, high = sorted(sign * ours[end] for end in ("low", "high"))
    star = "starred" if ours["star"] == "*" else "against it" if p < LEVEL else "no star"
    over, gap = LABELS[ours["baseline"]], sign * (ours["mean"] - theirs["mean"])
    return Lead(gap, low, high, over, p, ours["p_paired"], star)


def lead(table: pd.DataFrame, metric: str) -> str:
    """``-0.0032 over Others (p = 0.026, against it)``: the lead of :func:`over_best`, p not corrected."""
    each = over_best(table, metric)
    return f"{each.gap:+.4f} over {each.over} ({p_in_words(each.p)}, {each.star})" if each else MISSING


def lead_between(table: pd.DataFrame, metric: str) -> str:
    """``-0.0032 (-0.0057 to -0.0007) over Others, p = 0.026 (paired 0.041), against it``: with interval and both p."""
    if not (each := over_best(table, metric)):
        return MISSING
    paired = "" if isnan(each.p_paired) else f" (paired {p_value(each.p_paired)})"
    both = f"{p_in_words(each.p)}{paired}"
    return f"{each.gap:+.4f} ({interval(each.low, each.high)}) over {each.over}, {both}, {each.star}"


def gain(metric: str, over: str, model: str = "deepfm", ours: str = "autodpq", dataset: str = "ml-1m") -> float:
    """By how much a strategy is better than another, as Tables 1 and 2 print both; negative where it is worse."""
    a, b = (table_value(dataset, model, name, metric) for name in (ours, over))
    return BETTER[metric] * (a - b)


def paper_lead(metric: str, model: str = "deepfm") -> float:
    """By how much AutoDPQ is better than the best baseline on MovieLens-1M, as Table 1 or 2 prints them."""
    every = {name: table_value("ml-1m", model, name, metric) for name in STRATEGIES if name != "autodpq"}
    return gain(metric, best_baseline({name: each for name, each in every.items() if not isnan(each)}, metric), model)


def below(leads: Mapping[str, tuple[Lead, float]]) -> str:
    """How many intervals lie wholly below the paper's lead, which stands beside each, and the names of the others."""
    others = [name for name, (ours, paper) in leads.items() if not ours.high < paper]
    said = f"Of these {len(leads)} intervals over the best baseline {len(leads) - len(others)} lie wholly below"
    return f"{said} the paper's lead; the rest: {'; '.join(others) or 'none'}."


def verdict(table: pd.DataFrame) -> str:
    """Whether AutoDPQ beats the best baseline: "both starred", as in the paper, is a yes."""
    stars = table[(table["strategy"] == "autodpq") & table["metric"].isin(NAMES)]
    if stars["baseline"].isna().any():
        return "cannot be judged, runs are missing"
    starred = [NAMES[metric] for metric in stars.loc[stars["star"] == "*", "metric"]]
    if len(starred) == 1:
        return f"holds in {starred[0]} alone"
    return "holds here" if starred else "does not hold here"
