"""results/README.md: Tables 1 and 2 of both recipes, ten seeds, the ledger's counts, and the cost."""

from __future__ import annotations

import pandas as pd

from autodpq_eval.cost import costs, epoch_seconds, wall_minutes, whole
from autodpq_eval.layout import LABELS, as_markdown, markdown
from autodpq_eval.ledger import counts
from autodpq_eval.plans import plan
from autodpq_eval.tables import read_plan
from autodpq_eval.ten_seeds import by_strategy, comparisons
from autodpq_lib.config import RECIPES
from scripts.pages.committed import RESULTS, SEEDS, both_tables, claims, runs, table

#: Of ten seeds; Grid's is the pair that Table 1's Grid found best.
BASELINES = {"fe": "FE", "others": "Others", "grid": "Grid's best pair"}


def ten_seeds() -> str:
    """AutoDPQ against FE, Others and Grid's best pair: differences with their intervals, and both tests corrected."""
    head = ["AutoDPQ over", "metric", "recipe", "difference", "95 % interval", "p Welch, Holm", "p paired, Holm"]
    return markdown(head, [row for recipe in RECIPES for row in _ten_seeds(recipe)])


def _ten_seeds(recipe: str) -> list[list[str]]:
    records, gaps = read_plan(RESULTS, plan("seeds", "ml-1m", recipe, SEEDS, out=RESULTS))
    if gaps:
        return [[*gaps[:1], "", f"`{recipe}`", "", "", "", ""]]
    found = comparisons(by_strategy(records))
    return [
        [
            *(BASELINES[row["b"]], LABELS[row["metric"]].rstrip(" ↑↓"), f"`{recipe}`", f"{row['effect']:+.4f}"),
            f"{row['low']:+.4f} to {row['high']:+.4f}",
            *(f"{row[p]:.3f}" if row[p] >= 0.001 else "< 0.001" for p in ("p_welch_holm", "p_paired_holm")),
        ]
        for _, row in found[found["a"] == "autodpq"].iterrows()
    ]


def ledger() -> str:
    """Rows of the ledger by kind, verdict and recipe."""
    found = counts(claims()).reset_index()
    return markdown(list(found.columns), found.astype(str).to_numpy().tolist())


def cost() -> str:
    """Seconds an epoch, AutoDPQ's parts in FE trainings, and the whole batch, by recipe."""
    head = (
        "recipe",
        "FE, seconds an epoch",
        "FE, seconds in all",
        "AutoDPQ in FE trainings: pretrain + search + retrain",
        "all runs, minutes",
        "core-minutes",
        "core-seconds a pass",
    )
    return markdown(head, [_cost(recipe) for recipe in RECIPES])


def _cost(recipe: str) -> list[str]:
    records = runs(recipe).records
    each: pd.DataFrame = costs(records)
    units = each["seconds, in FE trainings"]
    parts = " + ".join(f"{units[f'AutoDPQ: {part}']:.1f}" for part in ("pretrain", "search", "retrain"))
    minutes, a_pass = whole(both_tables(recipe))
    return [
        *(f"`{recipe}`", f"{epoch_seconds(records):.2f}", f"{each.loc['FE', 'seconds']:.0f}"),
        f"{parts} = {units['AutoDPQ']:.1f}",
        *(f"{wall_minutes(both_tables(recipe)):.0f}", f"{minutes:.0f}", f"{a_pass:.2f}"),
    ]


BLOCKS = {
    "table1-paper": lambda: as_markdown(table("paper")),
    "table1-tuned": lambda: as_markdown(table("tuned")),
    "table2-paper": lambda: as_markdown(table("paper", 2)),
    "table2-tuned": lambda: as_markdown(table("tuned", 2)),
    "ten-seeds": ten_seeds,
    "ledger": ledger,
    "cost": cost,
}
