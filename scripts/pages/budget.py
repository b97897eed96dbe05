"""results/budget.md: AUC against bytes, the rate-distortion choice beside FE."""

from __future__ import annotations

from functools import cache

import pandas as pd
from matplotlib.figure import Figure

from autodpq_budget import at_equal_bytes
from autodpq_budget.plan import CHOICE_SEED
from autodpq_eval.layout import markdown
from scripts.pages.committed import RESULTS

RECIPE = "tuned"
NAMES = {"fe": "FE", "budget": "rate-distortion choice"}
#: Share of FE's bytes -> the loss of AUC that was allowed beforehand, on ten seeds.
ALLOWED = {0.125: 0.0005, 0.0625: 0.0005, 0.031: 0.0025, 0.016: 0.006, 0.008: 0.015}
SEEDS = range(1, 11)


@cache
def found(seeds: tuple[int, ...] = tuple(SEEDS)) -> pd.DataFrame:
    """A row a run."""
    return at_equal_bytes.runs(RESULTS, "ml-1m", RECIPE, seeds)


def data() -> pd.DataFrame:
    """A row a method and budget, over the seeds that each has."""
    paired = found()[found()["seed"].isin(found().loc[found()["method"] != "fe", "seed"])]
    return at_equal_bytes.table(paired)


def table() -> str:
    """Bytes, AUC and the paired difference to FE."""
    rows = [
        [
            *(NAMES.get(row["method"], row["method"]), f"{row['share']:.1%}", f"{row['width']:.0f}"),
            *(f"{row['bytes']:,.0f}", f"{row['n']:.0f}", _with(row["auc"], row["sd"], ".4f")),
            "" if row["method"] == "fe" else _with(row["difference"], row["half"], "+.4f"),
        ]
        for _, row in data().iterrows()
    ]
    return markdown(["method", "of FE", "X", "bytes", "seeds", "AUC ↑", "difference to FE"], rows)


def targets() -> str:
    """What was aimed at, and what came out."""
    made = data().query("method == 'budget'").set_index("share")
    rows = []
    for share, allowed in ALLOWED.items():
        row = made.iloc[(made.index.to_series() - share).abs().argmin()]
        said = "met" if row["difference"] >= -allowed else "missed"
        rows.append([f"{share:.1%}", f"{-allowed:+.4f}", f"{row['difference']:+.4f}", f"{row['n']:.0f}", said])
    return markdown(["of FE", "at most", "found", "seeds", ""], rows)


def _with(mean: float, spread: float, how: str) -> str:
    """A mean, and its spread where there are several."""
    return f"{mean:{how}}" if pd.isna(spread) else f"{mean:{how}} ± {spread:.4f}"


def widths() -> str:
    """Validation AUC of each width on the seed of choice."""
    of = found((CHOICE_SEED,))
    wide = (
        of[of["method"] != "fe"].pivot_table(index="share", columns="width", values="valid").sort_index(ascending=False)
    )
    cells = [
        [f"{share:.1%}", *("–" if pd.isna(auc) else f"{auc:.4f}" for auc in row)] for share, *row in wide.itertuples()
    ]
    return markdown(["of FE", *(f"X = {width}" for width in wide.columns)], cells)


def draw(rows: pd.DataFrame) -> Figure:
    """The picture of :func:`autodpq_budget.at_equal_bytes.draw`."""
    return at_equal_bytes.draw(rows)


def picture() -> str:
    """The picture with its numbers as alternative text, and what to see in it."""
    said = "; ".join(
        f"{NAMES.get(row['method'], row['method'])} {row['bytes']:,.0f} bytes {row['auc']:.4f}"
        for _, row in data().iterrows()
    )
    return (
        f"![Test AUC against bytes. {said}.](budget.png)\n\n*What to see: how far to the left the line stays on "
        "FE, the dashed one. Bars are 95 % intervals of the paired difference to FE.*\n"
    )


BLOCKS = {"budget-picture": picture, "budget-table": table, "budget-targets": targets, "budget-widths": widths}
