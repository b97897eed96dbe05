"""FE compressed after its training and not trained again, on MovieLens-1M: what does the search have to beat?

Each run of FE loses, without any step of training, its rare rows' or all rows' precision: k-means PQ with the (K, D)
that AutoDPQ decided on for the same seed, and int8. k-means runs in each subspace of a field by itself.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pandas as pd
import torch
from tqdm import tqdm

from autodpq_data.schema import Schema
from autodpq_eval.layout import markdown
from autodpq_eval.plans import TEN_SEEDS, configure
from autodpq_eval.stats import corrected, effect
from autodpq_eval.words import TESTED, judged_by_both, plus_minus, tested
from autodpq_lib.config import RECIPES, Decision, RunConfig
from autodpq_lib.embedding.dpq import DPQ
from autodpq_lib.models.build import dpq_model, start_from
from autodpq_lib.models.ctr_model import CTRModel
from autodpq_lib.space import quantised_bits
from autodpq_lib.training.metrics import evaluate
from autodpq_rivals.int_b import IntB, quantise
from autodpq_rivals.rival import FullTable
from autodpq_runs.explore import LoadedRun, load_or_train
from autodpq_runs.record import read_record, record_path
from autodpq_system.paths import ROOT, runs_root
from autodpq_system.sentence import Parser
from benchmarks.measured import read_measures, write_measures

FE, AUTODPQ = "FE", "AutoDPQ"
LOW, ALL, INT8 = "k-means PQ, low-frequency rows", "k-means PQ, all rows", "int8, all rows"
#: What becomes of FE after its training.
LATER = (LOW, ALL, INT8)
#: The first of each pair is compared with the second.
PAIRS = [*((what, FE) for what in (*LATER, AUTODPQ)), *((AUTODPQ, what) for what in LATER)]


def main() -> int:
    """Train FE where no trained model is at hand, and keep the rows in ``results/bench/after_training.json``."""
    Parser(description=__doc__).parse_args()
    runs = [configure("ml-1m", recipe, "fe", seed) for recipe in RECIPES for seed in TEN_SEEDS]
    write_measures("after_training", rows=[row for config in tqdm(runs) for row in measure(config)])
    sys.stdout.write(f"{sizes()}\n{differences()}")
    return 0


def measure(config: RunConfig) -> list[dict[str, Any]]:
    """AUC and logloss on test, and the embedding's bytes, of FE, of what becomes of it, and of AutoDPQ's own run."""
    autodpq = read_record(record_path(ROOT / "results", configure("ml-1m", config.recipe, "autodpq", config.seed)))
    assert autodpq.decision is not None
    run = load_or_train(config, runs_root(), runs_root())
    rows = [
        {"what": what, "bytes": size} | evaluate(model, run.test).model_dump()
        for what, model, size in compressed(run, autodpq.decision)
    ]
    rows.append({"what": AUTODPQ, "bytes": autodpq.space.bits / 8} | autodpq.test.model_dump())
    return [{"recipe": config.recipe, "seed": config.seed} | row for row in rows]


def compressed(run: LoadedRun, decision: Decision) -> Iterator[tuple[str, CTRModel, float]]:
    """Name, model and bytes of the embedding."""
    schema, dim = run.schema, run.record.config.embedding_dim
    yield FE, run.model, 4 * schema.num_features * dim
    for what, codable in {LOW: schema, ALL: all_low(schema)}.items():
        yield what, after_training(run, codable, decision), quantised_bits(codable, dim, decision) / 8
    size = IntB.size(FullTable(schema, dim, torch.nn.init.zeros_), bits=8)
    run.model.get_parameter("embedding.table").data.copy_(
        quantise(run.model.get_parameter("embedding.table"), schema, 8)
    )
    yield INT8, run.model, size


def all_low(schema: Schema) -> Schema:
    """Every feature of the fields that have low-frequency ones counts as one."""
    low = torch.tensor([name in schema.low_fields for name in schema.fields])
    return replace(schema, counts=torch.where(low[schema.field_of], 0, schema.counts))


def after_training(run: LoadedRun, schema: Schema, decision: Decision) -> CTRModel:
    """The model with the low-frequency rows of ``schema`` replaced by the nearest of their k-means centroids."""
    config = configure("ml-1m", run.record.config.recipe, "grid", run.record.config.seed, distance="nearest")
    model = dpq_model(config, schema, decision)
    start_from(model, run.model.state_dict())
    embedding = model.embedding
    assert isinstance(embedding, DPQ)
    embedding.cluster(config.seed)
    return model


def sizes() -> str:
    """Bytes of the embedding, AUC and logloss, a row a recipe and method."""
    rows = [
        [
            *(f"`{recipe}`", str(what), f"{runs['bytes'].mean():,.0f}"),
            *(plus_minus(runs[name].mean(), runs[name].std(), "") for name in ("auc", "logloss")),
        ]
        for (recipe, what), runs in _measured().groupby(["recipe", "what"], sort=False)
    ]
    return markdown(["recipe", "", "embedding, bytes", "test AUC ↑", "logloss ↓"], rows)


def differences() -> str:
    """What FE loses so, and what AutoDPQ is ahead of each, over the same seeds."""
    rows = [
        [f"`{recipe}`", f"{row['a']} minus {row['b']}", f"{row['effect']:+.4f}", *tested(row)]
        for recipe in RECIPES
        for _, row in _differences(recipe).iterrows()
    ]
    head = ["recipe", "difference", "in test AUC", *TESTED]
    return markdown(head, rows)


def _differences(recipe: str) -> pd.DataFrame:
    """A row each of :data:`PAIRS`, by both tests and that of equivalence; p-values corrected by Holm over them."""
    aucs = _aucs()[recipe]
    return corrected([{"a": a, "b": b, **effect(aucs[a], aucs[b])} for a, b in PAIRS]).set_index(["a", "b"], drop=False)


def lead(recipe: str) -> pd.Series:
    """AutoDPQ minus FE whose low-frequency rows were replaced after its training."""
    return _differences(recipe).loc[(AUTODPQ, LOW)]


def lost(recipe: str) -> str:
    """What FE loses if all its rows become int8 after its training."""
    return judged_by_both(_differences(recipe).loc[(INT8, FE)])


def _measured() -> pd.DataFrame:
    return pd.DataFrame(read_measures("after_training")["rows"])


def _aucs() -> dict[str, dict[str, dict[int, float]]]:
    """Recipe -> what -> test AUC by seed."""
    return {
        str(recipe): {str(what): runs.set_index("seed")["auc"].to_dict() for what, runs in each.groupby("what")}
        for recipe, each in _measured().groupby("recipe")
    }


if __name__ == "__main__":
    sys.exit(main())
