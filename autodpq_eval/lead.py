"""AutoDPQ's lead over the best baseline of a table, in words."""

from __future__ import annotations

from math import isnan

import pandas as pd

from autodpq_eval.layout import LABELS, NAMES, p_in_words
from autodpq_eval.paper import table_value
from autodpq_eval.stats import BETTER, LEVEL, best_baseline
from autodpq_lib.config import STRATEGIES


def lead(table: pd.DataFrame, metric: str) -> str:
    """By how much AutoDPQ is better, than whom, p by Welch, star: of one model's rows of a table."""
    part = table[table["metric"] == metric].set_index("strategy")
    ours = part.loc["autodpq"]
    if pd.isna(ours["baseline"]):
        return "not known, for runs are missing"
    gap = BETTER[metric] * (ours["mean"] - part.loc[ours["baseline"], "mean"])
    star = "starred" if ours["star"] == "*" else "worse" if ours["p_welch"] < LEVEL else "no star"
    return f"{gap:+.4f} over {LABELS[ours['baseline']]} ({p_in_words(ours['p_welch'])}, {star})"


def paper_lead(metric: str, model: str = "deepfm") -> float:
    """By how much AutoDPQ is better than the best baseline on MovieLens-1M, as Table 1 or 2 prints them."""
    every = {name: table_value("ml-1m", model, name, metric) for name in STRATEGIES}
    paper = {name: value for name, value in every.items() if not isnan(value)}
    return BETTER[metric] * (paper.pop("autodpq") - paper[best_baseline(paper, metric)])


def verdict(table: pd.DataFrame) -> str:
    """Whether AutoDPQ beats the best baseline: "both starred", as in the paper, is a yes."""
    stars = table[(table["strategy"] == "autodpq") & table["metric"].isin(NAMES)]
    if stars["baseline"].isna().any():
        return "cannot be judged, runs are missing"
    starred = [NAMES[metric] for metric in stars.loc[stars["star"] == "*", "metric"]]
    return {0: "does not hold here", 1: f"holds in {''.join(starred)} alone"}.get(len(starred), "holds here")
