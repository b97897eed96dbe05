"""results/budget-rivals.md: what the runs at equal bytes took."""

from __future__ import annotations

import pandas as pd

from autodpq_budget.at_equal_bytes import METHOD_NAMES
from autodpq_budget.settings import CHOICE_SEED
from autodpq_eval.layout import markdown
from autodpq_lib.config import OUTSIDE
from autodpq_runs.explore import records
from scripts.pages.committed import RESULTS

#: What all runs of :func:`hours` were to take.
HOURS, CORES = 4, 2


def hours() -> str:
    """What the runs of this page took, FE's and those of Table 1 apart: in all, and by method."""
    every = records(RESULTS)
    every = every[(every["dataset"] == "ml-1m") & every["strategy"].isin(OUTSIDE)]
    took = [
        f"{len(runs)} in recipe `{recipe}`, {_hours(runs):.1f} core-hours" for recipe, runs in every.groupby("recipe")
    ]
    kept = f"missed: {_why(every)}" if _hours(every) > HOURS * CORES else "kept so far."
    return (
        f"Runs at equal bytes so far: {'; '.join(took)} of training and validation. Aimed at for all of them: "
        f"{HOURS} hours on {CORES} cores, {kept}\n\n{_by_method(every)}"
    )


def _why(every: pd.DataFrame) -> str:
    """What takes the hours."""
    choice, dhe = every["seed"] == CHOICE_SEED, every["strategy"] == "dhe"
    return (
        f"the settings on the seed of choice alone take {_hours(every[choice]):.1f} core-hours; DHE, whose net runs at "
        f"every look-up, takes {_hours(every[dhe]):.1f} of all {_hours(every):.1f}, {_hours(every[dhe & choice]):.1f} "
        "of them on that seed."
    )


def _hours(runs: pd.DataFrame) -> float:
    return float(runs["seconds"].sum() / 3600)


def _by_method(every: pd.DataFrame) -> str:
    """A row a method, both recipes together."""
    rows = [
        [METHOD_NAMES[name], f"{len(runs)}", f"{_hours(runs):.1f}", f"{runs['seconds'].median():.0f}"]
        for name, runs in sorted(every.groupby("strategy"), key=lambda each: -_hours(each[1]))
    ]
    return markdown(["method", "runs", "core-hours", "seconds a run, median"], rows)


BLOCKS = {"budget-hours": hours}
