"""What was aimed at beforehand at equal bytes, and what came out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pandas as pd

from autodpq_budget import at_equal_bytes
from autodpq_budget.read_runs import full_bytes
from autodpq_eval.layout import markdown
from autodpq_eval.stats import MARGIN
from autodpq_eval.words import p_value, plus_minus
from scripts.pages.equal_bytes import NOT_YET, found, rival_name

#: Recipe -> share of FE's bytes -> the loss of AUC that was allowed beforehand, on ten seeds.
ALLOWED = {
    "tuned": {0.125: 0.0005, 0.0625: 0.0005, 0.031: 0.0025, 0.016: 0.006, 0.008: 0.015},
    "paper": {0.125: 0.001, 0.0625: 0.001, 0.031: 0.001},
}
#: Aimed at: the best rival is worse, by p after correction.
RIVAL_LEVEL = 0.01
#: Recipe -> the margin of the test of equivalence, which stands beside an aim of that size.
MARGINS = {"tuned": 0.0005, "paper": 0.001}
#: Head of the column of the test of equivalence that all rows have.
WITHIN = f"p equal within {MARGIN:g}"


@cache
def comparisons(recipe: str, model: str = "deepfm", /, **switches: float) -> tuple[dict[str, Any], ...]:
    """A row a budget, all with these switches; equivalence is tested where the aim is as large as its margin."""
    margin = MARGINS[recipe]
    tested = [share for share, limit in ALLOWED[recipe].items() if limit == margin]
    return (*at_equal_bytes.comparisons(found(recipe, model, **switches), margin, tested).to_dict("records"),)


def finished(row: Mapping[str, Any]) -> bool:
    """Whether the best rival of a row of :func:`comparisons` has run on all seeds of the compressor."""
    return bool(row["n_rival"] >= row["n"])


def targets() -> str:
    """What was aimed at, and what came out: against FE; against rivals; and why an aim was missed."""
    every = [(recipe, row) for recipe in ALLOWED for row in comparisons(recipe)]
    fe = markdown(
        ["budget", "seeds", "difference to FE", "aim", "within aim", "p equal", WITHIN],
        [_against_fe(recipe, row) for recipe, row in every],
    )
    head = [
        "budget",
        "best rival, of how many",
        "its bytes, of the budget",
        "pairs",
        "lead",
        "p",
        f"aim: p < {RIVAL_LEVEL:g}",
        WITHIN,
    ]
    rivals = markdown([*head, "best of all that ran, lead"], [_against_rivals(recipe, row) for recipe, row in every])
    reasons = [f"- {reason}\n" for recipe, row in every for reason in _reasons(recipe, row)]
    return f"{fe}\n{rivals}\n{''.join(reasons)}" if every else NOT_YET


def _against_fe(recipe: str, row: dict[str, Any]) -> list[str]:
    limit, met = ALLOWED[recipe].get(row["share"]), _met(recipe, row)
    asked = not pd.isna(row["p_equal"]) and met != "better"
    return [
        *(f"`{recipe}`, {row['share']:.1%}", f"{row['n']:.0f}", plus_minus(row["difference"], row["half"], digits=5)),
        *(f"{-limit:+.4f}" if limit else "–", met, p_value(row["p_equal_holm"]) if asked else ""),
        p_value(row["p_as_fe_holm"]),
    ]


def _met(recipe: str, row: dict[str, Any]) -> str:
    """Whether the whole interval is within the aim, or above zero; nothing where there is no aim."""
    if (limit := ALLOWED[recipe].get(row["share"])) is None:
        return ""
    if pd.isna(row["half"]):
        return "unfinished"
    low = row["difference"] - row["half"]
    return "better" if low > 0 else "met" if low >= -limit else "missed"


def _against_rivals(recipe: str, row: dict[str, Any]) -> list[str]:
    budget = f"`{recipe}`, {row['share']:.1%}"
    if not row["rival"]:
        return [budget, *["–"] * 8]
    p, same = (p_value(row[f"{test}_holm"]) if finished(row) else "unfinished" for test in ("p", "p_as_rival"))
    used = row["rival_bytes"] / (row["share"] * full_bytes(found(recipe)))
    name = f"{at_equal_bytes.METHOD_NAMES[row['rival']]}, {row['rivals']}"
    best = [name, f"{row['rival_bytes']:,.0f}, {used:.0%}", f"{row['n_rival']:.0f}"]
    of_all = f"{rival_name(row['rival_of_all'])}, {plus_minus(row['lead_of_all'], row['lead_half_of_all'])}"
    return [budget, *best, plus_minus(row["lead"], row["lead_half"]), p, _beaten(recipe, row), same, of_all]


def _beaten(recipe: str, row: dict[str, Any]) -> str:
    """Whether the best rival is worse by as much certainty as was aimed at, in recipe ``tuned``."""
    if recipe != "tuned" or row["share"] not in ALLOWED[recipe] or row["n"] < 2 or not finished(row):
        return ""
    return "met" if row["lead"] > 0 and row["p_holm"] < RIVAL_LEVEL else "missed"


def _reasons(recipe: str, row: dict[str, Any]) -> Iterator[str]:
    """What is to be said of an aim that was missed."""
    where, runs = f"`{recipe}`, {row['share']:.1%}", found(recipe)
    if _met(recipe, row) == "missed":
        inside = row["difference"] >= -ALLOWED[recipe][row["share"]]
        lies = "within the aim, but too near to it for these seeds to show that" if inside else "beyond the aim"
        yield f"{where}, missed: the mean difference to FE, {row['difference']:+.5f}, lies {lies}."
    if _beaten(recipe, row) == "missed":
        rival = at_equal_bytes.table(runs).query("method == @row['rival'] and share == @row['share']").iloc[0]
        own = (
            f"the best rival itself is not shown to be worse than FE ({plus_minus(rival['difference'], rival['half'])})"
        )
        varies = f"the lead is {plus_minus(row['lead'], row['lead_half'])}: it varies too much for so many pairs"
        behind = f"the rival's lead is {plus_minus(-row['lead'], row['lead_half'])}"
        as_fe = rival["difference"] + rival["half"] >= 0
        yield f"{where}, missed: {own if as_fe else behind if row['lead'] < 0 else varies}."
