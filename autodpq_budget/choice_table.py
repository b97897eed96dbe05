"""What was chosen, as a table and as a picture; and the curve on which the choice is a point."""

from __future__ import annotations

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from autodpq_budget.menu import Menu
from autodpq_budget.ways import size
from autodpq_data.schema import Schema
from autodpq_packed.container import Tensors
from autodpq_packed.grouped import MEAN, ROWS, TIERS, groups, parameters, tiers

#: Points of a curve.
POINTS = 40
#: Bits a feature of a row of X = 16 in float16: the darkest.
MOST = 16 * 16
#: The more bits, the darker, and black text can be read on all.
SHADES = sns.light_palette("steelblue", as_cmap=True)


def name(option: int, dim: int) -> str:
    """An option in words: ``mean``, ``4 bits``, ``(16, 4)``, ``float16``."""
    bits, k, d = parameters(option, dim)
    if option in (MEAN, ROWS):
        return "mean" if option == MEAN else "float16"
    return f"({k}, {d})" if k > 1 else f"{bits} bit{'s' * (bits > 1)}"


def choice(schema: Schema, tensors: Tensors, dim: int) -> pd.DataFrame:
    """One row a group: its field and counts, how each table stores it, and bits a feature of all that it needs."""
    counts, rows = schema.counts.numpy(), []
    edges = [None, *reversed(TIERS), 0]
    for field, own in zip(schema.fields, np.split(counts, np.cumsum(schema.sizes)[:-1]), strict=True):
        rows += [(field, _range(edges[t + 1], edges[t])) for t in np.unique(tiers(own)).tolist()]
    table = pd.DataFrame(rows, columns=["field", "counts"]).assign(features=groups(schema.sizes, counts))
    for part, width in (("embedding", dim), ("first_order", 1)):
        if f"{part}.option" in tensors:
            options = tensors[f"{part}.option"].tolist()
            sizes = [size(o, n, width) for o, n in zip(options, table["features"], strict=True)]
            table[part] = [name(option, width) for option in options]
            table[f"{part}, bits"] = (8 * np.array(sizes) / table["features"]).round(1)
    return table


def _range(low: int | None, end: int | None) -> str:
    return f"{low} and more" if end is None else f"{low} to {end - 1}"


def heat(axes: Axes, rows: pd.DataFrame, *, scale: bool = True, size: int = 7) -> None:
    """Fields down, tiers of frequency across, the darker the more bits a feature of the embedding has.

    Args:
        axes: to draw on.
        rows: of :func:`choice`.
        scale: whether a scale of colours stands beside it.
        size: of the cells' text, in points.
    """
    tiers = sorted(set(rows["counts"]), key=lambda counts: int(counts.split()[0]))
    bits, ways = (
        rows.pivot_table(index="field", columns="counts", values=values, aggfunc="first", sort=False)[tiers]
        for values in ("embedding, bits", "embedding")
    )
    sns.heatmap(
        bits, annot=ways.fillna(""), fmt="", cmap=SHADES, norm=LogNorm(1, MOST), ax=axes, linewidths=0.5,
        annot_kws={"fontsize": size, "color": "black"}, cbar=scale, cbar_kws={"label": "bits a feature"},
    )  # fmt: skip
    axes.set(xlabel="occurrences of a feature", ylabel="")
    axes.tick_params(axis="x", rotation=40)


def picture(rows: pd.DataFrame, menu: Menu, taken: int, title: str) -> Figure:
    """A choice as a picture: :func:`heat`, and below it the curve with the point; its label can stand for it.

    Args:
        rows: of :func:`choice`.
        menu: what there was to choose from.
        taken: bytes of the choice.
        title: of the picture.
    """
    heights = 1 + 0.4 * rows["field"].nunique(), 2.8
    figure, (above, below) = plt.subplots(2, figsize=(7, sum(heights)), height_ratios=heights, layout="constrained")
    heat(above, rows)
    above.set_title(title, loc="left")
    draw(below, curve(menu), point(menu, taken))
    ways = "; ".join(f"{row['field']}, {row['counts']}: {row['embedding']}" for _, row in rows.iterrows())
    said = f"Above, bits a feature, by field and occurrences of a feature. {ways}. Below, distortion against bytes"
    figure.set_label(f"{title}. {said}, falling, with a dot at {taken:,} bytes.")
    return figure


def curve(menu: Menu) -> pd.DataFrame:
    """What is chosen at each of :data:`POINTS` budgets, smallest to largest: columns ``bytes`` and ``distortion``."""
    budgets = np.geomspace(menu.least, menu.most, POINTS).astype(int)
    return pd.DataFrame([point(menu, int(budget)) for budget in budgets])


def point(menu: Menu, budget: int) -> dict[str, float]:
    """Bytes and distortion of the choice for a budget."""
    ways = [way for table in menu.choose(budget).values() for way in table]
    bytes_ = menu.overhead + sum(way.stored.bytes for way in ways)
    return {"bytes": bytes_, "distortion": sum(way.distortion for way in ways)}


def draw(axes: Axes, points: pd.DataFrame, taken: dict[str, float]) -> None:
    """The rate-distortion curve, and the point that was taken."""
    axes.plot(points["bytes"], points["distortion"], color="#0072b2")
    axes.plot(taken["bytes"], taken["distortion"], "o", color="#d55e00", label=f"taken: {taken['bytes']:,.0f} bytes")
    axes.set(xscale="log", yscale="log", xlabel="bytes of the tables", ylabel="distortion", title="Rate and distortion")
    axes.xaxis.set_minor_formatter(lambda *_: "")
    axes.legend()
