"""results/budget-controls.md: the comparisons at equal bytes once more, with one thing changed at a time."""

from __future__ import annotations

from collections.abc import Callable

from autodpq_budget.plan import OTHER_MODELS
from autodpq_eval.layout import LABELS
from autodpq_lib.config import RECIPES
from scripts.pages import handicaps, own_options, smallest_leads, variants
from scripts.pages.budget import rows_of, used


def models() -> str:
    """The compressor on the other models against FE and the best rival, and every method there."""
    kinds = [(recipe, model) for model in OTHER_MODELS for recipe in RECIPES]
    shares = [f"{LABELS[model]}, `{recipe}`: {used(recipe, model)}\n" for recipe, model in kinds]
    every = f"{rows_of(kinds)}\n{''.join(shares)}"
    return (
        f"{variants.compared(kinds)}\n<details><summary>Every method at every budget</summary>\n\n{every}\n</details>\n"
    )


BLOCKS: dict[str, Callable[[], str]] = {
    "budget-leads": smallest_leads.table,
    "budget-split": variants.on_a_new_split,
    "budget-models": models,
    "budget-average": variants.averaged,
    "budget-from-zero": variants.from_zero,
    "budget-teachers": handicaps.teachers,
    "budget-weights": own_options.weights,
    "budget-forms": own_options.forms,
}
