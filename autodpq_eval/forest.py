"""Controls in a picture: a mark and an interval each, under the headings of their groups."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from autodpq_eval.figures import COLOURS, MARKERS
from autodpq_eval.layout import LABELS
from autodpq_eval.lead import gain
from autodpq_eval.stats import MARGIN
from autodpq_lib.config import STRATEGIES


def forest(table: pd.DataFrame, title: str) -> Figure:
    """Effect of each control on test AUC, with its 95 % interval, under the headings of their groups.

    The band is the paper's level of 0.001, the dashed line its whole gain over FE.
    """
    shown = table.dropna(subset="effect")
    heads = (shown["group"] != shown["group"].shift()).cumsum()
    shown = shown.assign(y=-(np.arange(len(shown)) + 1.6 * heads - 1))
    figure, axis = plt.subplots(figsize=(10, 1.4 + 0.24 * -shown["y"].min()), layout="constrained")
    axis.axvspan(-MARGIN, MARGIN, color="0.93", zorder=0)
    axis.axvline(0, color="0.4", lw=0.8)
    axis.axvline(gain("auc", "fe"), color="black", ls="--", lw=1.2)
    look: dict[str, Any] = {
        "transform": axis.get_xaxis_transform(),
        "rotation": 90,
        "ha": "right",
        "va": "top",
        "fontsize": 8,
    }
    axis.text(gain("auc", "fe"), 1, "the paper's gain over FE ", **look)
    _points(axis, shown)
    axis.set_yticks(shown["y"], shown["control"] + shown["n"].map("  (n = {:.0f})".format), fontsize=9)
    axis.set(xlabel="difference in test AUC, paired 95 % interval", ylim=(shown["y"].min() - 0.6, 0.9))
    figure.suptitle(title, x=0.01, ha="left", fontweight="bold")
    axis.set_xlim(*_limits(shown))
    axis.tick_params(axis="y", length=0)
    axis.tick_params(axis="x", top=True, labeltop=True)  # a tall picture is read from either end
    axis.locator_params(axis="x", nbins=5)
    figure.legend(*axis.get_legend_handles_labels(), fontsize=8, loc="outside lower center", ncols=6)
    sns.despine(figure, left=True)
    figure.set_label(forest_in_words(table, title))
    return figure


def forest_in_words(table: pd.DataFrame, title: str) -> str:
    """The text that stands for :func:`forest`."""
    shown = table.dropna(subset="effect")
    clear = shown[(shown["low"] > 0) | (shown["high"] < 0)]["control"]
    return (
        f"{title}: a mark and an interval for each of {len(shown)} controls, around a band of {MARGIN:g}. "
        f"Clear of zero: {'; '.join(clear) or 'none'}."
    )


def _points(axis: Axes, shown: pd.DataFrame) -> None:
    """A mark and an interval a control, in its strategy's colour and shape, below the heading of its group."""
    for name in [name for name in STRATEGIES if name in set(shown["strategy"])]:
        part = shown[shown["strategy"] == name]
        error = [part["effect"] - part["low"], part["high"] - part["effect"]]
        look = {"fmt": MARKERS[name], "color": COLOURS[name], "ms": 5, "lw": 1.4, "label": LABELS[name]}
        axis.errorbar(part["effect"], part["y"], xerr=error, **look)
    look = {"transform": axis.get_yaxis_transform(), "ha": "right", "va": "center", "fontsize": 9, "weight": "bold"}
    for group, rows in shown.groupby("group", sort=False):
        axis.text(-0.01, rows["y"].max() + 1, str(group), **look)


def _limits(shown: pd.DataFrame) -> tuple[float, float]:
    """Room for the band, every effect, the paper's gain, and ends of intervals up to 3 times the largest effect."""
    widest = max(float(shown["effect"].abs().max()), 0.002) * 3
    edges = shown[["low", "high", "effect"]].clip(-widest, widest)
    low, high = min(float(edges.min().min()), -MARGIN), max(float(edges.max().max()), gain("auc", "fe"))
    return low * 1.05 - 0.0002, high * 1.05 + 0.0002
