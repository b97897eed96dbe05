"""What fine-tuning is worth to the compressor on MovieLens-1M: the choice alone, codes that stay, codes that move."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from typing import Any

import pandas as pd
import torch
from tqdm import tqdm

from autodpq_budget.fine_tune import MOVES, fine_tune_apart
from autodpq_budget.of_model import on_groups
from autodpq_budget.settings import budget_of
from autodpq_budget.starting_model import begin, room_at
from autodpq_budget.width import width_for
from autodpq_eval.batch import TABLE_SEEDS
from autodpq_eval.layout import markdown
from autodpq_eval.plans import configure
from autodpq_lib.training.metrics import evaluate
from autodpq_runs.explore import load_or_train
from autodpq_system.paths import runs_root
from autodpq_system.sentence import Parser
from benchmarks.measured import read_measures, write_measures
from benchmarks.width import lead

SHARES = (0.0625, 0.031, 0.016)
#: How often codes are chosen anew; none: no fine-tuning.
WAYS: dict[str, int | None] = {"the choice alone": None, "fine-tuned, codes fixed": 0, "fine-tuned, codes move": MOVES}


def main() -> int:
    """Train FE where no trained model is at hand, and keep the rows in ``results/bench/fine_tuning.json``."""
    Parser(description=__doc__).parse_args()
    torch.set_num_threads(1)
    write_measures("fine_tuning", rows=[row for seed in tqdm(TABLE_SEEDS) for row in measure(seed)])
    sys.stdout.write(table())
    return 0


def measure(seed: int) -> Iterator[dict[str, Any]]:
    """Test AUC of FE, and of each way at each share of FE's bytes, all from one choice of one X."""
    run = load_or_train(configure("ml-1m", "tuned", "fe", seed), runs_root(), runs_root())
    for share in SHARES:
        tables = budget_of(run.schema, share)
        width = width_for(
            partial(room_at, run.schema, run.record, tables, tables=True), run.record.config.embedding_dim
        )
        start, offered = begin(run, width)
        tensors, config = offered.stored(tables), start.record.config
        row = {"seed": seed, "share": share, "X": width, "FE": run.record.test.auc}
        for way, moves in WAYS.items():
            model = on_groups(config, run.schema, start.model, tensors)
            if moves is not None:
                fine_tune_apart(config, model, run.model, moves)
            row[way] = evaluate(model, run.test).auc
        yield row


def table() -> str:
    """Each way minus FE, and codes that move minus codes that stay; paired over the seeds."""
    found = pd.DataFrame(read_measures("fine_tuning")["rows"])
    _, stay, move = WAYS
    rows = [
        [f"{share:.1%}", str(each["X"].iloc[0]), *(lead(each, way) for way in WAYS), lead(each, move, over=stay)]
        for share, each in found.groupby("share", sort=False)
    ]
    return markdown(["of FE", "X", *(f"{way}, minus FE" for way in WAYS), "moving minus fixed"], rows)


if __name__ == "__main__":
    sys.exit(main())
