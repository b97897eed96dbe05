"""AutoDPQ over Grid and Random, which keep the best of several trials, on all seeds; a block of readings.md."""

from __future__ import annotations

from functools import cache

import pandas as pd

from autodpq_eval import readings
from autodpq_eval.batch import TABLE_SEEDS
from autodpq_eval.layout import LABELS, markdown
from autodpq_eval.plans import TEN_SEEDS, configure, under_readings
from autodpq_eval.words import TESTED, tested
from autodpq_lib.config import RECIPES, RunConfig
from scripts.pages.committed import RESULTS

GRID, RANDOM = (LABELS[name] for name in ("grid", "random"))
#: Seeds on which no reading had been tried before its parts were fixed.
NEW_SEEDS = [seed for seed in TEN_SEEDS if seed not in TABLE_SEEDS]


@cache
def runs(recipe: str) -> readings.Groups:
    """Records by name, seed by seed; a reading that changes Grid and Random has them of its own."""
    return readings.groups(RESULTS, [_plan(recipe, seed) for seed in TEN_SEEDS])


def _plan(recipe: str, seed: int) -> dict[str, RunConfig]:
    plan = {name: configure("ml-1m", recipe, readings.PAPER[name], seed) for name in (GRID, RANDOM)}
    for name in (GRID, RANDOM, readings.OURS):
        plan |= under_readings(name, readings.PAPER[name], "ml-1m", recipe, seed)
    return plan


@cache
def comparisons(recipe: str) -> pd.DataFrame:
    """A row a reading, baseline and metric, corrected together."""
    return readings.comparisons(runs(recipe))


def on_new_seeds(named: readings.Groups) -> readings.Groups:
    """The records of :data:`NEW_SEEDS`."""
    return {name: [r for r in each if r.config.seed in NEW_SEEDS] for name, each in named.items()}


def auc(rows: pd.DataFrame, reading: str) -> pd.Series:
    """The row of a reading's AUC over Random."""
    over = rows["b"].str.startswith(RANDOM) & (rows["metric"] == "auc")
    return rows[over & (rows["a"] == f"{readings.OURS}, {reading}")].iloc[0]


def table() -> str:
    """A row a recipe, baseline, reading and metric."""
    rows = [
        [
            *(f"`{recipe}`", row["a"], row["b"], row["metric"], str(row["n"])),
            *(f"{row['paper']:+.4f}", f"{row['effect']:+.4f}"),
            *tested(row),
        ]
        for recipe in RECIPES
        for _, row in comparisons(recipe).iterrows()
    ]
    head = ["recipe", "", "over", "metric", "seeds", "the paper", "difference", *TESTED]
    return markdown(head, rows)


BLOCKS = {"readings-trials": table}
