"""results/budget-controls.md: the comparisons on a new split, on other models, and with a switch more for all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from autodpq_budget import at_equal_bytes
from autodpq_budget.plan import AVERAGED, FROM_ZERO, OTHER_SPLIT
from autodpq_budget.settings import SHARES
from autodpq_budget.strategy import COMPRESSOR
from autodpq_eval.layout import LABELS, markdown
from autodpq_eval.stats import paired_effect
from autodpq_eval.words import gap, plus_minus
from autodpq_lib.config import RECIPES
from autodpq_rivals.methods import METHODS
from scripts.pages.aims import comparisons, finished
from scripts.pages.equal_bytes import NOT_YET, bold_ours, found, rival_name

#: Below this AUC a model has learnt nothing that counts.
CHANCE = 0.6
#: Recipe and model of what is compared everywhere.
DEEPFM = [(recipe, "deepfm") for recipe in RECIPES]


def on_a_new_split() -> str:
    """The compressor beside FE and the best rival, where samples are split anew."""
    return compared(DEEPFM, **OTHER_SPLIT)


def averaged() -> str:
    """The same with averaged weights, and what averaging is worth to FE and to each method."""
    return f"{compared(DEEPFM, **AVERAGED)}\n{_worth('Averaged', **AVERAGED)}"


def from_zero() -> str:
    """The same where all first-order weights start near zero, and what that is worth to each."""
    far = [(recipe, model) for recipe, model in DEEPFM if RECIPES[recipe].first_order_sd]
    return f"{compared(far, **FROM_ZERO)}\n{_worth('From zero', **FROM_ZERO)}"


def compared(kinds: Sequence[tuple[str, str]], **switches: float) -> str:
    """The compressor's paired differences, on each model and recipe, where all methods have these switches more."""
    every = [(_named(*kind), row) for kind in kinds for row in comparisons(*kind, **switches)]
    rows = [
        [
            *(f"{name}, {row['share']:.1%}", f"{row['n']:.0f}", plus_minus(row["difference"], row["half"])),
            *_best_rival(row),
        ]
        for name, row in every
    ]
    left = [_named(*kind) for kind in kinds if not found(*kind, **switches)["method"].isin(METHODS).any()]
    table = markdown(["budget", "seeds", "difference to FE", "best rival", "pairs", "over it"], rows)
    absent = f" No rival has run this way yet in {' and '.join(left)}." if left else ""
    return f"{table}\n{_ahead(every)}{absent}\n" if rows else NOT_YET


def _best_rival(row: dict[str, Any]) -> list[str]:
    """Its name, pairs and lead; none of them where it has not run on all seeds that the compressor has."""
    if not finished(row):
        return ["unfinished", "", ""]
    return [rival_name(row["rival"]), f"{row['n_rival']:.0f}", plus_minus(row["lead"], row["lead_half"])]


def _named(recipe: str, model: str) -> str:
    return f"`{recipe}`" if model == "deepfm" else f"{LABELS[model]}, `{recipe}`"


def _ahead(rows: Sequence[tuple[str, dict[str, Any]]]) -> str:
    """Where the best rival is ahead of the compressor by an interval that is clear of zero."""
    said = (
        f"{rival_name(row['rival'])} at {row['share']:.1%} ({name}), {plus_minus(-row['lead'], row['lead_half'])}"
        for name, row in rows
        if finished(row) and row["lead"] + row["lead_half"] < 0
    )
    return f"Where the best rival is ahead by an interval clear of zero, not corrected: {'; '.join(said) or 'nowhere'}."


def _worth(title: str, **switches: float) -> str:
    """What the switch is worth to each method, a table a recipe."""
    every = {recipe: found(recipe, **switches) for recipe in RECIPES}
    tables = [f"Recipe `{recipe}`:\n\n{_by_method(recipe, runs)}" for recipe, runs in every.items() if len(runs)]
    said = f"{title}, minus as it comes, paired, at the same setting:"
    return "\n\n".join([said, *tables]) if tables else ""


def _by_method(recipe: str, with_it: pd.DataFrame) -> str:
    """A row a method, FE's and the compressor's first, and a column a budget."""
    plain, names = found(recipe), ("fe", COMPRESSOR, *METHODS)
    cells = {name: [gap(gained(plain, with_it, name, share)) for share in (1.0, *SHARES)] for name in names}
    there = [name for name in names if set(cells[name]) != {"–"}]
    rows = [[bold_ours(name), *cells[name]] for name in there]
    table = markdown(["method", *(f"{share:.1%}" for share in (1.0, *SHARES))], rows)
    return table + _lacking(plain, with_it) + _at_chance(with_it)


def _lacking(plain: pd.DataFrame, with_it: pd.DataFrame) -> str:
    """Rivals, and the budgets, at which they have not run on all seeds that FE has with the switch."""
    seeds, said = len(at_equal_bytes.aucs_at(with_it, "fe", 1.0)), []
    for name in METHODS:
        has = [share for share in SHARES if at_equal_bytes.aucs_at(plain, name, share)]
        lacks = [share for share in has if len(at_equal_bytes.aucs_at(with_it, name, share)) < seeds]
        where = "" if lacks == has else f" at {', '.join(f'{share:.1%}' for share in lacks)}"
        said += [at_equal_bytes.METHOD_NAMES[name] + where] if lacks else []
    return f"\nNot run this way yet on all seeds: {'; '.join(said)}.\n" if said else ""


def _at_chance(runs: pd.DataFrame) -> str:
    """The runs whose training was stopped before the model learnt anything, in a sentence, if there are any."""
    rows = runs[runs["auc"] < CHANCE].drop_duplicates(["method", "setting", "seed"])
    said = [
        f"{at_equal_bytes.METHOD_NAMES[row['method']]}, X = {row['width']}, {row['options']}, seed {row['seed']}"
        for _, row in rows.iterrows()
    ]
    return f"\nStopped before they learnt, with an AUC below {CHANCE}: {'; '.join(said)}.\n" if said else ""


def gained(plain: pd.DataFrame, with_it: pd.DataFrame, method: str, share: float) -> Mapping[str, float]:
    """With the switch minus without it, paired; no number where one of them has not run."""
    ours, base = (at_equal_bytes.aucs_at(runs, method, share) for runs in (with_it, plain))
    return paired_effect(ours, base)
