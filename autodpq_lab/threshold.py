"""What a threshold makes rare, what part of the data that touches, and what gain that would take (notebook 01)."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import ipywidgets as widgets
import numpy as np
from matplotlib import pyplot as plt
from numpy.typing import NDArray

from autodpq_data.schema import Schema
from autodpq_eval.paper import table_value
from autodpq_eval.plans import PAIR_OF_TABLE_1
from autodpq_lab.shown import Shown, picture, present
from autodpq_lib.space import quantised_space

#: Embedding dimension X.
DIM = 16
#: The largest threshold of the slider, where the schema's own is not larger.
MOST = 200


class Rarity(NamedTuple):
    """At one threshold: shares of features, rows and (positive, negative) pairs; Space of Others and of DPQ (8, 8)."""

    features: float
    rows: float
    pairs: float
    others: int
    quantised: int


def rarity(schema: Schema, least: NDArray[np.int64], labels: NDArray[np.uint8], threshold: int) -> Rarity:
    """What is rare below a threshold.

    Args:
        schema: fields, and counts of the features; its own threshold plays no part.
        least: ``[rows]``, the count of each row's rarest feature.
        labels: ``[rows]``, 0 or 1.
        threshold: a feature is rare when its count is below it.
    """
    own, touched = replace(schema, threshold=threshold), least < threshold
    untouched = [1 - touched[labels == label].mean() for label in (0, 1)]
    rows = int((~own.low).sum()) + len(own.low_fields)
    quantised = quantised_space(own, DIM, dict.fromkeys(own.low_fields, PAIR_OF_TABLE_1))
    share = float(own.low.float().mean())
    return Rarity(share, float(touched.mean()), float(1 - untouched[0] * untouched[1]), rows * DIM, quantised)


def threshold_slider(schema: Schema, ids: NDArray[np.int32], labels: NDArray[np.uint8]) -> widgets.VBox:
    """A slider over thresholds; ``ids`` are ``[rows, fields]``."""
    least = schema.counts.numpy()[ids].min(1)
    fe, ours = (table_value("ml-1m", "deepfm", name, "auc") for name in ("fe", "autodpq"))
    least_of_all, most = min(2, schema.threshold), max(MOST, schema.threshold)
    steps = np.unique(np.geomspace(2, most, 25).astype(int))
    curve = [rarity(schema, least, labels, int(step)) for step in steps]

    def draw(threshold: int) -> Shown:
        found = rarity(schema, least, labels, threshold)
        figure, axis = plt.subplots(figsize=(7, 3), layout="constrained")
        for name, style, colour in (("features", "-", "#0072b2"), ("rows", "--", "#d55e00"), ("pairs", ":", "#009e73")):
            axis.plot(steps, [100 * getattr(one, name) for one in curve], style, color=colour, label=f"share of {name}")
        axis.axvline(threshold, color="black", lw=0.8)
        axis.set(title=f"Rare below {threshold}, {schema.dataset}", xlabel="threshold (count)", ylabel="share (%)")
        axis.legend(loc="upper left", fontsize=8)
        return picture(figure, f"Three rising curves of shares against the threshold. {said(found, ours - fe)}",
                       said(found, ours - fe))  # fmt: skip

    return present(draw, threshold=widgets.IntSlider(schema.threshold, least_of_all, most, description="threshold"))


def said(found: Rarity, gain: float) -> str:
    """The numbers in a sentence, and the gain on touched pairs that ``gain`` over all of them would take."""
    if not found.pairs or gain / found.pairs > 1:
        needed = f"no gain on these pairs could make {gain:.4f} over all, for a share cannot rise by more than 1"
    else:
        needed = f"a gain of {gain:.4f} over all takes one of {gain / found.pairs:.4f} on these pairs"
    return (
        f"{found.features:.1%} of the features are rare; {found.rows:.2%} of the rows and {found.pairs:.2%} of the "
        f"pairs have one; {needed}. Space: Others {found.others:,}, DPQ {PAIR_OF_TABLE_1} {found.quantised:,}."
    )
