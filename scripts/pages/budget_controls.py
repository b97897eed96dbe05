"""results/budget-controls.md: the comparisons at equal bytes once more, with one thing changed at a time."""

from __future__ import annotations

from collections.abc import Callable

from autodpq_budget.plan import OTHER_MODELS
from autodpq_eval.layout import LABELS
from autodpq_lib.config import RECIPES
from scripts.pages import handicaps, own_options, variants
from scripts.pages.budget import rows_of, used


def models() -> str:
    """The same of the other models, and the compressor against the best rival."""
    kinds = [(model, recipe) for model in OTHER_MODELS for recipe in RECIPES]
    shares = [f"{LABELS[model]}, `{recipe}`: {used(recipe, model)}\n" for model, recipe in kinds]
    return f"{rows_of(kinds)}\n{variants.compared(kinds)}\n{''.join(shares)}"


BLOCKS: dict[str, Callable[[], str]] = {
    "budget-split": variants.on_a_new_split,
    "budget-models": models,
    "budget-average": variants.averaged,
    "budget-from-zero": variants.from_zero,
    "budget-teachers": handicaps.teachers,
    "budget-weights": own_options.weights,
    "budget-forms": own_options.forms,
}
