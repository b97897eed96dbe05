"""The picture of AUC against bytes."""

from __future__ import annotations

from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from autodpq_budget.at_equal_bytes import METHOD_NAMES
from autodpq_budget.settings import SHARES
from autodpq_budget.strategy import COMPRESSOR
from autodpq_lib.config import STRATEGIES
from autodpq_rivals.methods import METHODS

#: Of the suite and of Table 1: black. A method has the same mark and colour in every picture.
BLACK = (COMPRESSOR, *STRATEGIES)
MARKERS = dict(zip((*BLACK, *METHODS), "osD^vP*X1<>pdsD^", strict=True))
COLOURS = dict.fromkeys(BLACK, "black") | dict(zip(METHODS, sns.color_palette("colorblind", 10), strict=True))


def in_words(rows: pd.DataFrame) -> str:
    """What the picture shows, as text."""
    return "; ".join(
        f"{METHOD_NAMES[r['method']]} {r['bytes']:,.0f} bytes {r['place']:.4f}" for _, r in rows.iterrows()
    )


def bottom_of_all(rows: pd.DataFrame) -> float:
    """Where the picture ends: what lies far below the compressor's least AUC would flatten all else."""
    return float(rows.loc[rows["method"] == COMPRESSOR, "place"].min()) - 0.033


def bottom_near_fe(rows: pd.DataFrame) -> float:
    """Where the upper panel ends, a little below FE."""
    return float(rows.loc[rows["method"] == "fe", "place"].mean()) - 0.0045


def draw(rows: pd.DataFrame, title: str) -> Figure:
    """AUC against bytes on a logarithmic axis, a line a method, FE dashed; faint bars are 95 % intervals.

    Above what is near FE, below all.

    Args:
        rows: of :func:`autodpq_budget.at_equal_bytes.table`.
        title: says of what data, model and recipe they are.
    """
    figure, (near, whole) = plt.subplots(2, 1, figsize=(9, 8), sharex=True, layout="constrained")
    _panel(near, rows, bottom_near_fe(rows))
    _panel(whole, rows, bottom_of_all(rows))
    _shares(whole, rows.loc[rows["method"] == "fe", "bytes"].mean())
    near.set_title(title, loc="left", fontweight="bold")
    figure.legend(*whole.get_legend_handles_labels(), loc="outside right center", frameon=False)
    sns.despine(figure)
    figure.set_label(f"{title}, a line a method, FE dashed. {in_words(rows)}.")
    return figure


def _panel(axis: Axes, rows: pd.DataFrame, bottom: float) -> None:
    """All methods, from an AUC on; a mark below it has no bar either."""
    fe = rows[(rows["method"] == "fe") & (rows["share"] == 1)]
    axis.axhline(fe["place"].mean(), color="0.4", ls="--", lw=1.5, label="FE, X = 16")
    rows = rows.assign(half=rows["half"].where(rows["place"] >= bottom))
    drawn = dict(iter(rows.drop(fe.index).sort_values("bytes").groupby("method")))
    for method in filter(drawn.__contains__, MARKERS):
        _line(axis, drawn[method], {"color": COLOURS[method], "marker": MARKERS[method]})
    axis.set(ylim=(bottom, rows["place"].max() + 0.0008), ylabel="test AUC")


def _line(axis: Axes, points: pd.DataFrame, look: dict[str, Any]) -> None:
    """A line through what was told its budget; a strategy as it comes is a hollow point; no bar for one seed."""
    ours = (points["method"] == COMPRESSOR).all()
    look |= {"lw": 2.5, "zorder": 4} if ours else {"lw": 1, "zorder": 3}
    label = METHOD_NAMES[points["method"].iloc[0]]
    for as_it_comes, part in points.groupby(points["share"] == 1):
        own: dict[str, Any] = {"mfc": "none", "ls": ""} if as_it_comes else {"ls": "-"}
        axis.errorbar(part["bytes"], part["place"], part["half"], fmt="none", ecolor=look["color"], alpha=0.35)
        axis.plot(part["bytes"], part["place"], label=label, **look, **own)
        label = "_"  # named once


def _shares(axis: Axes, full: float) -> None:
    shares = sorted({*SHARES, 1.0})
    axis.set_xscale("log", base=2)
    axis.set_xticks(
        [share * full for share in shares], [f"{share:.1%}\n{share * full / 1000:.0f} kB" for share in shares]
    )
    axis.minorticks_off()
    axis.set_xlabel("bytes of embedding and first-order weights: share of FE's, and kilobytes")
