"""The batch at equal bytes: FE, the compressor and each rival at budgets from a half to less than a hundredth of FE."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from autodpq_budget.strategy import STRATEGY
from autodpq_data.prepared import load_schema
from autodpq_data.schema import Schema
from autodpq_eval.batch import status
from autodpq_eval.plans import configure
from autodpq_lib.config import RunConfig
from autodpq_rivals.budget import SIZES, WIDTHS, Setting, settings
from autodpq_runs.record import read_record, record_path

#: Shares of FE's bytes.
SHARES = (0.5, 0.25, 0.125, 0.0625, 0.031, 0.016, 0.008)
#: Of several settings of a method that of the best validation AUC on this seed is taken; it is not reported.
CHOICE_SEED = 11


def budget_of(schema: Schema, share: float, dim: int = 16) -> int:
    """Bytes: a share of FE's embedding and first-order weights, ``4 N (X + 1)``."""
    return int(share * 4 * schema.num_features * (dim + 1))


def budget_plan(dataset: str, recipe: str, seeds: Sequence[int], out: Path) -> list[RunConfig]:
    """FE on all seeds; every setting on :data:`CHOICE_SEED`, if it is one of them; on the others the best of each.

    Raises:
        ValueError: another seed is asked for, and below ``out`` no method has all its settings on the seed of choice.
    """
    plans = [configure(dataset, recipe, "fe", seed) for seed in seeds]
    if CHOICE_SEED in seeds:
        plans += [run for runs in candidates(dataset, recipe, CHOICE_SEED).values() for run in runs]
    others = [seed for seed in seeds if seed != CHOICE_SEED]
    found = chosen(dataset, recipe, out=out) if others else {}
    if others and not found:
        raise ValueError(
            f"the settings of a budget: expected the records of seed {CHOICE_SEED}, found none; run it first"
        )
    plans += [run.model_copy(update={"seed": seed}) for seed in others for run in found.values()]
    return list(dict.fromkeys(plans))


def candidates(dataset: str, recipe: str, seed: int) -> dict[tuple[float, str], list[RunConfig]]:
    """Share and method -> all its settings; a method that cannot be so small is not there."""
    schema = load_schema(dataset, configure(dataset, recipe, "fe", seed).threshold)
    found = {}
    for share in SHARES:
        budget = budget_of(schema, share)
        for method in (STRATEGY, *SIZES):
            if runs := list(_runs(method, configure(dataset, recipe, "fe", seed), schema, budget)):
                found[share, method] = runs
    return found


def chosen(dataset: str, recipe: str, *, out: Path) -> dict[tuple[float, str], RunConfig]:
    """Share and method -> the setting of the best validation AUC, where all have run on :data:`CHOICE_SEED`."""
    best = {}
    for key, runs in candidates(dataset, recipe, CHOICE_SEED).items():
        if all(status(out, run, anywhere=True).state == "done" for run in runs):
            best[key] = max(runs, key=lambda run: read_record(record_path(out, run)).valid.auc)
    return best


def _runs(method: str, fe: RunConfig, schema: Schema, budget: int) -> Iterator[RunConfig]:
    if method == STRATEGY:
        found = [Setting(STRATEGY, dim, {"bytes": budget}, budget) for dim in WIDTHS]
    else:
        found = settings(method, fe, schema, budget)
    for one in found:
        own = one.options if method == "others" else {"options": one.options} if one.options else {}
        narrow = {"subspaces": (1,)} if any(one.dim % d for d in fe.subspaces) else {}
        yield configure(fe.dataset, fe.recipe, one.method, fe.seed, embedding_dim=one.dim, **own, **narrow)
