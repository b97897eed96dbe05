"""results/budget.md: rivals with options of their own, of first-order weights or of another form."""

from __future__ import annotations

import math
from functools import cache

import pandas as pd

from autodpq_budget import controls
from autodpq_budget.at_equal_bytes import METHOD_NAMES
from autodpq_budget.chosen import at_chosen_settings
from autodpq_budget.read_runs import BOTH
from autodpq_budget.settings import FORM, OWN, WEIGHTS
from autodpq_eval.layout import from_to, gap, markdown, plus_minus
from autodpq_lib.config import RECIPES
from scripts.pages.equal_bytes import NOT_YET, choice_runs, every_run, found, wholly_tried
from scripts.pages.handicaps import said_leads


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
        for _, row in wholly_tried(controls.tried_with_own(choice_runs(recipe), FORM), recipe, FORM).iterrows()
    ]
    head = ["budget", "rival", "X", "options", "validation AUC as it comes", "in another form", "difference"]
    return f"{markdown(head, rows)}\nOn the seeds that are reported:\n\n{_table(FORM)}"


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
        for _, row in _with_own(recipe, control).iterrows()
    ]
    head = ["budget", "rival", "X", "options", "bytes", "seeds", "AUC ↑", "minus the rival as it comes"]
    table = markdown([*head, "the compressor minus it"], rows)
    absent = " ".join(filter(None, (_not_run(recipe, control) for recipe in RECIPES)))
    return table + f"\n{absent}\n" * bool(absent) if rows else NOT_YET


def weights_in_short(recipe: str) -> str:
    """The compressor's lead over the best rival whose first-order weights have options of their own, by budget."""
    rows = _with_own(recipe, WEIGHTS)
    if rows.empty:
        return "Rivals whose first-order weights are coarser than their embedding have not run"
    where = "Over rivals whose first-order weights are coarser than their embedding"
    return f"{where} the lead is {_least(rows)}{_taught_too(recipe)}, on {from_to(rows['n'])} seeds"


def forms_in_short(recipe: str) -> str:
    """The compressor's lead over the best rival in another form, by budget."""
    rows = _with_own(recipe, FORM)
    if rows.empty:
        return f"Rivals in another form have not run in recipe `{recipe}`"
    said = f"Over rivals in another form the lead in recipe `{recipe}` is {_least(rows)}, on {from_to(rows['n'])} seeds"
    absent = ", ".join(_absent(recipe, FORM))
    return said + f"; not run so yet: {absent}" * bool(absent)


def _least(rows: pd.DataFrame) -> str:
    """``+0.0028 ± 0.0019 at 3.1% (MGQE), ...``, the lead over the best rival of each budget."""
    best = [group.loc[group["auc"].idxmax()] for _, group in rows.groupby("share", sort=False)]
    return ", ".join(
        f"{plus_minus(row['lead'], row['lead_half'])} at {row['share']:.1%} ({METHOD_NAMES[row['method']]})"
        for row in best
    )


def _taught_too(recipe: str) -> str:
    """The same where those rivals learn from FE, too."""
    said = said_leads(controls.from_teacher(every_run(recipe), found(recipe), BOTH))
    return f"; where they learn from FE, too, it is {said}" if said else ""


def _not_run(recipe: str, control: str) -> str:
    names = _absent(recipe, control)
    return f"Not run yet in recipe `{recipe}`: {', '.join(names)}." if names else ""


def _absent(recipe: str, control: str) -> list[str]:
    """Rivals that are planned in a control and have not run in any share."""
    ran = _with_own(recipe, control)
    return [METHOD_NAMES[name] for name in OWN[control] if ran.empty or name not in set(ran["method"])]


@cache
def _with_own(recipe: str, control: str) -> pd.DataFrame:
    every, choice = every_run(recipe), choice_runs(recipe)
    rows = controls.with_own(every, at_chosen_settings(every, choice), choice, control)
    return rows if rows.empty else wholly_tried(rows, recipe, control)
