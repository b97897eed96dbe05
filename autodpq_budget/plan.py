"""The batch at equal bytes: FE, the compressor and each rival at budgets from an eighth to less than a hundredth of FE.

``make budget`` asks for the seed of choice first, then for those that every rival has, then for the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

from autodpq_budget.by_groups import float_bytes
from autodpq_budget.distil import TAUGHT, TEACHER, keys_of_width, like
from autodpq_budget.strategy import COMPRESSOR
from autodpq_data.prepared import load_schema
from autodpq_data.schema import Schema
from autodpq_eval.plans import configure
from autodpq_eval.tables import read_plans
from autodpq_lib.config import Model, RunConfig
from autodpq_rivals.budget import WIDTHS, rest_bytes, settings
from autodpq_rivals.methods import LEARNERS, METHODS
from autodpq_rivals.rival import Options
from autodpq_runs.record import Record

#: Shares of FE's bytes.
SHARES = (0.125, 0.0625, 0.031, 0.016, 0.008)
#: A rival may exceed a share by a thousandth: four bits a number are an eighth of FE, and each field's scale is more.
SLACK = 1.001
#: Of several settings of a method that of the best validation AUC on this seed is taken; it is not reported.
CHOICE_SEED = 11
#: Rivals of each share that every seed has.
BEST = 3
#: Seeds on which only these run.
BEST_ALONE = range(4, 11)
#: What all methods have once more: a split that was not used to make the compressor; the mean of weights over steps.
OTHER_SPLIT, AVERAGED = {"split_seed": 1}, {"average": 0.999}
VARIANTS: tuple[dict[str, Any], ...] = (OTHER_SPLIT, AVERAGED)
#: Shares at which controls tell what the teacher is worth.
TAUGHT_SHARES = (0.0625, 0.031, 0.016)
#: Models beside DeepFM, and the shares at which they are compressed, on the seeds that every rival has.
OTHER_MODELS: tuple[Model, ...] = ("pnn", "dcn")
OTHER_SHARES = (0.125, 0.031, 0.008)

#: Data sets whose names begin so have the compressor alone: all settings of all rivals would take days.
ALONE = "avazu"

#: Share and method -> a run on the seed of choice, and its validation AUC.
Chosen = dict[tuple[float, str], tuple[RunConfig, float]]


def budget_of(schema: Schema, share: float, model: str = "deepfm") -> int:
    """Bytes: a share of FE's embedding and of the first-order weights that DeepFM has."""
    return int(share * float_bytes(schema, TEACHER, model))


def room(full: float, share: float) -> int:
    """Bytes that a method may have at a share of FE's ``full`` bytes."""
    return int(SLACK * share * full)


def budget_plan(dataset: str, recipe: str, seeds: Sequence[int], out: Path) -> list[RunConfig]:
    """All settings on :data:`CHOICE_SEED`, if it is one of the seeds; on the others the best of each method.

    Where it is :data:`ALONE`, the compressor has the teacher's width.

    Raises:
        ValueError: another seed is asked for, and below ``out`` no method has all its settings on the seed of choice.
    """
    if dataset.startswith(ALONE):
        alone = (run for seed in seeds for run in with_teachers(_of_teachers_width(dataset, recipe, seed)))
        return list(dict.fromkeys(alone))
    others = [seed for seed in seeds if seed != CHOICE_SEED]
    found = chosen(dataset, recipe, out=out) if others else {}
    if others and not found:
        raise ValueError(
            f"the settings of a budget: expected the records of seed {CHOICE_SEED}, found none; run it first"
        )
    plans: list[RunConfig] = []
    if CHOICE_SEED in seeds:
        every = candidates(dataset, recipe, CHOICE_SEED).values()
        plans += with_teachers([run for runs in every for run in runs])
    for seed in others:
        wanted = shortlist(found) if seed in BEST_ALONE else found
        plans += with_teachers([run.model_copy(update={"seed": seed}) for run, _ in wanted.values()])
    few = [seed for seed in others if seed not in BEST_ALONE]
    plans += [run for seed in few for run in otherwise_taught(found, seed)]
    plans += [run for switches in VARIANTS for seed in few for run in varied(found, seed, switches)]
    plans += [run for model, seed in product(OTHER_MODELS, few) for run in of_model(found, model, seed)]
    return list(dict.fromkeys(plans))


def with_teachers(runs: Sequence[RunConfig]) -> list[RunConfig]:
    """Runs of one seed, and first what the compressor among them starts from: FE, and those that it teaches."""
    ours = [run for run in runs if run.strategy == COMPRESSOR]
    fe = [like(run, "fe", TEACHER) for run in runs[:1]]
    narrow = [run for run in ours if run.embedding_dim != TEACHER]
    return [*fe, *dict.fromkeys(like(run, TAUGHT, run.embedding_dim) for run in narrow), *ours, *runs]


