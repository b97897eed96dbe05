"""results/budget-controls.md: rivals with options of their own, of first-order weights or of another form."""

from __future__ import annotations

import math
from functools import cache

import pandas as pd

from autodpq_budget import controls
from autodpq_budget.at_equal_bytes import METHOD_NAMES
from autodpq_budget.chosen import at_chosen_settings
from autodpq_budget.settings import FORM, WEIGHTS
from autodpq_eval.layout import markdown
from autodpq_eval.words import gap, plus_minus
from autodpq_lib.config import RECIPES
from scripts.pages.equal_bytes import NOT_YET, choice_runs, every_run, planned, wholly_tried


def weights() -> str:
    """First-order weights with options of their own, coarser than the embedding's."""
    return _table(WEIGHTS)


def forms() -> str:
    """Rivals in another form: which was best on the seed of choice, and that on the others."""
    rows = [
        [
            *_setting(recipe, row),
            *(plus_minus(number, math.nan, "") for number in (row["valid_usual"], row["valid"])),
            plus_minus(row["valid"] - row["valid_usual"], math.nan),
        ]
        for recipe in RECIPES
        for _, row in wholly_tried(_tried(recipe), recipe, FORM).iterrows()
    ]
    head = ["budget", "rival", "X", "options", "validation AUC as it comes", "in another form", "difference"]
    return f"{markdown(head, rows)}\nOn the seeds that are reported:\n\n{_table(FORM)}"


def _tried(recipe: str) -> pd.DataFrame:
    return controls.tried_in_form(every_run(recipe), choice_runs(recipe))


def _setting(recipe: str, row: pd.Series) -> tuple[str, ...]:
    """The cells by which a row of both tables begins."""
    return f"`{recipe}`, {row['share']:.1%}", METHOD_NAMES[row["method"]], f"{row['width']}", row["options"]


def _table(control: str) -> str:
    rows = [
        [
            *_setting(recipe, row),
            *(f"{row['bytes']:,.0f}", f"{row['n']:.0f}", f"{row['auc']:.4f}", gap(row)),
            plus_minus(row["lead"], row["lead_half"]),
        ]
        for recipe in RECIPES
        for _, row in with_own(recipe, control).iterrows()
    ]
    head = ["budget", "rival", "X", "options", "bytes", "seeds", "AUC ↑", "minus the rival as it comes"]
    table = markdown([*head, "the compressor minus it"], rows)
    absent = " ".join(filter(None, (_not_run(recipe, control) for recipe in RECIPES)))
    return table + f"\n{absent}\n" * bool(absent) if rows else NOT_YET


def _not_run(recipe: str, control: str) -> str:
    """The rivals and budgets that are planned in a control and have no row, in a sentence, if there are any."""
    rows = with_own(recipe, control)
    ran = set() if rows.empty else set(zip(rows["share"], rows["method"], strict=True))
    left = [
        f"{METHOD_NAMES[name]} at {share:.1%}" for share, name in planned(recipe, control) if (share, name) not in ran
    ]
    return f"No setting that fits, or not run on these seeds, in recipe `{recipe}`: {', '.join(left)}." if left else ""


@cache
def with_own(recipe: str, control: str) -> pd.DataFrame:
    """Of :func:`autodpq_budget.controls.with_own`, where all settings of a control have been tried."""
    every, choice = every_run(recipe), choice_runs(recipe)
    rows = controls.with_own(every, at_chosen_settings(every, choice), choice, control)
    return rows if rows.empty else wholly_tried(rows, recipe, control)
