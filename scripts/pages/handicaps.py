"""results/budget-controls.md: what the teacher is worth, and the leads where all learn alike."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pandas as pd

from autodpq_budget import controls
from autodpq_budget.at_equal_bytes import METHOD_NAMES
from autodpq_budget.read_runs import BOTH, TEACHER
from autodpq_eval.layout import markdown
from autodpq_eval.words import gap, plus_minus
from autodpq_lib.config import RECIPES
from autodpq_rivals.methods import LEARNERS, METHODS
from scripts.pages.aims import comparisons
from scripts.pages.equal_bytes import NOT_YET, bold_ours, every_run, found, rival_name


def teachers() -> str:
    """What is taught by FE beside what learns from labels; and the leads where all learn in one way."""
    rows = [
        [
            *(f"`{recipe}`, {row['share']:.1%}", bold_ours(row["method"]), f"{row['width']}", f"{row['n']:.0f}"),
            *(f"{row['labels']:.4f}", f"{row['taught']:.4f}"),
            gap(row),
        ]
        for recipe in RECIPES
        for _, row in controls.teaching(every_run(recipe)).iterrows()
    ]
    table = markdown(["budget", "method", "X", "seeds", "from labels", "from FE", "difference"], rows)
    head = ["budget", "seeds", "as they come", "all from labels", "all from FE"]
    head += ["all from FE, rivals with coarser first-order weights"]
    leads = markdown(head, [row for recipe in RECIPES for row in _leads(recipe)])
    untaught = " and ".join(METHOD_NAMES[name] for name in METHODS if name not in LEARNERS)
    said = (
        f"The compressor minus the best rival of these seeds. Never taught, and so in no column *from FE*: {untaught}."
    )
    return f"{table}\n{said}\n\n{leads}" if rows else NOT_YET


def _leads(recipe: str) -> Iterator[list[str]]:
    """The compressor's lead on the seeds of all rivals, at each share at which something is otherwise taught."""
    leads = [from_labels(recipe), from_teacher(recipe, TEACHER), from_teacher(recipe, BOTH)]
    columns = [*map(alike, leads)]
    for row in comparisons(recipe):
        if any(row["share"] in column for column in columns):
            came = f"{rival_name(row['rival_of_all'])}: {plus_minus(row['lead_of_all'], row['lead_half_of_all'])}"
            others = [column.get(row["share"], "–") for column in columns]
            yield [f"`{recipe}`, {row['share']:.1%}", f"{row['n_rival_of_all']:.0f}", came, *others]


@cache
def from_labels(recipe: str) -> pd.DataFrame:
    """The compressor's leads where it and its rivals learn from labels."""
    return controls.from_labels(every_run(recipe), found(recipe))


@cache
def from_teacher(recipe: str, control: str = TEACHER) -> pd.DataFrame:
    """The compressor's leads where FE teaches its rivals, too."""
    return controls.from_teacher(every_run(recipe), found(recipe), control)


def alike(leads: pd.DataFrame) -> dict[float, str]:
    """Share -> the best rival that learns as the compressor does, and the compressor minus it."""
    return {row["share"]: f"{rival_name(row['rival'])}: {gap(row)}" for _, row in leads.iterrows()}
