"""The parts of the evaluation, by the names that ``make replicate PART=`` takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from autodpq_eval import plans
from autodpq_eval.best_pair import pair_of_grid
from autodpq_eval.controls import control_runs
from autodpq_lib.config import RunConfig

#: Data set, recipe, seeds and the folder of the records -> runs. Those that take Grid's best pair need its records.
Plan = Callable[[str, str, Sequence[int], Path], list[RunConfig]]
#: Packages above this one add theirs.
PLANS: dict[str, Plan] = {
    "tables": lambda dataset, recipe, seeds, _: plans.tables(dataset, recipe, seeds),
    "figure3": lambda dataset, recipe, seeds, _: plans.long_random(dataset, recipe, seeds),
    "controls": lambda dataset, recipe, *_: control_runs(dataset, recipe),
    "gain": lambda dataset, recipe, *_: plans.gain_runs(dataset, recipe),
    "seeds": lambda dataset, recipe, _, out: plans.ten_seeds(dataset, recipe, pair_of_grid(out, dataset, recipe)),
    "readings": lambda dataset, recipe, seeds, out: plans.readings(
        dataset, recipe, seeds, pair_of_grid(out, dataset, recipe)
    ),
    "laboratory": lambda dataset, recipe, seeds, _: plans.laboratory(dataset, recipe, seeds),
}
