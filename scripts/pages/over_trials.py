"""AutoDPQ over Random, the best baseline of Table 1 in AUC, on all seeds that Random has; a block of readings.md."""

from __future__ import annotations

from functools import cache

import pandas as pd

from autodpq_eval import readings
from autodpq_eval.batch import TABLE_SEEDS
from autodpq_eval.layout import LABELS, interval, markdown, plus_minus, tested
from autodpq_eval.plans import TEN_SEEDS, configure, under_readings
from autodpq_lib.config import RECIPES
from scripts.pages.committed import RESULTS

RANDOM = LABELS["random"]
#: Seeds on which no reading had been tried before its parts were fixed.
NEW_SEEDS = [seed for seed in TEN_SEEDS if seed not in TABLE_SEEDS]


@cache
def runs(recipe: str) -> readings.Groups:
    """Records by name, seed by seed; a reading that changes Random has one of its own."""
    plans = [
        {RANDOM: configure("ml-1m", recipe, "random", seed)}
        | under_readings(RANDOM, "random", "ml-1m", recipe, seed)
        | under_readings(readings.OURS, "autodpq", "ml-1m", recipe, seed)
        for seed in TEN_SEEDS
    ]
    return readings.groups(RESULTS, plans)


@cache
def comparisons(recipe: str) -> pd.DataFrame:
    """A row a reading and metric, corrected together."""
    return readings.comparisons(runs(recipe))


def in_words(recipe: str, reading: str) -> str:
    """The difference in AUC beside the paper's, on all seeds and on :data:`NEW_SEEDS`."""
    every = comparisons(recipe), readings.comparisons(on_new_seeds(runs(recipe)))
    row, new = (auc(rows, reading) for rows in every)
    paired = interval(row["low_paired"], row["high_paired"])
    half = plus_minus(new["effect"], new["high_paired"] - new["effect"])
    return (
        f"over {RANDOM}, {row['effect']:+.4f} ({paired}, {row['n']} seeds, {row['verdict']}; the paper "
        f"{row['paper']:+.4f}), and {half} on the {new['n']} seeds on which this reading was new"
    )


def on_new_seeds(named: readings.Groups) -> readings.Groups:
    """The records of :data:`NEW_SEEDS`."""
    return {name: [r for r in each if r.config.seed in NEW_SEEDS] for name, each in named.items()}


def auc(rows: pd.DataFrame, reading: str) -> pd.Series:
    """The row of a reading's AUC."""
    return rows[(rows["metric"] == "auc") & (rows["a"] == f"AutoDPQ, {reading}")].iloc[0]


def table() -> str:
    """A row a recipe, reading and metric."""
    rows = [
        [
            *(f"`{recipe}`", row["a"], row["b"], row["metric"], str(row["n"])),
            *(f"{row['paper']:+.4f}", f"{row['effect']:+.4f}"),
            *tested(row),
        ]
        for recipe in RECIPES
        for _, row in comparisons(recipe).iterrows()
    ]
    head = ["recipe", "", "over", "metric", "seeds", "the paper", "difference"]
    return markdown([*head, "95 %, Welch", "paired", "p Welch", "p paired", "p equal", "verdict"], rows)


BLOCKS = {"readings-random": table}
