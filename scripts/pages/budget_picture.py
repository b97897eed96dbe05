"""results/budget.md and README.md: AUC against bytes as a picture of each recipe, and what to see in it."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from autodpq_budget import at_equal_bytes, auc_curve
from autodpq_budget.strategy import COMPRESSOR
from autodpq_eval.words import from_to
from autodpq_rivals.methods import METHODS
from scripts.pages.budget import data
from scripts.pages.equal_bytes import NOT_YET, RECIPE, found

#: A picture for each recipe; README has that of :data:`RECIPE`.
PICTURES = {RECIPE: "budget.png", "paper": "budget-paper.png"}
WHAT_TO_SEE = {
    RECIPE: (
        "What to see: how far to the left the thick line, the compressor, stays near FE, which is dashed, and where it "
        "lies above the rivals. A mark is FE's mean plus the paired difference to FE, at the bytes that a method uses "
        "of its budget; bars are 95 % intervals, and may run beyond their panel. The upper panel has what is near FE. "
        "Hollow marks are strategies of Table 1."
    ),
    "paper": "What to see: the same; here FE is easier to beat, for its first-order weights start far from zero.",
}


def draw(rows: pd.DataFrame, recipe: str) -> Figure:
    """The picture of :func:`autodpq_budget.auc_curve.draw`; an empty one where nothing was run yet."""
    return plt.figure() if rows.empty else auc_curve.draw(rows, _title(recipe))


def pictures() -> str:
    """Each recipe's picture with its numbers as alternative text, and what to see in it."""
    drawn = {recipe: path for recipe, path in PICTURES.items() if len(data(recipe))}
    return "\n".join(f"{image(path, recipe)}\n\n{caption(recipe)}\n" for recipe, path in drawn.items()) or NOT_YET


def _title(recipe: str) -> str:
    return f"MovieLens-1M, DeepFM, recipe {recipe}: test AUC against bytes"


def caption(recipe: str) -> str:
    """What to see, and what a mark is."""
    runs = found(recipe)
    seeds = runs[runs["method"].isin(METHODS)].groupby(["method", "share"])["seed"].count()
    ours = from_to(runs[runs["method"] == COMPRESSOR].groupby("share")["seed"].count())
    rivals = f" Rivals have {from_to(seeds)} seeds, the compressor {ours}." if len(seeds) else ""
    alone = " A mark without a bar has one seed." if len(seeds) and seeds.min() == 1 else ""
    return f"*{WHAT_TO_SEE[recipe]}{alone}{rivals}{_below(data(recipe))}*"


def _below(rows: pd.DataFrame) -> str:
    """What the picture has no room for."""
    below = rows[rows["place"] < auc_curve.bottom_of_all(rows)]
    names = below["method"].map(at_equal_bytes.METHOD_NAMES).groupby(below["share"], sort=False).agg(", ".join)
    said = [f"at {share:.1%} {each}" for share, each in names.items()]
    return f" Below the picture's edge: {'; '.join(said)}." if said else ""


def image(path: str, recipe: str = RECIPE) -> str:
    """A picture, with the compressor's numbers as its alternative text."""
    rows = data(recipe)
    ours, fe = rows.query("method == @COMPRESSOR"), rows.query("method == 'fe'")["place"].iloc[0]
    said = "; ".join(f"{row['share']:.1%} of FE's bytes, AUC {row['place']:.4f}" for _, row in ours.iterrows())
    rest = "The table of budget-rivals.md has the rivals."
    return f"![{_title(recipe)}. The compressor: {said}. FE: {fe:.4f}. {rest}]({path})"


BLOCKS: dict[str, Callable[[], str]] = {"budget-picture": pictures}
