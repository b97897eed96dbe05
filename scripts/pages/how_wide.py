"""results/budget.md: which X the FE has that is compressed, as it was tried and as ``make compress`` chooses it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pandas as pd

from autodpq_budget.other_width import TEACHER_DIM
from autodpq_budget.read_runs import shares_of
from autodpq_budget.settings import SHARES
from autodpq_budget.width import AMPLE, HALF_FROM, NARROWEST, OWN_FROM, Room, width_for
from autodpq_eval.layout import markdown
from autodpq_lib.config import RECIPES
from autodpq_rivals.budget import WIDTHS
from benchmarks import width
from scripts.pages import equal_bytes
from scripts.pages.equal_bytes import RECIPE, choice_runs


def widths() -> str:
    """Validation AUC of the compressor by width, on the seed of choice; and what a width by rotation would lose."""
    rows = [_by_width(recipe, share) for recipe in RECIPES for share in shares_of(choice_runs(recipe))]
    table = markdown(["budget", *(f"X = {dim}" for dim in WIDTHS)], rows)
    rule = (
        "Unless X is given, `make compress` chooses it by the bytes that the file leaves for the tables, as a share "
        f"of those of the run's own tables in float32. At {OWN_FROM:.0%} or more X is the run's own; at "
        f"{HALF_FROM:.0%} or more, half of it; below that a quarter, but at least {NARROWEST}. Where the tables would "
        f"then have less than {AMPLE:.0f} times their least size (one mean for each group), X is lowered until they "
        f"have that; if no X gives it, the one that comes nearest is taken. For FE this gives X = {_taken()}. For the "
        f"tables of this page X was chosen by trying, as above, and another X was best {_otherwise()}."
    )
    return f"{table}\n{rule}\n\nTest AUC on three seeds, recipe `{RECIPE}`, nothing compressed:\n\n{width.table()}"


def _taken() -> str:
    return ", ".join(f"{width_for(partial(_ample, share), TEACHER_DIM)} at {share:.1%}" for share in SHARES)


def _otherwise() -> str:
    """Where another X than that of ``make compress`` was best."""
    said = []
    for recipe in RECIPES:
        best = {share: equal_bytes.told(recipe, share).set_index("width")["valid"].idxmax() for share in SHARES}
        other = [share for share in SHARES if best[share] != width_for(partial(_ample, share), TEACHER_DIM)]
        said += [f"in `{recipe}` at {', '.join(f'{share:.1%}' for share in other)}"] if other else []
    return " and ".join(said) or "nowhere"


def _ample(share: float, _: int) -> Room:
    return Room(share, AMPLE)


def _by_width(recipe: str, share: float) -> list[str]:
    aucs = equal_bytes.told(recipe, share).set_index("width")["valid"].reindex(WIDTHS)
    cells = ("–" if pd.isna(auc) else f"**{auc:.4f}**" if auc == aucs.max() else f"{auc:.4f}" for auc in aucs)
    return [f"`{recipe}`, {share:.1%}", *cells]


BLOCKS: dict[str, Callable[[], str]] = {"budget-widths": widths}
