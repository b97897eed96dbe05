"""results/conditions.md: what the paper's gain could be made of."""

from __future__ import annotations

from collections.abc import Iterable
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
    gaps = [
        f"over {name}, the paper {gain('auc', key):+.4f}: mean (interval), median"
        for key, name in (("fe", "FE"), ("others", "Others"))
    ]
    return markdown([*head, *gaps], rows)


def _cell(row: pd.Series) -> str:
    return f"{_interval(row)}, {row['median']:+.4f}"


def _interval(row: pd.Series) -> str:
    return f"{row['effect']:+.4f} ({row['low']:+.4f} to {row['high']:+.4f})"


def verdict() -> str:
    """What must be so for the paper's gain, in sentences made from the table."""
    return " ".join(_sentences()) + "\n"


def in_short() -> str:
    """README's part of it: the gain over FE, and when both are reached."""
    over_fe, _, both, _ = _sentences()
    return f"{over_fe} {both}\n"


def _sentences() -> tuple[str, str, str, str]:
    """On the gain over FE, on that over Others, on both, and on choices made on the test split."""
    wide = data()
    wide = wide.assign(
        name="*" + wide["condition"] + "* (`" + wide["recipe"] + "`)", reaches=wide["high"] >= wide["paper"]
    )
    honest, chosen = wide[~wide["on test"]], wide[wide["on test"]]
    both = honest.groupby("name")["reaches"].agg(["all", "size"]).query("all and size == 2").index
    of_test = chosen.loc[chosen["reaches"], ["name", "over"]].agg(" over ".join, axis=1)
    over_fe, over_others = (_largest(honest[honest["over"] == over], over) for over in ("FE", "Others"))
    return (
        over_fe,
        over_others,
        f"Both gains are reached at once under {_listed(both)}.",
        f"With choices made on the test split, a gain is reached under {_listed(of_test)}.",
    )


def _largest(of: pd.DataFrame, over: str) -> str:
    """The condition that comes nearest to the paper's gain over a baseline, and those whose intervals hold it."""
    best, middle = (of.loc[of[key].idxmax()] for key in ("effect", "median"))
    return (
        f"The paper's gain over {over} is {best['paper']:+.4f}. Without a look at the test split the largest here is "
        f"{best['effect']:+.4f}, {best['effect'] / best['paper']:.0%} of it: {best['name']}. By the median over seeds, "
        f"which no single seed can move far, it is {middle['median']:+.4f}: {middle['name']}. The interval of the mean "
        f"reaches the paper's gain under {_listed(of.loc[of['reaches'], 'name'])}."
    )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "no condition"


def picture() -> str:
    """The picture with its numbers as alternative text, and what to see in it."""
    rows = "; ".join(
        f"{row['condition']}, recipe {row['recipe']}, over {row['over']}: {_interval(row)}"
        for _, row in data().iterrows()
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
        f"without {row['without']}, pretrain {row['pretrain']}: {_interval(row)}, {row['n']:.0f} seeds"
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
