"""The batch at equal bytes: FE, the compressor and each rival at budgets from an eighth to less than a hundredth of FE.

``make budget`` asks for the seed of choice first, then for those of Table 1, then for the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from autodpq_budget.strategy import STRATEGY
from autodpq_budget.teach import TAUGHT, TEACHER, width
from autodpq_data.prepared import load_schema
from autodpq_data.schema import Schema
from autodpq_eval.batch import TABLE_SEEDS, status
from autodpq_eval.plans import configure
from autodpq_lib.config import Model, RunConfig
from autodpq_rivals.budget import SIZES, Setting, rest_bytes, settings
from autodpq_runs.record import Record, read_record, record_path

#: Shares of FE's bytes.
SHARES = (0.125, 0.0625, 0.031, 0.016, 0.008)
#: Share -> width X of the taught FE that the compressor starts from, chosen on seeds that are not reported.
NARROW = dict(zip(SHARES, (8, 8, 4, 4, 4), strict=True))
#: Of several settings of a rival that of the best validation AUC on this seed is taken; it is not reported.
CHOICE_SEED = 11
#: Rivals of each share that all seeds have; the rest have those of Table 1.
BEST = 3
#: Models beside DeepFM, and the shares at which they are compressed, on the seeds of Table 1.
OTHER_MODELS: tuple[Model, ...] = ("pnn", "dcn")
OTHER_SHARES = (0.125, 0.031, 0.008)


def budget_of(schema: Schema, share: float, model: str = "deepfm", dim: int = 16) -> int:
    """Bytes: a share of FE's embedding and of the first-order weights that DeepFM has, ``4 N (X + 1)``."""
    return int(share * 4 * schema.num_features * (dim + (model == "deepfm")))


def budget_plan(dataset: str, recipe: str, seeds: Sequence[int], out: Path) -> list[RunConfig]:
    """All settings on :data:`CHOICE_SEED`, if it is one of the seeds; on the others the compressor and chosen rivals.

    Raises:
        ValueError: another seed is asked for, and below ``out`` no rival has all its settings on the seed of choice.
    """
    others = [seed for seed in seeds if seed != CHOICE_SEED]
    found = chosen(dataset, recipe, out=out) if others else {}
    if others and not found:
        raise ValueError(
            f"the settings of a budget: expected the records of seed {CHOICE_SEED}, found none; run it first"
        )
    plans = [run for seed in seeds for run in compressor(dataset, recipe, seed)]
    if CHOICE_SEED in seeds:
        plans += [run for runs in candidates(dataset, recipe, CHOICE_SEED).values() for run in runs]
    for seed in others:
        wanted = found if seed in TABLE_SEEDS else best(found)
        plans += [run.model_copy(update={"seed": seed}) for run, _ in wanted.values()]
    for model in OTHER_MODELS:
        plans += [run for seed in others if seed in TABLE_SEEDS for run in compressor(dataset, recipe, seed, model)]
    return list(dict.fromkeys(plans))


def compressor(dataset: str, recipe: str, seed: int, model: Model = "deepfm") -> list[RunConfig]:
    """FE, those that it teaches, from which the compressor starts, and the compressor at every share."""

    def run(strategy: str, **own: Any) -> RunConfig:
        return configure(dataset, recipe, strategy, seed, model=model, **own)

    fe = run("fe", **width(TEACHER))
    schema = load_schema(dataset, fe.threshold)
    narrow = NARROW if model == "deepfm" else {share: NARROW[share] for share in OTHER_SHARES}
    first = [run(TAUGHT, **width(dim)) for dim in dict.fromkeys(narrow.values())]
    budgets = {share: {"bytes": budget_of(schema, share, model)} for share in narrow}
    return [fe, *first, *(run(STRATEGY, options=budgets[share], **width(dim)) for share, dim in narrow.items())]


def candidates(dataset: str, recipe: str, seed: int) -> dict[tuple[float, str], list[RunConfig]]:
    """Share and rival -> all its settings; a rival that cannot be so small is not there."""
    fe = configure(dataset, recipe, "fe", seed)
    schema = load_schema(dataset, fe.threshold)
    found = {
        (share, method): [_run(fe, one) for one in settings(method, fe, schema, budget_of(schema, share))]
        for share in SHARES
        for method in SIZES
    }
    return {key: runs for key, runs in found.items() if runs}


def chosen(dataset: str, recipe: str, *, out: Path) -> dict[tuple[float, str], tuple[RunConfig, float]]:
    """Share and rival -> the setting of the best validation AUC, and that, where all have run on the seed of choice.

    What a run has in the end may be more than its share, for MPE's search decides; that one counts for nothing.
    """
    schema = load_schema(dataset, configure(dataset, recipe, "fe", CHOICE_SEED).threshold)
    best = {}
    for (share, method), runs in candidates(dataset, recipe, CHOICE_SEED).items():
        if all(status(out, run, anywhere=True).state == "done" for run in runs):
            records = [read_record(record_path(out, run)) for run in runs]
            fits = [n for n, r in enumerate(records) if tables(r, len(schema.fields)) <= budget_of(schema, share)]
            if fits:
                n = max(fits, key=lambda n: records[n].valid.auc)
                best[share, method] = runs[n], records[n].valid.auc
    return best


def tables(record: Record, fields: int) -> int:
    """Bytes of embedding and first-order weights of a run on M fields."""
    return record.space.model_bytes - rest_bytes(record.config, fields)


def best(found: dict[tuple[float, str], tuple[RunConfig, float]]) -> dict[tuple[float, str], tuple[RunConfig, float]]:
    """Of each share the :data:`BEST` rivals by validation AUC on the seed of choice."""
    ranked = sorted(found.items(), key=lambda item: -item[1][1])
    shares = {share: [key for key, _ in ranked if key[0] == share][:BEST] for share, _ in found}
    return {key: found[key] for keys in shares.values() for key in keys}


def _run(fe: RunConfig, one: Setting) -> RunConfig:
    own = one.options if one.method == "others" else {"options": one.options} if one.options else {}
    return configure(fe.dataset, fe.recipe, one.method, fe.seed, **own, **width(one.dim))
