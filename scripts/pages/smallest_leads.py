"""README.md and results/budget-controls.md: the compressor's smallest lead over the best rival, in each control."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pandas as pd

from autodpq_budget.plan import AVERAGED, FROM_ZERO, OTHER_MODELS, OTHER_SPLIT
from autodpq_budget.read_runs import BOTH
from autodpq_budget.settings import FORM, WEIGHTS
from autodpq_eval.layout import LABELS, markdown
from autodpq_eval.words import from_to, gap
from autodpq_lib.config import RECIPES
from scripts.pages import handicaps
from scripts.pages.aims import comparisons, finished
from scripts.pages.equal_bytes import NOT_YET, rival_name
from scripts.pages.own_options import with_own

PAGE = "results/budget-controls.md"
#: A recipe's leads: share, rival, the number of pairs, the effect and the high end of its interval.
Leads = Callable[[str], pd.DataFrame]


def text() -> str:
    """What the controls are, and by how much a rival is ahead in any of them at most."""
    every = [
        leads(recipe).assign(recipe=recipe, control=name) for name, (_, leads) in CONTROLS.items() for recipe in RECIPES
    ]
    if not len(ran := pd.concat(every, ignore_index=True)):
        return "No control has run"
    worst = ran.iloc[[ran["effect"].argmin()]]
    return (
        f"[Controls]({PAGE}) change one thing, such as the split, the model or what rivals may store, or say what "
        f"changes with it ({from_to(ran['n'])} seeds). The compressor's smallest lead over the best rival in any of "
        f"them is {_smallest(worst)}: *{worst['control'].iloc[0]}*"
    )


def table() -> str:
    """A row a control: its budgets and seeds, and the smallest lead in each recipe."""
    controls: dict[str, tuple[str, Leads]] = {"as they come": ("budget.md#auc-against-bytes", _over_best)}
    controls |= {name: (f"#{section}", leads) for name, (section, leads) in CONTROLS.items()}
    rows = []
    for name, (place, leads) in controls.items():
        by_recipe = [leads(recipe) for recipe in RECIPES]
        if len(every := pd.concat(by_recipe)):
            budgets = f"{every['share'].max():.1%} to {every['share'].min():.1%}"
            rows.append([f"[{name}]({place})", budgets, from_to(every["n"]), *map(_smallest, by_recipe)])
    return markdown(["", "budgets", "seeds", *(f"recipe `{recipe}`" for recipe in RECIPES)], rows) if rows else NOT_YET


def _over_best(recipe: str, model: str = "deepfm", **switches: float) -> pd.DataFrame:
    """The leads at the budgets at which the best rival has all seeds of the compressor."""
    rows = list(filter(finished, comparisons(recipe, model, **switches)))
    return _as_effects(pd.DataFrame(rows)) if rows else pd.DataFrame()


def _over_own(recipe: str, control: str) -> pd.DataFrame:
    """The leads over the rival of the best AUC at each budget."""
    rows = with_own(recipe, control)
    if rows.empty:
        return rows
    best = rows.loc[rows.groupby("share")["auc"].idxmax(), ["share", "method", "n", "lead", "lead_half"]]
    return _as_effects(best.rename(columns={"method": "rival"}))


def _as_effects(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.rename(columns={"lead": "effect"}).assign(high=rows["lead"] + rows["lead_half"])


def _smallest(leads: pd.DataFrame) -> str:
    """``+0.0028 ± 0.0019 (3.1%, MGQE)``, with the recipe if there are several; a dash where none has run."""
    if leads.empty:
        return "–"
    row = leads.iloc[leads["effect"].argmin()]
    recipe = f"`{row['recipe']}`, " if "recipe" in row else ""
    return f"{gap(row)} ({recipe}{row['share']:.1%}, {rival_name(row['rival'])})"


#: A control -> its section of the page, and its leads.
CONTROLS: dict[str, tuple[str, Leads]] = {
    "a new split": ("on-a-new-split", partial(_over_best, **OTHER_SPLIT)),
    **{LABELS[model]: ("on-pnn-and-dcn", partial(_over_best, model=model)) for model in OTHER_MODELS},
    "averaged weights": ("with-averaged-weights-ema-0999", partial(_over_best, **AVERAGED)),
    "first-order weights from zero": (
        "with-first-order-weights-that-start-near-zero",
        partial(_over_best, **FROM_ZERO),
    ),
    "all learn from labels": ("who-learns-from-what", handicaps.from_labels),
    "all learn from FE": ("who-learns-from-what", handicaps.from_teacher),
    "rivals have coarser first-order weights": (
        "first-order-weights-of-their-own",
        partial(_over_own, control=WEIGHTS),
    ),
    "rivals have such weights and all learn from FE": (
        "who-learns-from-what",
        partial(handicaps.from_teacher, control=BOTH),
    ),
    "rivals have another form": ("rivals-in-another-form", partial(_over_own, control=FORM)),
}
