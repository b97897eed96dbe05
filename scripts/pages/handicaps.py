"""results/budget.md: what the teacher is worth, and the leads where all learn alike."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from autodpq_budget import controls
from autodpq_budget.at_equal_bytes import METHOD_NAMES
from autodpq_budget.read_runs import BOTH, TEACHER
from autodpq_eval.layout import gap, markdown, plus_minus
from autodpq_lib.config import RECIPES
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
    return f"{table}\nThe compressor minus the best rival of these seeds:\n\n{leads}" if rows else NOT_YET


def _leads(recipe: str) -> Iterator[list[str]]:
    """The compressor's lead on the seeds of all rivals, at each share at which something is otherwise taught."""
    every, runs = every_run(recipe), found(recipe)
    leads = [controls.from_labels(every, runs)]
    leads += [controls.from_teacher(every, runs, control) for control in (TEACHER, BOTH)]
    columns = [*map(alike, leads)]
    for row in comparisons(recipe):
        if any(row["share"] in column for column in columns):
            came = f"{rival_name(row['rival_of_all'])}: {plus_minus(row['lead_of_all'], row['lead_half_of_all'])}"
            others = [column.get(row["share"], "–") for column in columns]
            yield [f"`{recipe}`, {row['share']:.1%}", f"{row['n_rival_of_all']:.0f}", came, *others]


def alike(leads: pd.DataFrame) -> dict[float, str]:
    """Share -> the best rival that learns as the compressor does, and the compressor minus it."""
    return {row["share"]: f"{rival_name(row['rival'])}: {gap(row)}" for _, row in leads.iterrows()}


def labels_in_short(recipe: str) -> str:
    """The compressor minus the best rival where both learn from labels, by budget, and what that shows."""
    leads = controls.from_labels(every_run(recipe), found(recipe))
    if leads.empty:
        return f"In recipe `{recipe}` the compressor has not learnt from labels"
    behind = ": without its teacher it is behind there" * bool((leads["high"] < 0).all())
    return f"In recipe `{recipe}` the compressor minus the best rival is, both from labels, {said_leads(leads)}{behind}"


def said_leads(leads: pd.DataFrame) -> str:
    """``+0.0028 ± 0.0019 at 3.1% (MGQE), ...``, a lead a budget."""
    return ", ".join(f"{gap(r)} at {r['share']:.1%} ({METHOD_NAMES[r['rival']]})" for _, r in leads.iterrows())
