"""Claims of the text that counting decides, on MovieLens-1M.

The counts are kept in ``results/ml-1m/facts.json``, so that the ledger can be rebuilt without the data.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from autodpq_data.avazu import SIZES
from autodpq_data.prepared import load_schema, raw_table
from autodpq_data.schema import Schema
from autodpq_eval.paper import numbers, table_value, truncated
from autodpq_eval.references import constant_logloss
from autodpq_lib.config import RunConfig
from autodpq_lib.models.build import full_model
from autodpq_system.atomic import write_text
from autodpq_system.paths import ROOT

#: Features of the full file, and its fields that can have low-frequency ones, by published field sizes.
AVAZU_FEATURES, AVAZU_LOW_FIELDS = sum(SIZES.values()), 13


def low_share(schema: Schema) -> tuple[float, bool]:
    """Share of low-frequency features; "dominant" if more than half."""
    share = float(schema.low.float().mean())
    return share, share > 0.5


def decisions(schema: Schema) -> tuple[int, bool]:
    """Number of decisions; only fields that have low-frequency features can be decided on."""
    pairs = len(RunConfig(dataset="ml-1m", strategy="random").candidates)
    return pairs ** len(schema.low_fields), len(schema.low_fields) == len(schema.fields)


def constant_logloss_at_3(_: Schema) -> tuple[float, bool]:
    """Logloss of the constant predictor if ratings of 3 and more were positive; the paper's models must be below it."""
    positive = raw_table("ml-1m").select(pl.col("rating").cast(pl.Int8) >= 3).to_series().to_numpy()
    logloss = constant_logloss(positive.astype(np.uint8))
    printed = numbers().query("dataset == 'ml-1m' and metric == 'logloss'")["value"].astype(float)
    return logloss, logloss > printed.max()


def embedding_share(schema: Schema) -> tuple[float, bool]:
    """Share of FE's parameters that are embeddings, on DeepFM."""
    model = full_model(RunConfig(dataset="ml-1m", strategy="fe"), schema)
    share = model.get_parameter("embedding.table").numel() / sum(p.numel() for p in model.parameters())
    return share, share > 0.9


def avazu_fe_space(_: Schema) -> tuple[int, bool]:
    """Space of FE on the full Avazu, from its published number of features: Table 1's 151M."""
    space = 16 * AVAZU_FEATURES
    return space, truncated(space) == truncated(int(table_value("avazu", "deepfm", "fe", "space")))


def avazu_grid_least(_: Schema) -> tuple[int, bool]:
    """The least Space of Grid on Avazu: K = 8, D = 2, and as few kept rows as Table 1's 16M for Others allows."""
    kept = 16e6 / 16 - AVAZU_LOW_FIELDS
    space = int(16 * kept + 2 * (AVAZU_FEATURES - kept) + AVAZU_LOW_FIELDS * 8 * 16)
    return space, truncated(space) == truncated(int(table_value("avazu", "deepfm", "grid", "space")))


#: What is counted, and whether the claim holds, under its name in ``claims.yaml`` and ``facts.json``.
FACT: tuple[Callable[[Schema], tuple[float, bool]], ...] = (
    low_share,
    decisions,
    constant_logloss_at_3,
    embedding_share,
    avazu_fe_space,
    avazu_grid_least,
)


def count(schema: Schema) -> dict[str, dict[str, float | bool]]:
    """All facts, from MovieLens-1M."""
    counted = {fact.__name__: fact(schema) for fact in FACT}
    return {name: {"value": value, "holds": holds} for name, (value, holds) in counted.items()}


def read_facts(out: Path) -> dict[str, dict[str, Any]]:
    """The facts that are kept beside the records; those of the suite where a folder has none of its own."""
    own = out / "ml-1m" / "facts.json"
    path = own if own.exists() else ROOT / "results" / "ml-1m" / "facts.json"
    return dict(json.loads(path.read_text(encoding="utf-8")))


def main() -> None:
    """``python -m autodpq_eval.facts`` counts them again."""
    counted = json.dumps(count(load_schema("ml-1m", 40)), indent=1)
    write_text(ROOT / "results" / "ml-1m" / "facts.json", counted + "\n")


if __name__ == "__main__":
    main()
