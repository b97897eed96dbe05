"""results/readings-tables.md: Tables 1 and 2 under each reading, on our split and on the laboratory's."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from itertools import product

import pandas as pd

from autodpq_eval import readings
from autodpq_eval.layout import LABELS, NAMES, as_markdown, markdown
from autodpq_eval.words import interval, p_value
from autodpq_lib.config import READINGS, RECIPES
from scripts.pages import committed


def tables(reading: str) -> str:
    """Tables 1 and 2 under a reading, in both recipes, and what is not run yet."""
    return "\n".join(_table(recipe, number, reading) for recipe, number in product(RECIPES, (1, 2)))


def _table(recipe: str, number: int, reading: str) -> str:
    rows, gaps = committed.table(recipe, number, reading), len(committed.runs(recipe, number, reading).gaps)
    if rows.loc[rows["strategy"] == "autodpq", "n"].eq(0).all():
        return f"Table {number}, recipe `{recipe}`: not run yet.\n"
    left = f" Runs that are missing: {gaps}." if gaps else ""
    return f"Table {number}, recipe `{recipe}`.{left}\n\n{as_markdown(rows)}"


def laboratory_tables() -> str:
    """Table 1 on the laboratory's split under each reading, in its code's recipe, and what AutoDPQ leads by there."""
    return f"{_shown(1)}\n{readings.starred(on_laboratory_split(1))}\n"


def _shown(number: int) -> str:
    """A table on the laboratory's split under each reading."""
    return "\n".join(
        f"The {reading} reading.\n\n{as_markdown(there)}" for reading, there in on_laboratory_split(number).items()
    )


def on_laboratory_split(number: int) -> dict[str, pd.DataFrame]:
    """Reading -> Table 1 or 2 on the laboratory's split, in its code's recipe."""
    return {reading: committed.table("paper", number, reading, "laboratory") for reading in READINGS}


@cache
def on_other_models() -> pd.DataFrame:
    """The ledger's comparisons on the laboratory's split with PNN and DCN, model and metric in columns of their own."""
    rows = committed.claims().query("split == 'laboratory' and kind == 'comparison'")
    parts = rows["id"].str.extract(r"^(?P<model>pnn|dcn)-(?P<over>others|random)-(?P<metric>auc|logloss)$")
    rows = rows.join(parts).dropna(subset="model")
    return rows.assign(model=rows["model"].map(LABELS), metric=rows["metric"].map(NAMES), over=rows["over"].map(LABELS))


def other_models() -> str:
    """What Table 2 has on the laboratory's split: AutoDPQ over Others and Random, by reading and model."""
    rows = [
        [
            *(
                f"`{row['recipe']}`",
                row["reading"],
                row["model"],
                row["over"],
                row["metric"],
                f"{row['n']:.0f}",
                row["paper"],
            ),
            *(f"{row['ours']:+.4f}", interval(row["low"], row["high"])),
            *(p_value(row[p]) for p in ("p_welch_holm", "p_paired_holm", "p_equal_paired_holm")),
            row["verdict"],
        ]
        for _, row in on_other_models().iterrows()
    ]
    head = ["recipe", "reading", "model", "AutoDPQ over", "metric", "seeds", "the paper", "ours", "95 %, Welch"]
    return markdown([*head, "p Welch", "p paired", "p equal", "verdict"], rows)


BLOCKS: dict[str, Callable[[], str]] = {
    "tables-text": partial(tables, "text"),
    "tables-laboratory": partial(tables, "laboratory"),
    "laboratory-tables": laboratory_tables,
    "laboratory-table-2": partial(_shown, 2),
    "laboratory-models": other_models,
}
