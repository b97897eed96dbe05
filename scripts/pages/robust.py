"""Which comparisons in words reproduce: in every case, or by another reading than the literal one alone."""

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
    return ", ".join(f"“{claim}” ({n} of {n})" for claim, n in reproduced(comparisons()).items()) or "none"


def reproduced(rows: pd.DataFrame) -> dict[str, int]:
    """The claims that reproduce in every case, and in how many; a case that has not run does not reproduce."""
    every = (cases for _, cases in rows.groupby("id", sort=False) if set(cases["verdict"]) == {"reproduced"})
    return {str(cases["claim"].iloc[0]): len(cases) for cases in every}


def by_a_reading() -> str:
    """What reproduces under another reading and not under the literal one, and its size in the paper's."""
    said = [
        f"“{row['claim']}” ({row['reading']}, `{row['recipe']}`, {SPLITS[row['split']]}; {size(row)})"
        for _, row in not_literally(comparisons()).iterrows()
    ]
    return f"Reproduced by another reading and not by the literal one: {', '.join(said) or 'none'}."


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
    less = ", and shown to be smaller" if row["high"] < paper else ""
    return f"{row['ours'] / paper:.0%} of the paper's size{less}"
