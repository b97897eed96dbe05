"""README.md: the compressor's smallest lead over the best rival, in each control that gives rivals more."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pandas as pd

from autodpq_budget.read_runs import BOTH
from autodpq_budget.settings import FORM, WEIGHTS
from autodpq_eval.words import from_to, gap
from autodpq_lib.config import RECIPES
from scripts.pages import handicaps
from scripts.pages.equal_bytes import rival_name
from scripts.pages.own_options import with_own

PAGE = "results/budget-controls.md"


def text() -> str:
    """Every control with its smallest lead over all budgets of both recipes."""
    every = {
        name: pd.concat([leads(recipe).assign(recipe=recipe) for recipe in RECIPES], ignore_index=True)
        for name, leads in CONTROLS.items()
    }
    ran = {name: leads for name, leads in every.items() if len(leads)}
    if not ran:
        return "No control that gives rivals more has run"
    seeds = from_to(pd.concat(ran.values())["n"])
    said = "; ".join(f"{name}, {_smallest(leads)}" for name, leads in ran.items())
    return (
        f"The compressor's smallest lead over the best rival ({seeds} seeds, both recipes, all budgets tried): {said}"
    )


def _over_own(recipe: str, control: str) -> pd.DataFrame:
    """The leads over the rival of the best AUC at each budget."""
    rows = with_own(recipe, control)
    if rows.empty:
        return rows
    best = rows.loc[rows.groupby("share")["auc"].idxmax(), ["share", "method", "n", "lead", "lead_half"]]
    best = best.rename(columns={"method": "rival", "lead": "effect"})
    return best.assign(high=best["effect"] + best["lead_half"])


def _smallest(leads: pd.DataFrame) -> str:
    """``+0.0028 ± 0.0019 (`tuned`, 3.1%, MGQE)``."""
    row = leads.loc[leads["effect"].idxmin()]
    return f"{gap(row)} (`{row['recipe']}`, {row['share']:.1%}, {rival_name(row['rival'])})"


#: A control, linked -> its leads in a recipe.
CONTROLS: dict[str, Callable[[str], pd.DataFrame]] = {
    f"[all learn from labels]({PAGE}#who-learns-from-what)": handicaps.from_labels,
    "all learn from FE": handicaps.from_teacher,
    f"rivals with [coarser first-order weights]({PAGE}#first-order-weights-of-their-own)": partial(
        _over_own, control=WEIGHTS
    ),
    "rivals with these and FE as teacher": partial(handicaps.from_teacher, control=BOTH),
    f"[rivals in another form]({PAGE}#rivals-in-another-form)": partial(_over_own, control=FORM),
}
