"""The parts of the evaluation in results/README.md: how many runs each has, how many are done, and their hours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from itertools import product

import pandas as pd

from autodpq_eval.batch import TABLE_SEEDS
from autodpq_eval.layout import markdown
from autodpq_eval.parts import PLANS
from autodpq_eval.plans import TEN_SEEDS
from autodpq_eval.tables import read_plan
from autodpq_lib.config import RECIPES
from scripts.pages.committed import RESULTS

#: Part -> its seeds; where the part itself says on how many a run is made, they play no role.
SEEDS: dict[str, Sequence[int]] = {
    "tables": TABLE_SEEDS,
    "figure3": TABLE_SEEDS,
    "seeds": TEN_SEEDS,
    "controls": TEN_SEEDS,
    "gain": TEN_SEEDS,
    "readings": TEN_SEEDS,
    "laboratory": TEN_SEEDS,
}


#: Runs of a part, those done, core-hours of these and, about, of all.
KEYS = ("runs", "done", "hours", "whole")


def table() -> str:
    """A row a part and recipe, on MovieLens-1M; a run that two parts share counts in both, and in their sum."""
    every = pd.DataFrame({key: _part(*key) for key in product(SEEDS, RECIPES)}, index=KEYS).T
    cells = [[f"`{part}`", f"`{recipe}`", *_cells(each)] for (part, recipe), each in every.iterrows()]
    cells.append(["all", "", *_cells(every.sum(skipna=False))])
    return markdown(["part", "recipe", "runs", "done", "core-hours of those done", "of all, about"], cells)


def _part(part: str, recipe: str) -> tuple[int, int, float, float]:
    """What :data:`KEYS` name. Hours of all are by those done in this recipe or, where none is, in the other."""
    number, done, hours = _done(part, recipe)
    (other,) = set(RECIPES) - {recipe}
    _, by, took = (number, done, hours) if done else _done(part, other)
    return number, done, hours, number * took / by if by else math.nan


@cache
def _done(part: str, recipe: str) -> tuple[int, int, float]:
    """Runs of a part, those done, and their core-hours."""
    runs = PLANS[part]("ml-1m", recipe, SEEDS[part], RESULTS)
    records, _ = read_plan(RESULTS, runs)
    return len(runs), len(records), sum(record.seconds for record in records) / 3600


def _cells(each: pd.Series) -> list[str]:
    return [f"{each['runs']:,.0f}", f"{each['done']:,.0f}", f"{each['hours']:.1f}", f"{each['whole']:.1f}"]