def of_model(found: Chosen, model: Model, seed: int) -> list[RunConfig]:
    """The compressor on another model, at :data:`OTHER_SHARES`, of the widths that were chosen on DeepFM."""
    made = []
    for share in OTHER_SHARES:
        if (share, COMPRESSOR) not in found:
            continue
        run, _ = found[share, COMPRESSOR]
        schema = load_schema(run.dataset, run.threshold)
        own = {"options": {"bytes": budget_of(schema, share, model)}, **keys_of_width(run.dataset, run.embedding_dim)}
        made.append(configure(run.dataset, run.recipe, COMPRESSOR, seed, model=model, **own))
    return with_teachers(made)


def otherwise_taught(found: Chosen, seed: int) -> list[RunConfig]:
    """What the teacher is worth: the compressor from labels, and the best rivals that can learn from its teacher."""
    runs = [run for (share, _), (run, _) in shortlist(found).items() if share in TAUGHT_SHARES]
    runs = [run for run in runs if run.strategy in (COMPRESSOR, *LEARNERS)]
    return [
        run.model_copy(update={"seed": seed, "options": run.options | {"taught": run.strategy != COMPRESSOR}})
        for run in runs
    ]


def varied(found: Chosen, seed: int, switches: dict[str, Any]) -> list[RunConfig]:
    """FE, the compressor and its best rivals as they were chosen, all with one switch more."""
    return with_teachers([run.model_copy(update={"seed": seed, **switches}) for run, _ in shortlist(found).values()])


def candidates(dataset: str, recipe: str, seed: int) -> dict[tuple[float, str], list[RunConfig]]:
    """Share and method -> all its settings; a rival that cannot be so small is not there."""
    fe = configure(dataset, recipe, "fe", seed)
    schema = load_schema(dataset, fe.threshold)
    full, found = budget_of(schema, 1), {}
    for share, method in product(SHARES, (COMPRESSOR, *METHODS)):
        if method == COMPRESSOR:
            runs = [_of_width(fe, dim, budget_of(schema, share)) for dim in WIDTHS]
        else:
            every = settings(method, fe, schema, room(full, share))
            runs = [_run(fe, method, one.dim, one.options) for one in every]
        found[share, method] = runs
    return {key: runs for key, runs in found.items() if runs}


def _of_teachers_width(dataset: str, recipe: str, seed: int) -> list[RunConfig]:
    fe = configure(dataset, recipe, "fe", seed)
    schema = load_schema(dataset, fe.threshold)
    return [_of_width(fe, TEACHER, budget_of(schema, share)) for share in SHARES]


def chosen(dataset: str, recipe: str, *, out: Path) -> Chosen:
    """The setting of the best validation AUC, and that, where all settings have run on :data:`CHOICE_SEED`.

    A rival's may be one that was meant for another share. What a run has in the end may be more than its share, for
    MPE's search decides; that one counts for nothing.
    """
    schema = load_schema(dataset, configure(dataset, recipe, "fe", CHOICE_SEED).threshold)
    full, every = budget_of(schema, 1), candidates(dataset, recipe, CHOICE_SEED)
    done = read_plans(out, every)
    found: Chosen = {}
    for share, method in every:
        tried = [(share, method)] if method == COMPRESSOR else [key for key in every if key[1] == method]
        fits = [r for key in tried for r in done[key] if table_bytes(r, len(schema.fields)) <= room(full, share)]
        if fits and all(len(done[key]) == len(every[key]) for key in tried):
            best_one = max(fits, key=lambda record: record.valid.auc)
            found[share, method] = best_one.config, best_one.valid.auc
    return found


def table_bytes(record: Record, fields: int) -> int:
    """Bytes of embedding and first-order weights of a run on M fields."""
    return record.space.model_bytes - rest_bytes(record.config, fields)


def shortlist(found: Chosen) -> Chosen:
    """The compressor, and of each share the :data:`BEST` rivals by validation AUC on the seed of choice."""
    ranked = sorted((key for key in found if key[1] != COMPRESSOR), key=lambda key: -found[key][1])
    keys = [key for key in found if key[1] == COMPRESSOR]
    keys += [key for share in SHARES for key in [key for key in ranked if key[0] == share][:BEST]]
    return {key: found[key] for key in keys}


def _of_width(fe: RunConfig, dim: int, budget: int) -> RunConfig:
    return _run(fe, COMPRESSOR, dim, {"bytes": budget})


def _run(fe: RunConfig, method: str, dim: int, options: Options) -> RunConfig:
    return configure(fe.dataset, fe.recipe, method, fe.seed, options=options, **keys_of_width(fe.dataset, dim))
