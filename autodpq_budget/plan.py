"""The batch at equal bytes: FE, the compressor and each rival at budgets from half to less than a hundredth of FE.

``make budget`` asks for the seed of choice first, then for those that every rival has, then for the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

from autodpq_budget.chosen import Chosen, chosen
from autodpq_budget.other_model import on_another_model
from autodpq_budget.other_width import TAUGHT, TEACHER_DIM, like
from autodpq_budget.settings import (
    CHOICE_SEED,
    CONTROL_OPTIONS,
    FORM,
    SHARES,
    WEIGHTS,
    compressor,
    every_setting,
    felt,
    own_settings,
)
from autodpq_budget.strategy import COMPRESSOR
from autodpq_data.prepared import load_schema
from autodpq_eval.plans import configure
from autodpq_lib.config import RECIPES, Model, RunConfig
from autodpq_rivals.methods import LEARNERS

#: How many rivals of each share run on every seed.
BEST = 3
#: Seeds on which, of the rivals, only these run.
BEST_ALONE = range(4, 11)
#: A split on which the compressor was not developed: FE, the compressor and the best rivals run on it, too.
OTHER_SPLIT: dict[str, Any] = {"split_seed": 1}
#: A moving mean of the weights over steps in place of the weights: all methods run once more with it.
AVERAGED: dict[str, Any] = {"average": 0.999}
#: First-order weights from zero, or near it, where the recipe starts them elsewhere: once more all methods that do not
#: start so in any case.
FROM_ZERO: dict[str, Any] = {"first_order_sd": 0.0}
#: Shares at which controls tell what the teacher is worth.
TAUGHT_SHARES = (0.0625, 0.031, 0.016)
#: Models beside DeepFM, and the shares at which the compressor and the best rivals run on them, on the seeds that
#: every rival has.
OTHER_MODELS: tuple[Model, ...] = ("pnn", "dcn")
OTHER_SHARES = (0.125, 0.031, 0.008)

#: Data sets whose names begin so have the compressor alone: all settings of all rivals would take days.
ALONE = "avazu"


def budget_plan(dataset: str, recipe: str, seeds: Sequence[int], out: Path) -> list[RunConfig]:
    """All settings on :data:`CHOICE_SEED`, if it is one of the seeds; on the others the chosen ones, and controls.

    On a data set that :data:`ALONE` names only FE and the compressor run, the latter at the teacher's width.

    Raises:
        ValueError: another seed is asked for, and below ``out`` no method has all its settings on the seed of choice.
    """
    if dataset.startswith(ALONE):
        return list(dict.fromkeys(run for seed in seeds for run in with_teachers(_alone(dataset, recipe, seed))))
    others = [seed for seed in seeds if seed != CHOICE_SEED]
    plans = _tried(dataset, recipe) if CHOICE_SEED in seeds else []
    return list(dict.fromkeys(plans + (_as_chosen(dataset, recipe, others, out) if others else [])))


def _tried(dataset: str, recipe: str) -> list[RunConfig]:
    every = [run for runs in every_setting(dataset, recipe).values() for run in runs]
    own = [
        run for control in CONTROL_OPTIONS for runs in own_settings(dataset, recipe, control).values() for run in runs
    ]
    return with_teachers(every) + own


def _as_chosen(dataset: str, recipe: str, seeds: Sequence[int], out: Path) -> list[RunConfig]:
    found = chosen(every_setting(dataset, recipe), out)
    if not found:
        place = f"{out / dataset / recipe / 'records'}: expected those of seed {CHOICE_SEED}, which choose settings"
        first = f"make replicate PART=budget DATASET={dataset} RECIPE={recipe} SEEDS={CHOICE_SEED} OUT={out}"
        raise ValueError(f"{place}, found none; first {first}")
    plans: list[RunConfig] = []
    for seed in seeds:
        wanted = shortlist(found) if seed in BEST_ALONE else found
        plans += with_teachers([run.model_copy(update={"seed": seed}) for run, _ in wanted.values()])
    few = [seed for seed in seeds if seed not in BEST_ALONE]
    forms, coarse = (_own(dataset, recipe, control, out) for control in (FORM, WEIGHTS))
    controls = [*forms, *coarse, *map(otherwise_taught, [*learners(found), *coarse])]
    plans += [run.model_copy(update={"seed": seed}) for seed in few for run in controls]
    plans += [run for seed in few for run in varied(shortlist(found), seed, OTHER_SPLIT)]
    once_more = [AVERAGED, FROM_ZERO] if RECIPES[recipe].first_order_sd else [AVERAGED]
    plans += [run for switches, seed in product(once_more, few) for run in varied(found, seed, switches)]
    moved = [on_another_model(best_elsewhere(found), model, out) for model in OTHER_MODELS] if few else []
    return plans + [run for each, seed in product(moved, few) for run in varied(each, seed, {})]


def _own(dataset: str, recipe: str, control: str, out: Path) -> list[RunConfig]:
    """Rivals with options of their own, as they were chosen."""
    return [run for run, _ in chosen(own_settings(dataset, recipe, control), out, control).values()]


def with_teachers(runs: Sequence[RunConfig]) -> list[RunConfig]:
    """Runs of one seed, and first what the compressor among them starts from: FE, and those that it teaches."""
    ours = [run for run in runs if run.strategy == COMPRESSOR]
    fe = [like(run, "fe", TEACHER_DIM) for run in (ours or runs)[:1]]  # some rivals do not have all switches
    narrow = [run for run in ours if run.embedding_dim != TEACHER_DIM]
    return [*fe, *dict.fromkeys(like(run, TAUGHT, run.embedding_dim) for run in narrow), *ours, *runs]


def learners(found: Chosen) -> list[RunConfig]:
    """What tells what the teacher is worth: the compressor, and the best rivals that can learn from its teacher."""
    runs = [run for (share, _), (run, _) in shortlist(found).items() if share in TAUGHT_SHARES]
    return [run for run in runs if run.strategy in (COMPRESSOR, *LEARNERS)]


def otherwise_taught(run: RunConfig) -> RunConfig:
    """The compressor from labels, a rival from the compressor's teacher."""
    return run.model_copy(update={"options": run.options | {"taught": run.strategy != COMPRESSOR}})


def varied(found: Chosen, seed: int, switches: dict[str, Any]) -> list[RunConfig]:
    """FE, and methods as they were chosen, all with the switches more that change them."""
    runs = [run.model_copy(update={"seed": seed, **felt(switches, run.strategy)}) for run, _ in found.values()]
    return with_teachers(runs)


def shortlist(found: Chosen) -> Chosen:
    """The compressor, and of each share the :data:`BEST` rivals by validation AUC on the seed of choice."""
    ranked = sorted((key for key in found if key[1] != COMPRESSOR), key=lambda key: -found[key][1])
    keys = [key for key in found if key[1] == COMPRESSOR]
    keys += [key for share in SHARES for key in [key for key in ranked if key[0] == share][:BEST]]
    return {key: found[key] for key in keys}


def best_elsewhere(found: Chosen) -> Chosen:
    """Of the :func:`shortlist` what runs on :data:`OTHER_MODELS`, too."""
    return {key: one for key, one in shortlist(found).items() if key[0] in OTHER_SHARES}


def _alone(dataset: str, recipe: str, seed: int) -> list[RunConfig]:
    fe = configure(dataset, recipe, "fe", seed)
    schema = load_schema(dataset, fe.threshold)
    return [compressor(fe, schema, share, TEACHER_DIM) for share in SHARES]
