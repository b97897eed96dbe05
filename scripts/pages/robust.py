"""Which comparisons in words reproduce: wherever they have runs, or by another reading than the literal one alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from scripts.pages.committed import SPLITS, claims


def comparisons() -> pd.DataFrame:
    """The ledger's rows on a comparison, a row a case: recipe, reading and split."""
    return claims()[claims()["kind"] == "comparison"]


def everywhere() -> str:
    """The claims of :func:`reproduced` with the number of their cases."""
    return ", ".join(f"“{claim}” ({cases})" for claim, cases in reproduced(comparisons()).items()) or "none"


def reproduced(rows: pd.DataFrame) -> dict[str, str]:
    """The claims that reproduce wherever they have runs, at least three on either side, and in how many cases."""
    said = {}
    for _, cases in rows.groupby("id", sort=False):
        known = cases.loc[cases["verdict"] != "missing", "verdict"]
        missing = f", {len(cases) - len(known)} missing" if len(known) < len(cases) else ""
        if set(known) == {"reproduced"}:
            said[str(cases["claim"].iloc[0])] = f"{len(known)} case{'s' * (len(known) > 1)}{missing}"
    return said


def by_a_reading() -> str:
    """What reproduces under another reading and not under the literal one, and its size in the paper's."""
    said = [
        f"“{row['claim']}” ({row['reading']}, `{row['recipe']}`, {SPLITS[row['split']]}; {size(row)})"
        for _, row in not_literally(comparisons()).iterrows()
    ]
    return f"By another reading alone: {', '.join(said) or 'none'}."


def not_literally(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows that are reproduced where, in the same recipe and split, the literal reading does not reproduce."""
    done = rows[rows["verdict"] == "reproduced"]
    case = pd.MultiIndex.from_frame(done[["id", "recipe", "split"]])
    return done[(done["reading"] != "literal") & ~case.isin(case[done["reading"] == "literal"])]


def size(row: Mapping[str, Any] | pd.Series) -> str:
    """A gap in shares of the paper's, and whether its 95 % interval lies wholly below that."""
    if not row["paper"]:
        return "the paper gives no size"
    paper = float(row["paper"])
    less = ", and shown to be less than it" if row["high"] < paper else ""
    return f"{row['ours'] / paper:.0%} of its size{less}"
