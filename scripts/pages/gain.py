"""README's picture: what AutoDPQ gains in AUC over each other strategy, here and in the paper."""

from __future__ import annotations

import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from autodpq_eval.layout import LABELS, interval
from autodpq_eval.ledger import as_printed
from scripts.pages import conditions
from scripts.pages.committed import claims

BLUE, ORANGE = sns.color_palette("colorblind")[:2]
#: Recipe -> marker, colour, height within a row.
LOOK = {"paper": ("o", BLUE, 0.0), "tuned": ("s", ORANGE, -0.24)}


def data() -> pd.DataFrame:
    """A row for each baseline and recipe: the paper's gain, ours with its 95 % interval, and the seeds behind it."""
    table = as_printed(claims()).copy()
    table["over"] = table["id"].str.extract(r"^autodpq-(fe|others|grid|random)-auc$", expand=False)
    table = table.dropna(subset="over")
    return table.assign(paper=table["paper"].astype(float))[
        ["over", "recipe", "paper", "ours", "low", "high", "n", "n_base"]
    ]


def draw(table: pd.DataFrame) -> Figure:
    """A row a baseline: the paper's gain as a diamond, ours as a dot and interval for each recipe."""
    figure, axis = plt.subplots(figsize=(9, 4.4), layout="constrained")
    names = []
    for place, (over, rows) in enumerate(table.groupby("over", sort=False)):
        _row(axis, rows, -place)
        theirs = " and ".join(dict.fromkeys(f"{n:.0f}" for n in rows["n_base"]))  # recipe by recipe
        names.append(f"over {LABELS[str(over)]}\n{rows['n'].min():.0f} seeds against {theirs}")
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
        axis.plot(row["ours"], y + lift, marker, color=colour, ms=8)
        _say(axis, f"ours, recipe {row['recipe']}: {row['ours']:+.4f}", row["high"], y + lift)


def _say(axis: Axes, text: str, x: float, y: float) -> None:
    """A label to the right of a point, with a true minus sign."""
    place, said = (x, y), text.replace("-", "−")
    axis.annotate(said, place, (9, 0), textcoords="offset points", va="center", fontsize=9, color="0.15")


def text() -> str:
    """The picture with its numbers as alternative text, and what to see in it."""
    table = data()
    said = "; ".join(f"over {LABELS[str(over)]}: {_said(rows)}" for over, rows in table.groupby("over", sort=False))
    beyond, zero = (table["high"] < table["paper"]).sum(), ((table["low"] <= 0) & (table["high"] >= 0)).sum()
    return (
        f"![AutoDPQ's gain in AUC {said}.](results/gain.png)\n\n"
        f"*What to see: the paper's gain, the diamond, lies to the right of {beyond} of our {len(table)} intervals; "
        f"{zero} of them hold zero. They are 95 % intervals by Welch's test. {_paired()}*\n"
    )


def _paired() -> str:
    """The same by the paired test, where both sides have ten seeds."""
    rows = conditions.data().query("condition == 'our split, literal reading'")
    above, below = (rows["low"] > 0).sum(), (rows["high"] < 0).sum()
    return (
        f"Over FE and Others both sides have the same ten seeds: of their {len(rows)} intervals the paired "
        f"test puts {above} above zero and {below} below ([conditions](results/conditions.md))."
    )


def _said(rows: pd.DataFrame) -> str:
    ours = (
        f"ours, recipe {r['recipe']}, {r['ours']:+.4f} ({interval(r['low'], r['high'])})" for _, r in rows.iterrows()
    )
    return f"the paper {rows['paper'].iloc[0]:+.4f}, {', '.join(ours)}"
