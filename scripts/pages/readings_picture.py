"""The picture of results/readings.md: what each reading gains, in a panel for each split and recipe."""

from __future__ import annotations

import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from autodpq_eval import readings
from autodpq_eval.stats import MARGIN
from autodpq_lib.config import READINGS
from scripts.pages.readings import PLACES, TITLES, comparisons, runs

LOOK = dict(zip(READINGS, (("o", 0), ("s", 1), ("^", 2)), strict=True))


def data() -> pd.DataFrame:
    """What the picture shows: the rows on AUC, of every place."""
    columns = ["place", "a", "b", "paper", "effect", "low", "high", "n"]
    each = [comparisons(place).query("metric == 'auc'").assign(place=place) for place in PLACES]
    return pd.concat(each)[columns].reset_index(drop=True)


def draw(table: pd.DataFrame) -> Figure:
    """A panel a place, in it a group a baseline: the paper's gain, and each reading's difference with its interval."""
    figure, axes = plt.subplots(2, 2, figsize=(11, 9), sharex=True, sharey=True, layout="constrained")
    for axis, (place, rows) in zip(axes.flat, table.groupby("place", sort=False), strict=True):
        _panel(axis, rows)
        axis.set_title(f"{TITLES[str(place)]}, {rows['n'].min():.0f} seeds", loc="left", fontsize=10)
    axes[0, 0].set_xlim(table["low"].min() - 0.0005, table["paper"].max() + 0.0025)
    figure.supxlabel("difference in test AUC, 95 % interval; right of the line, AutoDPQ is better", fontsize=10)
    figure.suptitle("AutoDPQ's gain in AUC on MovieLens-1M under three readings", x=0.01, ha="left", fontweight="bold")
    sns.despine(figure, left=True)
    return figure


def _panel(axis: Axes, table: pd.DataFrame) -> None:
    colours, ticks = sns.color_palette("colorblind"), {}
    for number, (baseline, rows) in enumerate(table.groupby(table["b"].str.split().str[0], sort=False)):
        y = -number * 5.0
        ticks[y - 1.5] = f"over {baseline}"
        axis.plot(rows["paper"].iloc[0], y, "D", color="black", ms=7)
        _say(axis, "the paper", rows["paper"].iloc[0], y)
        for step, (_, row) in enumerate(rows.iterrows(), 1):
            reading = row["a"].removeprefix(f"{readings.OURS}, ")
            marker, colour = LOOK[reading][0], colours[LOOK[reading][1]]
            axis.plot([row["low"], row["high"]], [y - step] * 2, color=colour, lw=2.5, solid_capstyle="round")
            axis.plot(row["effect"], y - step, marker, color=colour, ms=7)
            _say(axis, f"{reading}: {row['effect']:+.4f}".replace("-", "−"), row["high"], y - step)
    axis.axvspan(-MARGIN, MARGIN, color="0.93", zorder=0)
    axis.axvline(0, color="0.3", lw=1.2)
    axis.set(yticks=list(ticks), yticklabels=list(ticks.values()))
    axis.tick_params(axis="y", length=0)


def _say(axis: Axes, text: str, x: float, y: float) -> None:
    axis.annotate(text, (x, y), (7, 0), textcoords="offset points", va="center", fontsize=8)


def picture() -> str:
    """The picture with its numbers as alternative text, and what to see in it."""
    table = data()
    beyond = int((table["high"] < table["paper"]).sum())
    return (
        "![AutoDPQ under each reading over FE, Others and DPQ, a panel for each split and recipe: "
        f"{beyond} of {len(table)} intervals end below the paper's gain. The tables below have the numbers.]"
        "(readings.png)\n\n*What to see: how far each reading lies from the diamond, the paper's gain, and whether it "
        f"leaves the grey band, a difference below {MARGIN:g}. Of {len(table)} intervals{_not_run()} {beyond} end "
        "below the diamond. A table below has the laboratory reading under all conventions. Intervals are Welch's; the "
        "tables' verdicts are by "
        "the paired test, whose intervals may be narrower, so a *better* can cross zero here.*\n"
    )


def _not_run() -> str:
    absent = [f"{name} in {TITLES[place]}" for place in PLACES for name, each in runs(place).items() if not each]
    return f" (not run yet: {', '.join(absent)})" if absent else ""


BLOCKS = {"readings-picture": picture}
