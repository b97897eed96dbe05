"""What the ledger's counts weigh: numbers that are near, or in a wide interval alone; directions that show nothing."""

from __future__ import annotations

import pandas as pd

from autodpq_eval.ledger import counted
from autodpq_eval.stats import MARGIN


def text(table: pd.DataFrame) -> str:
    """Both, of the ledger's rows that are counted."""
    return f"{_numbers(counted(table))} {_directions(counted(table))}\n"


def _numbers(rows: pd.DataFrame) -> str:
    """Of the numbers that are reproduced, by which half of the rule."""
    same = rows[(rows["kind"] == "number") & (rows["verdict"] == "reproduced")]
    ours, paper, low, high = (same[key].astype(float) for key in ("ours", "paper", "low", "high"))
    wide, cost = (ours - paper).abs() > MARGIN, same["id"].str.endswith("-cost")
    half = ((high - low) / 2)[wide & ~cost].median()
    return (
        f"Of the {len(same)} numbers that are *reproduced*, {(~wide).sum()} are within {MARGIN:g} of the paper's; "
        f"the other {wide.sum()} (costs: {(wide & cost).sum()}) only have an interval wide enough to hold it, whose "
        f"half has a median of {half:.4f}, costs apart."
    )


def _directions(rows: pd.DataFrame) -> str:
    """Of the comparisons with the claimed sign alone, how many intervals hold zero."""
    only = rows[rows["verdict"] == "direction only"]
    zero = ((only["low"] <= 0) & (only["high"] >= 0)).sum()
    return (
        f"Of the {len(only)} comparisons *direction only*, {zero} have a 95 % interval, not corrected, that holds "
        "zero: these show nothing."
    )
