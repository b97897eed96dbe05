"""Packed files of every strategy in five accountings, on MovieLens-1M and in Avazu's shape."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from autodpq_data.avazu import FIELDS
from autodpq_data.prepared import load_schema, vocabulary
from autodpq_data.schema import Schema
from autodpq_eval.batch import TABLE_SEEDS
from autodpq_eval.layout import LABELS, markdown
from autodpq_eval.plans import tables
from autodpq_eval.tables import read_plan
from autodpq_lib.config import Decision, RunConfig
from autodpq_lib.strategies.grid import global_decisions
from autodpq_lib.strategies.random import random_decisions
from autodpq_packed.sizes import sizes
from autodpq_runs.record import Record
from autodpq_system.paths import ROOT
from autodpq_system.sentence import Parser
from benchmarks.measured import read_measures, write_measures
from benchmarks.standin import value_counts

ACCOUNTINGS = ("paper units", "bits", "embedding, bytes", "file, bytes", "serving, bytes")


def main() -> int:
    """Write each file into a scratch folder, and keep what it takes in ``results/bench/sizes.json``."""
    Parser(description=__doc__).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = movielens(Path(folder)) + avazu(Path(folder))
    write_measures("sizes", rows=rows)
    sys.stdout.write(f"{table('ml-1m')}\n{table('avazu')}")
    return 0


def movielens(folder: Path) -> list[dict[str, Any]]:
    """Rows for the committed runs of Table 1, recipe ``tuned``."""
    schema, words = load_schema("ml-1m", 40), vocabulary("ml-1m")
    records, _ = read_plan(ROOT / "results", tables("ml-1m", "tuned", TABLE_SEEDS, ["deepfm"]))
    return [
        {"shape": "ml-1m", "strategy": LABELS[record.config.strategy], "seed": record.config.seed}
        | sizes(record, schema, words, folder)
        for record in tqdm(records, desc="ml-1m")
    ]


def avazu(folder: Path) -> list[dict[str, Any]]:
    """Rows for the field sizes and value counts of Avazu's stand-in, with the decision that AutoDPQ found on it."""
    schema = avazu_schema()
    found = avazu_record()
    words: dict[str, list[str]] = {name: [] for name in schema.fields}
    return [
        {"shape": "avazu", "strategy": name, "seed": found.config.seed} | sizes(record, schema, words, folder)
        for name, record in tqdm(_strategies(found, schema).items(), desc="avazu")
    ]


def avazu_schema() -> Schema:
    """Avazu at its full size, from the shape of the stand-in: 9,449,445 features."""
    counts = [value_counts(name) for name in FIELDS]
    sizes_ = tuple(len(each) for each in counts)
    every = torch.from_numpy(np.concatenate(counts))
    return Schema("avazu-standin", tuple(FIELDS), sizes_, every, avazu_record().config.threshold, "")


def avazu_record() -> Record:
    """Of AutoDPQ on the stand-in."""
    plan = tables("avazu-standin", "paper", [1], ["deepfm"], ["autodpq"], "one-pass")
    [found], _ = read_plan(ROOT / "results", plan)
    return found


def _strategies(found: Record, schema: Schema) -> dict[str, Record]:
    """A record for each strategy: AutoDPQ's, with another strategy and decision put in."""
    config = found.config
    pairs = zip(config.candidates, global_decisions(config, schema), strict=True)
    decisions = {f"Grid {pair}": decision for pair, decision in pairs}
    decisions["Random, first draw"] = random_decisions(config, schema)[0]
    return {
        "FE": _with(found, "fe", None),
        "Others": _with(found, "others", None),
        **{name: _with(found, "grid", decision) for name, decision in decisions.items()},
        "AutoDPQ": found,
    }


def _with(found: Record, strategy: str, decision: Decision | None) -> Record:
    config = RunConfig.model_validate(found.config.model_dump() | {"strategy": strategy})
    return found.model_copy(update={"config": config, "decision": decision})


def table(shape: str) -> str:
    """A strategy a row, an accounting a column, each with its share of FE; means over the seeds."""
    found = pd.DataFrame(read_measures("sizes")["rows"])
    means = found[found["shape"] == shape].groupby("strategy", sort=False)[list(ACCOUNTINGS)].mean()
    order = [*LABELS.values(), *means.index]
    means = means.reindex(sorted(means.index, key=order.index))
    rows = [
        [str(name), *(f"{row[each]:,.0f} ({row[each] / means.loc['FE', each]:.1%})" for each in ACCOUNTINGS)]
        for name, row in means.iterrows()
    ]
    return markdown(["", *ACCOUNTINGS], rows)


if __name__ == "__main__":
    sys.exit(main())
