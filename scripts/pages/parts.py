"""The parts of the evaluation in results/README.md: how many runs each has, how many are done, and their hours."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from autodpq_eval.batch import TABLE_SEEDS
from autodpq_eval.layout import markdown
from autodpq_eval.plans import TEN_SEEDS, plan
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


def table() -> str:
    """A row a part and recipe, on MovieLens-1M; a run that two parts share counts in both."""
    head = ["part", "recipe", "runs", "done", "core-hours of those done", "of all, about"]
    return markdown(head, [_row(part, recipe) for part, recipe in product(SEEDS, RECIPES)])


def _row(part: str, recipe: str) -> list[str]:
    runs = plan(part, "ml-1m", recipe, SEEDS[part], out=RESULTS)
    done, _ = read_plan(RESULTS, runs)
    hours = sum(record.seconds for record in done) / 3600
    whole = f"{hours * len(runs) / len(done):.1f}" if done else "–"
    return [f"`{part}`", f"`{recipe}`", str(len(runs)), str(len(done)), f"{hours:.1f}", whole]
