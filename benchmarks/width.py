"""A narrower embedding by training or by rotation, on MovieLens-1M: which loses less?

By training: FE of the width, taught by FE. By rotation: FE's rows are turned so that the dimensions with the largest
mean square, over all rows as often as they occur, come first; the others are dropped. Dot products and a first dense
layer can follow any rotation, so nothing but what is dropped is lost, and nothing is trained.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pandas as pd
import torch
from torch import Tensor
from tqdm import tqdm

from autodpq_budget.batch import register_all
from autodpq_budget.other_width import TAUGHT, like
from autodpq_eval.batch import TABLE_SEEDS
from autodpq_eval.layout import markdown
from autodpq_eval.plans import configure
from autodpq_eval.stats import paired_effect
from autodpq_eval.words import gap
from autodpq_lib.training.metrics import evaluate
from autodpq_runs.explore import load_or_train
from autodpq_runs.record import read_record, record_path
from autodpq_system.paths import ROOT, runs_root
from autodpq_system.sentence import Parser
from benchmarks.measured import read_measures, write_measures

WIDTHS = (8, 4)


def main() -> int:
    """Train FE where no trained model is at hand, and keep the rows in ``results/bench/width.json``."""
    Parser(description=__doc__).parse_args()
    register_all()
    write_measures("width", rows=[row for seed in tqdm(TABLE_SEEDS) for row in measure(seed)])
    sys.stdout.write(table())
    return 0


def measure(seed: int) -> Iterator[dict[str, Any]]:
    """Test AUC of FE, and of both of each width."""
    fe = configure("ml-1m", "tuned", "fe", seed)
    run = load_or_train(fe, runs_root(), runs_root())
    for dim in WIDTHS:
        turned = deepcopy(run.model)
        rows = turned.get_parameter("embedding.table")
        rows.data = kept(rows.data, run.schema.counts, dim)
        taught = read_record(record_path(ROOT / "results", like(fe, TAUGHT, dim)))
        aucs = {"rotation": evaluate(turned, run.test).auc, "training": taught.test.auc}
        yield {"seed": seed, "X": dim, "FE": run.record.test.auc} | aucs


def kept(rows: Tensor, counts: Tensor, dim: int) -> Tensor:
    """Rows ``[N, X]`` without all but their ``dim`` main directions, turned back: ``[N, X]``."""
    _, directions = torch.linalg.eigh(rows.T @ (counts[:, None] * rows))  # ascending
    main = directions[:, -dim:]
    return rows @ main @ main.T


def table() -> str:
    """Each way minus FE, paired."""
    found = pd.DataFrame(read_measures("width")["rows"])
    rows = [
        [str(dim), *(lead(each, way) for way in ("training", "rotation"))]
        for dim, each in found.groupby("X", sort=False)
    ]
    return markdown(["X", "taught FE minus FE", "rotated FE minus FE"], rows)


def lead(each: pd.DataFrame, way: str, over: str = "FE") -> str:
    """Test AUC of one column minus another's, paired over the seeds."""
    aucs = each.set_index("seed")
    return gap(paired_effect(aucs[way].to_dict(), aucs[over].to_dict()))


if __name__ == "__main__":
    sys.exit(main())
