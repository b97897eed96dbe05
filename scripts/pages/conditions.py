"""results/conditions.md: what the paper's gain could be made of."""

from __future__ import annotations

from functools import cache

import pandas as pd
from matplotlib.figure import Figure

from autodpq_eval import conditions, ladder
from autodpq_eval.layout import markdown
from autodpq_eval.paper import gain
from autodpq_lib.config import RECIPES
from scripts.pages.committed import RESULTS


@cache
def tables() -> dict[str, pd.DataFrame]:
    """Recipe -> a row a condition and baseline."""
    return {recipe: conditions.table(RESULTS, recipe) for recipe in RECIPES}


def data() -> pd.DataFrame:
    """What the picture shows."""
    return pd.concat([of.assign(recipe=recipe) for recipe, of in tables().items()], ignore_index=True)


def draw(table: pd.DataFrame) -> Figure:
    """See :func:`autodpq_eval.conditions.draw`."""
    return conditions.draw({str(recipe): of for recipe, of in table.groupby("recipe", sort=False)})


def numbers() -> str:
    """A row a recipe and condition, both baselines beside each other."""
    rows = []
    for (recipe, name), of in data().groupby(["recipe", "condition"], sort=False):
        over = of.set_index("over")
        cells = [_cell(over.loc[key]) if key in over.index else "" for key in ("FE", "Others")]
        seeds = "/".join(f"{n:.0f}" for n in dict.fromkeys(of["n"]))
        rows.append([f"`{recipe}`", f"{name} †" if of["on test"].any() else str(name), seeds, *cells])
    head = ["recipe", "condition", "seeds"]
    gaps = [f"over {name}, the paper {gain('auc', key):+.4f}" for key, name in (("fe", "FE"), ("others", "Others"))]
    return markdown([*head, *gaps], rows)


def _cell(row: pd.Series) -> str:
    return f"{row['effect']:+.4f} ({row['low']:+.4f} to {row['high']:+.4f})"


def verdict() -> str:
    """Which conditions come up to the paper's gain, in sentences made from the table."""
    wide = data()
    reach = wide[wide["high"] >= wide["paper"]].assign(
        name=lambda of: "*" + of["condition"] + "* (`" + of["recipe"] + "`)"
    )
    honest = {over: list(of.loc[~of["on test"], "name"]) for over, of in reach.groupby("over")}
    chosen = {over: list(of.loc[of["on test"], "name"]) for over, of in reach.groupby("over")}
    both = sorted(set(honest.get("FE", [])) & set(honest.get("Others", [])))
    said = [_comes_up(over, honest.get(over, []), chosen.get(over, [])) for over in ("FE", "Others")]
    return " ".join([*said, f"Up to both come: {_listed(both)}."]) + "\n"


def _comes_up(over: str, names: list[str], on_test: list[str]) -> str:
    """Whose interval reaches the paper's gain over a baseline."""
    also = f"; if the test split may choose, also {_listed(on_test)}" if on_test else ""
    return f"Up to the paper's gain over {over} come, with their intervals: {_listed(names)}{also}."


def _listed(names: list[str]) -> str:
    return ", ".join(names) if names else "no condition"


def picture() -> str:
    """The picture with its numbers as alternative text, and what to see in it."""
    rows = "; ".join(
        f"{row['condition']}, recipe {row['recipe']}, over {row['over']}: {_cell(row)}" for _, row in data().iterrows()
    )
    return (
        f"![AutoDPQ's gain in AUC. {rows}.](conditions.png)\n\n*What to see: how many intervals reach the dashed "
        "line, the paper's gain, and under what condition.*\n"
    )


@cache
def steps() -> pd.DataFrame:
    """The ladder of pretrain lengths, in recipe ``paper``."""
    return ladder.table(RESULTS, "paper")


def ladder_picture() -> str:
    """The ladder's picture, its numbers as alternative text."""
    rows = "; ".join(
        f"without {row['without']}, pretrain {row['pretrain']}: {_cell(row)}, {row['n']:.0f} seeds"
        for _, row in steps().iterrows()
    )
    return (
        f"![AutoDPQ's gain over FE by the epochs of its pretrain. {rows}.](ladder.png)\n\n*What to see: how the gain "
        "changes with the pretrain, and how much of it stays when a part is taken out.*\n"
    )


BLOCKS = {
    "conditions-picture": picture,
    "conditions": numbers,
    "ladder-picture": ladder_picture,
    "conditions-verdict": verdict,
}
