"""The readings of AutoDPQ on the laboratory's split against FE, Others and (8, 8): differences, and how sure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from autodpq_eval.effects import by_seed
from autodpq_eval.paper import table_value
from autodpq_eval.plans import on_laboratory_split
from autodpq_eval.stats import BETTER, LEVEL, effect, equivalence
from autodpq_eval.tables import read_plan
from autodpq_eval.ten_seeds import holm
from autodpq_runs.record import Record

#: A difference below this is none: the level that the paper calls significant.
MARGIN = 0.001
BASELINES = ("FE", "Others", "DPQ (8, 8)")
#: Name in the tables -> strategy of the paper's Table 1 beside it.
PAPER = {"FE": "fe", "Others": "others", "DPQ (8, 8)": "grid"}


def groups(out: Path, dataset: str, recipe: str, seeds: Sequence[int]) -> dict[str, list[Record]]:
    """Records by name; empty where none is done."""
    plans = [on_laboratory_split(dataset, recipe, seed) for seed in seeds]
    return {name: read_plan(out, [plan[name] for plan in plans])[0] for name in plans[0]}


def means(runs: Mapping[str, Sequence[Record]]) -> pd.DataFrame:
    """A row a name: mean and spread of test AUC and logloss, AUC of the touched samples, Space, and the paper's AUC."""
    rows = []
    for name, records in runs.items():
        row: dict[str, object] = {"name": name, "n": len(records)}
        for measure in ("auc", "logloss", "touched auc"):
            each = pd.Series(by_seed(records, measure), dtype=float)
            row |= {measure: each.mean(), f"{measure} sd": each.std()}
        row["space"] = np.mean([r.space.paper for r in records]) if records else np.nan
        row["paper"] = table_value(1, "ml-1m", "deepfm", PAPER.get(name, "autodpq"), "auc")
        rows.append(row)
    return pd.DataFrame(rows).set_index("name")


def comparisons(runs: Mapping[str, Sequence[Record]]) -> pd.DataFrame:
    """AutoDPQ under each reading against each baseline: positive where AutoDPQ is better.

    The interval is Welch's; p-values by Welch and paired, each corrected by Holm over the table, and the two one-sided
    tests of equivalence within :data:`MARGIN`. Only seeds that both sides have count, so that pairs are pairs.
    """
    rows = []
    for metric in ("auc", "logloss"):
        for ours in (name for name in runs if name not in BASELINES):
            for base in BASELINES:
                a, b = _pairs(runs[ours], runs[base], metric)
                row: dict[str, object] = {"metric": metric, "a": ours, "b": base, "paper": _paper(metric, base)}
                rows.append(row | effect(a, b) | equivalence(a, b, MARGIN))
    table = pd.DataFrame(rows)
    for column in ("p", "p_paired"):
        table[f"{column}_holm"] = holm(table[column].astype(float).to_numpy())
    return table.assign(verdict=[verdict(row) for _, row in table.iterrows()])


def _pairs(
    ours: Sequence[Record], baseline: Sequence[Record], metric: str
) -> tuple[dict[int, float], dict[int, float]]:
    """A metric of the seeds that both sides have, signed so that more is better."""
    a, b = (
        {seed: BETTER[metric] * value for seed, value in by_seed(side, metric).items()} for side in (ours, baseline)
    )
    both = a.keys() & b.keys()
    return {seed: a[seed] for seed in both}, {seed: b[seed] for seed in both}


def verdict(row: Mapping[str, float]) -> str:
    """*better* or *worse* if the paired test says so after Holm's correction, *equal* within the margin, else *open*.

    The paired test decides, for a seed gives both sides of a pair the same initial weights and order of the data. A
    difference can be both shown and smaller than the margin; then both are said.
    """
    if np.isnan(row["p_paired_holm"]):
        return "missing"
    shown = ("better" if row["effect"] > 0 else "worse") if row["p_paired_holm"] < LEVEL else ""
    equal = f"equal within {MARGIN:g}" if row["p_equal_paired"] < LEVEL else ""
    return ", ".join(filter(None, (shown, equal))) or "open"


def _paper(metric: str, baseline: str) -> float:
    ours, theirs = (table_value(1, "ml-1m", "deepfm", name, metric) for name in ("autodpq", PAPER[baseline]))
    return BETTER[metric] * (ours - theirs)
