"""AutoDPQ over Random, the best baseline of Table 1 in AUC, on all seeds that Random has; a block of readings.md."""

from __future__ import annotations

from functools import cache

import pandas as pd

from autodpq_eval import readings
from autodpq_eval.layout import LABELS, interval, markdown, tested
from autodpq_eval.plans import TEN_SEEDS, configure
from autodpq_lib.config import CHANGED_BY, READINGS, RECIPES
from scripts.pages.committed import RESULTS

#: Those that take Random as it is.
SAME = [reading for reading in READINGS if "random" not in CHANGED_BY.get(reading, ())]
RANDOM = LABELS["random"]


@cache
def comparisons(recipe: str) -> pd.DataFrame:
    """A row a reading and metric, corrected together."""
    plans = [
        {RANDOM: configure("ml-1m", recipe, "random", seed)}
        | {f"AutoDPQ, {r}": configure("ml-1m", recipe, "autodpq", seed, reading=r) for r in SAME}
        for seed in TEN_SEEDS
    ]
    return readings.comparisons(readings.groups(RESULTS, plans))


def in_words(recipe: str, reading: str) -> str:
    """The difference in AUC beside the paper's, its paired interval, the number of seeds and the verdict."""
    rows = comparisons(recipe)
    row = rows[(rows["metric"] == "auc") & (rows["a"] == f"AutoDPQ, {reading}")].iloc[0]
    paired = interval(row["low_paired"], row["high_paired"])
    ours = f"{paired} over {row['n']} seeds, {row['verdict']}"
    return f"{row['effect']:+.4f} ({ours}) over {RANDOM}, the best of the four (the paper {row['paper']:+.4f})"


def table() -> str:
    """A row a recipe, reading and metric."""
    rows = [
        [
            *(f"`{recipe}`", row["a"], row["metric"], str(row["n"]), f"{row['paper']:+.4f}", f"{row['effect']:+.4f}"),
            *tested(row),
        ]
        for recipe in RECIPES
        for _, row in comparisons(recipe).iterrows()
    ]
    head = ["recipe", "", "metric", "seeds", "the paper", "difference", "95 %, Welch", "paired", "p Welch", "p paired"]
    return markdown([*head, "p equal", "verdict"], rows)


BLOCKS = {"readings-random": table}
