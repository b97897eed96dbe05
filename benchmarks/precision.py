"""What kept rows in float16 and int8 cost in AUC: FE and AutoDPQ on MovieLens-1M, three seeds."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any, get_args

import pandas as pd
from tqdm import tqdm

from autodpq_data.prepared import vocabulary
from autodpq_eval.batch import TABLE_SEEDS
from autodpq_eval.layout import LABELS, markdown
from autodpq_lib.config import RunConfig
from autodpq_lib.training.metrics import evaluate
from autodpq_packed.export import Kept, export
from autodpq_packed.module import load
from autodpq_runs.explore import load_or_train
from autodpq_system.paths import runs_root
from autodpq_system.sentence import Parser
from benchmarks.measured import read_measures, write_measures

STRATEGIES = ("fe", "autodpq")


def main() -> int:
    """Train where no trained model is at hand, and keep the rows in ``results/bench/precision.json``."""
    Parser(description=__doc__).parse_args()
    configs = [
        RunConfig(dataset="ml-1m", recipe="tuned", strategy=strategy, seed=seed)
        for strategy in STRATEGIES
        for seed in TABLE_SEEDS
    ]
    write_measures("precision", rows=[row for config in tqdm(configs) for row in measure(config)])
    sys.stdout.write(table())
    return 0


def measure(config: RunConfig) -> list[dict[str, Any]]:
    """Bytes of the file, and AUC and logloss on the test split, for each type of number."""
    found = load_or_train(config, runs_root(), runs_root())
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        for stored in get_args(Kept):
            export(found.model, found.schema, found.record, vocabulary(config.dataset), path, stored)
            metrics = evaluate(load(path), found.test)
            row = {"strategy": LABELS[config.strategy], "seed": config.seed, "kept rows": stored}
            rows.append(row | {"file, bytes": path.stat().st_size} | metrics.model_dump())
    return rows


def table() -> str:
    """Bytes of the file and AUC by the type of the kept rows, mean and spread over the seeds, and the cost in AUC."""
    found = pd.DataFrame(read_measures("precision")["rows"])
    wide = found.pivot(index=["strategy", "seed"], columns="kept rows", values="auc")
    rows = []
    for (strategy, stored), runs in found.groupby(["strategy", "kept rows"], sort=False):
        lost = (wide[stored] - wide["float32"])[strategy]
        spread = f"{runs['auc'].mean():.5f} ± {runs['auc'].std():.5f}"
        rows.append([strategy, stored, f"{runs['file, bytes'].mean():,.0f}", spread, f"{lost.mean():+.6f}"])
    return markdown(["", "kept rows", "file, bytes", "test AUC", "change of AUC"], rows)


if __name__ == "__main__":
    sys.exit(main())
