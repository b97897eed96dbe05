"""The one (K, D) that Grid takes for all fields, over all seeds of Table 1."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from autodpq_eval.batch import TABLE_SEEDS
from autodpq_eval.decisions import trial_fits
from autodpq_eval.plans import tables
from autodpq_eval.tables import read_plan
from autodpq_runs.record import Record


def pair_of_grid(out: Path, dataset: str, recipe: str) -> tuple[int, int]:
    """The best pair of Table 1's Grid, from its records below ``out``, as far as they are done.

    Raises:
        ValueError: none is.
    """
    records, _ = read_plan(out, tables(dataset, recipe, TABLE_SEEDS, ["deepfm"], ["grid"]))
    if not records:
        place = f"{out / dataset / recipe / 'records'}: expected Grid's records of Table 1"
        raise ValueError(f"{place}, found none; first make replicate DATASET={dataset} RECIPE={recipe} OUT={out}")
    return best_pair(records)


def best_pair(grid: Sequence[Record]) -> tuple[int, int]:
    """The global (K, D) with the highest mean validation AUC over the records of Grid."""
    rows = [
        {"pair": next(iter((log.decision or {}).values())), "auc": max(log.curve["valid_auc"])}
        for record in grid
        for log in trial_fits(record)
    ]
    means = pd.DataFrame(rows).groupby("pair")["auc"].mean()
    return means.idxmax()
