"""What the text reading's sources leave open, at other values, by validation; a block of readings.md."""

from __future__ import annotations

from functools import cache
from statistics import mean

from autodpq_eval import readings
from autodpq_eval.layout import markdown
from autodpq_eval.measures import by_seed
from autodpq_eval.plans import LEFT_OPEN, OPEN_SEEDS, left_open
from autodpq_eval.stats import paired_beside_welch, paired_effect
from autodpq_eval.words import gap, p_value
from autodpq_lib.config import RECIPES
from scripts.pages.committed import RESULTS

AS_IT_IS, *OTHERS = LEFT_OPEN


@cache
def aucs(recipe: str) -> dict[str, dict[int, float]]:
    """Validation AUC by seed, of each value that has runs."""
    runs = readings.groups(RESULTS, [left_open("ml-1m", recipe, seed) for seed in OPEN_SEEDS])
    return {name: by_seed(records, "valid auc") for name, records in runs.items() if records}


def table() -> str:
    """A row a recipe and value, with what it gains over the reading as it is; then what validation would choose."""
    rows = [[f"`{recipe}`", name, *_cells(recipe, name)] for recipe in RECIPES for name in aucs(recipe)]
    head = [
        "recipe",
        "the text reading",
        "seeds",
        "validation AUC ↑",
        "difference",
        "p paired, not corrected",
        "p Welch",
    ]
    return f"{markdown(head, rows)}\n{' '.join(map(_chosen, RECIPES))}\n"


def _cells(recipe: str, name: str) -> list[str]:
    mine = aucs(recipe)[name]
    row = paired_beside_welch(mine, aucs(recipe)[AS_IT_IS])
    tested = [gap(row), p_value(row["p"]), p_value(row["p_welch"])] if name in OTHERS else [""] * 3
    return [str(len(mine)), f"{mean(mine.values()):.4f}", *tested]


def _chosen(recipe: str) -> str:
    """What has the highest mean, and by how much."""
    best = max(aucs(recipe), key=lambda name: mean(aucs(recipe)[name].values()), default="nothing, for lack of runs")
    more = f", by {gap(paired_effect(aucs(recipe)[best], aucs(recipe)[AS_IT_IS]))}" if best in OTHERS else ""
    return f"In recipe `{recipe}` validation on these seeds would choose *{best}*{more}."


BLOCKS = {"readings-open": table}
