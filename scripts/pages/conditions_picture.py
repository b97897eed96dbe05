"""The picture of results/conditions.md: AutoDPQ's gain under each condition, in a panel for each baseline."""

from __future__ import annotations

import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from autodpq_eval.lead import gain


def draw(table: pd.DataFrame) -> Figure:
    """A panel a baseline, a row a condition, a mark a recipe; the paper's gain as a line."""
    names = list(dict.fromkeys(table["condition"]))
    figure, axes = plt.subplots(
        1, 2, figsize=(11, 0.4 * len(names) + 1.6), sharex=True, sharey=True, layout="constrained"
    )
    for axis, over in zip(axes, ("FE", "Others"), strict=True):
        _panel(axis, table[table["over"] == over], names)
        claim = gain("auc", over.lower())
        axis.axvline(claim, color="black", ls="--", lw=1.2, label="the paper's gain")
        axis.set_xlabel(f"test AUC minus that of {over}, paired")
        axis.set_title(f"over {over}; the paper: {claim:+.4f}", loc="left", fontsize=10)
    axes[0].set(yticks=range(len(names)), yticklabels=names)
    axes[0].invert_yaxis()
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=9)
    title = "AutoDPQ's gain in AUC on MovieLens-1M, DeepFM, under other conditions, with 95 % intervals"
    figure.suptitle(title, x=0.01, ha="left", fontweight="bold")
    sns.despine(figure)
    return figure


def _panel(axis: Axes, table: pd.DataFrame, names: list[str]) -> None:
    """A mark and its interval a condition and recipe, at the condition's place among ``names``."""
    looks = zip("os", sns.color_palette("colorblind"), (-0.13, 0.13), strict=False)
    recipes = table.groupby("recipe", sort=False)
    for (recipe, rows), (marker, colour, lift) in zip(recipes, looks, strict=False):
        y = [names.index(name) + lift for name in rows["condition"]]
        errors = [rows["effect"] - rows["low"], rows["high"] - rows["effect"]]
        look = {"fmt": marker, "color": colour, "ms": 5, "lw": 2, "label": f"recipe {recipe}"}
        axis.errorbar(rows["effect"], y, xerr=errors, **look)
    axis.axvline(0, color="0.3", lw=1)
    axis.xaxis.set_major_locator(MaxNLocator(5))
