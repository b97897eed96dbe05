"""README's picture: what AutoDPQ gains in AUC over each other strategy, here and in the paper."""

from __future__ import annotations

from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from autodpq_eval.layout import LABELS
from autodpq_eval.lead import gain
from autodpq_eval.measures import by_seed
from autodpq_eval.stats import paired_effect
from autodpq_eval.words import spanned
from autodpq_lib.config import RECIPES, STRATEGIES
from scripts.pages.committed import runs_of_controls

BLUE, ORANGE = sns.color_palette("colorblind")[:2]
#: Recipe -> marker, colour, height within a row.
LOOK = {"paper": ("o", BLUE, 0.0), "tuned": ("s", ORANGE, -0.24)}


def data() -> pd.DataFrame:
    """A row for each baseline and recipe: the paper's gain, ours with its paired 95 % interval, and how many pairs."""
    rows = []
    for recipe in RECIPES:
        *theirs, ours = (by_seed(runs_of_controls(recipe)[name], "auc") for name in STRATEGIES)
        for over, baseline in zip(STRATEGIES[:-1], theirs, strict=True):
            row: dict[str, object] = {"over": over, "recipe": recipe, "paper": gain("auc", over)}
            rows.append(row | paired_effect(ours, baseline))
    return pd.DataFrame(rows).sort_values("over", key=lambda names: names.map(STRATEGIES.index), kind="stable")


def draw(table: pd.DataFrame) -> Figure:
    """A row a baseline: the paper's gain as a diamond, ours as a dot and interval for each recipe."""
    figure, axis = plt.subplots(figsize=(9, 4.4), layout="constrained")
    names = []
    for place, (over, rows) in enumerate(table.groupby("over", sort=False)):
        _row(axis, rows, -place)
        pairs = " and ".join(dict.fromkeys(f"{n:.0f}" for n in rows["n"]))  # recipe by recipe
        names.append(f"over {LABELS[str(over)]}\n{pairs} seeds")
    axis.axvline(0, color="0.3", lw=1.2)
    axis.grid(axis="x", color="0.92")
    axis.set_axisbelow(True)
    axis.margins(y=0.08)
    axis.set(yticks=[-place for place in range(len(names))], yticklabels=names, xlim=(None, table["paper"].max() * 1.3))
    axis.set_xlabel("difference in test AUC; right of the line, AutoDPQ is better")
    title = "AutoDPQ (literal reading): gain in AUC on MovieLens-1M, the paper's and ours"
    figure.suptitle(title, x=0.01, ha="left", fontweight="bold")
    axis.tick_params(axis="y", length=0)
    sns.despine(figure, left=True)
    return figure


def _row(axis: Axes, rows: pd.DataFrame, y: float) -> None:
    paper = rows["paper"].iloc[0]
    axis.plot(paper, y + 0.24, "D", color="black", ms=8)
    _say(axis, f"the paper: {paper:+.4f}", paper, y + 0.24)
    for _, row in rows.iterrows():
        marker, colour, lift = LOOK[row["recipe"]]
        axis.plot([row["low"], row["high"]], [y + lift] * 2, color=colour, lw=2.5, solid_capstyle="round")
        axis.plot(row["effect"], y + lift, marker, color=colour, ms=8)
        _say(axis, f"ours, recipe {row['recipe']}: {row['effect']:+.4f}", row["high"], y + lift)


def _say(axis: Axes, text: str, x: float, y: float) -> None:
    """A label to the right of a point, with a true minus sign."""
    place, said = (x, y), text.replace("-", "−")
    look: dict[str, Any] = {"va": "center", "fontsize": 9, "color": "0.15"}
    over_lines = {"facecolor": "white", "edgecolor": "none", "pad": 1}
    axis.annotate(said, place, (9, 0), textcoords="offset points", bbox=over_lines, **look)


def text() -> str:
    """The picture with its numbers as alternative text, and what to see in it."""
    table = data()
    said = "; ".join(f"over {LABELS[str(over)]}: {_said(rows)}" for over, rows in table.groupby("over", sort=False))
    beyond = (table["high"] < table["paper"]).sum()
    above, below = (table["low"] > 0).sum(), (table["high"] < 0).sum()
    return (
        f"![AutoDPQ's gain in AUC {said}.](results/gain.png)\n\n"
        f"*With the formulas as printed, DeepFM. What to see: of our {len(table)} intervals {beyond} lie to the left "
        "of the paper's gain, the diamond. "
        f"Wholly above zero, where AutoDPQ is better: {above}; wholly below: {below}. They are 95 % intervals, paired "
        "by seed, and not corrected for their number.*\n"
    )


def _said(rows: pd.DataFrame) -> str:
    ours = (f"ours, recipe {r['recipe']}, {spanned(r)}" for _, r in rows.iterrows())
    return f"the paper {rows['paper'].iloc[0]:+.4f}, {', '.join(ours)}"
