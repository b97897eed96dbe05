"""The parts of the evaluation in results/README.md: how many runs each has, how many are done, and their hours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache
from itertools import product

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


@dataclass(frozen=True)
class _Part:
    """A part in a recipe: how many runs it has, how many are done, core-hours of those and, about, of all."""

    runs: int
    done: int
    hours: float
    whole: float


def table() -> str:
    """A row a part and recipe, on MovieLens-1M; a run that two parts share counts in both, and in their sum."""
    rows = {(part, recipe): _part(part, recipe) for part, recipe in product(SEEDS, RECIPES)}
    cells = [[f"`{part}`", f"`{recipe}`", *_cells(each)] for (part, recipe), each in rows.items()]
    every = rows.values()
    keys = [field.name for field in fields(_Part)]
    cells.append(["all", "", *_cells(_Part(*(sum(getattr(each, key) for each in every) for key in keys)))])
    return markdown(["part", "recipe", "runs", "done", "core-hours of those done", "of all, about"], cells)


def _part(part: str, recipe: str) -> _Part:
    """Hours of all are by those done in this recipe or, where none is, in the other."""
    number, done, hours = _done(part, recipe)
    (other,) = set(RECIPES) - {recipe}
    _, by, took = (number, done, hours) if done else _done(part, other)
    return _Part(number, done, hours, number * took / by if by else math.nan)


@cache
def _done(part: str, recipe: str) -> tuple[int, int, float]:
    """Runs of a part, those done, and their core-hours."""
    runs = PLANS[part]("ml-1m", recipe, SEEDS[part], RESULTS)
    records, _ = read_plan(RESULTS, runs)
    return len(runs), len(records), sum(record.seconds for record in records) / 3600


def _cells(each: _Part) -> list[str]:
    return [f"{each.runs:,}", f"{each.done:,}", f"{each.hours:.1f}", f"{each.whole:.1f}"]
