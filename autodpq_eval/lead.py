"""AutoDPQ's lead over the best baseline of a table, in words."""

from __future__ import annotations

import pandas as pd

from autodpq_eval.layout import LABELS, NAMES, p_in_words
from autodpq_eval.paper import table_value
from autodpq_eval.stats import best_baseline
from autodpq_lib.config import STRATEGIES


def lead(table: pd.DataFrame, metric: str) -> str:
    """Difference, best baseline, p by Welch, star: of one model's rows of a table of :mod:`autodpq_eval.tables`."""
    part = table[table["metric"] == metric].set_index("strategy")
    ours = part.loc["autodpq"]
    if pd.isna(ours["baseline"]):
        return f"not known in {NAMES[metric]}, for runs are missing"
    gap = ours["mean"] - part.loc[ours["baseline"], "mean"]
    star = "starred" if ours["star"] == "*" else "no star"
    told = f"best baseline {LABELS[ours['baseline']]}, {p_in_words(ours['p_welch'])}, {star}"
    return f"{gap:+.4f} in {NAMES[metric]} ({told})"


def paper_lead(metric: str) -> float:
    """AutoDPQ minus the best baseline on MovieLens-1M, as Table 1 prints them."""
    paper: dict[str, float] = {name: table_value(1, "ml-1m", "deepfm", name, metric) for name in STRATEGIES}
    return paper.pop("autodpq") - paper[best_baseline(paper, metric)]


def verdict(table: pd.DataFrame) -> str:
    """Whether AutoDPQ beats the best baseline: "both starred", as in the paper, is a yes."""
    stars = table[(table["strategy"] == "autodpq") & table["metric"].isin(NAMES)]
    if stars["baseline"].isna().any():
        return "cannot be judged, runs are missing"
    starred = [NAMES[metric] for metric in stars.loc[stars["star"] == "*", "metric"]]
    return {0: "does not hold here", 1: f"holds in {''.join(starred)} alone"}.get(len(starred), "holds here")
