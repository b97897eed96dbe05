"""results/budget.md: the same comparisons on a new split, and with averaged weights; what averaging is worth."""

from __future__ import annotations

import pandas as pd

from autodpq_budget import at_equal_bytes
from autodpq_budget.candidates import SHARES
from autodpq_budget.plan import AVERAGED, OTHER_SPLIT
from autodpq_eval.layout import gap, markdown, plus_minus
from autodpq_eval.stats import paired_effect
from autodpq_lib.config import RECIPES, STRATEGIES
from autodpq_rivals.methods import METHODS
from scripts.pages.aims import MARGINS
from scripts.pages.equal_bytes import NOT_YET, bold_ours, found, rival_name


def on_a_new_split() -> str:
    """The compressor beside FE and the best rival, where samples are split anew."""
    return _compared(**OTHER_SPLIT)


def averaged() -> str:
    """The same with averaged weights, and what averaging is worth to FE and to each method."""
    worth = "\n".join(f"Recipe `{recipe}`:\n\n{_worth(recipe)}" for recipe in RECIPES if len(found(recipe, **AVERAGED)))
    said = f"Averaged minus as it comes, paired, at the same setting:\n\n{worth}" if worth else ""
    return f"{_compared(**AVERAGED)}\n{said}"


def _compared(**switches: float) -> str:
    """The compressor's paired differences, where all methods have one switch more."""
    every = {recipe: found(recipe, **switches) for recipe in RECIPES}
    rows = [
        [
            *(f"`{recipe}`, {row['share']:.1%}", f"{row['n']:.0f}", plus_minus(row["difference"], row["half"])),
            *(rival_name(row["rival"]), f"{row['n_rival']:.0f}", plus_minus(row["lead"], row["lead_half"])),
        ]
        for recipe, runs in every.items()
        if len(runs)
        for _, row in at_equal_bytes.comparisons(runs, MARGINS[recipe]).iterrows()
    ]
    left = "" if any(has_rivals(runs) for runs in every.values()) else "\nRivals: not run yet.\n"
    table = markdown(["budget", "seeds", "difference to FE", "best rival", "pairs", "over it"], rows)
    return table + left if rows else NOT_YET


def has_rivals(runs: pd.DataFrame) -> bool:
    """Whether any rival has run."""
    return bool(runs["method"].isin(METHODS).any())


def _worth(recipe: str) -> str:
    """A row a method, FE's and the compressor's first, and a column a budget."""
    plain, mean = found(recipe), found(recipe, **AVERAGED)
    there = set(mean["method"]) - {*STRATEGIES}
    names = ["fe", *(name for name in at_equal_bytes.METHOD_NAMES if name in there)]
    rows = [[bold_ours(name), *(_gained(plain, mean, name, share) for share in (1.0, *SHARES))] for name in names]
    return markdown(["method", *(f"{share:.1%}" for share in (1.0, *SHARES))], rows)


def _gained(plain: pd.DataFrame, mean: pd.DataFrame, method: str, share: float) -> str:
    """Averaged minus as it comes; a dash where one of them has not run."""
    with_mean, without = (at_equal_bytes.aucs_at(runs, method, share) for runs in (mean, plain))
    return gap(paired_effect(with_mean, without))
