"""Ten seeds: every pair of strategies by both tests, corrected, with effect sizes and a bootstrap over test samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from autodpq_eval.best_pair import pair_of_grid
from autodpq_eval.compared import compared
from autodpq_eval.plans import ten_seeds
from autodpq_eval.tables import read_plan
from autodpq_lib.config import STRATEGIES
from autodpq_runs.agreement import SAME
from autodpq_runs.kept import predictions
from autodpq_runs.record import Record
from autodpq_runs.run_paths import logits_path

RESAMPLES = 1000


def runs_of_ten_seeds(out: Path, dataset: str, recipe: str) -> dict[str, list[Record]]:
    """FE, Others, DPQ with Grid's best pair and AutoDPQ on ten seeds, as far as they are done below ``out``.

    Raises:
        ValueError: no run of Grid is done, and only its runs tell which pair is best.
    """
    return by_strategy(read_plan(out, ten_seeds(dataset, recipe, pair_of_grid(out, dataset, recipe)))[0])


def by_strategy(records: Sequence[Record]) -> dict[str, list[Record]]:
    """Records by strategy, cheap strategies first."""
    grouped = {name: [r for r in records if r.config.strategy == name] for name in STRATEGIES}
    return {name: each for name, each in grouped.items() if each}


def comparisons(runs: Mapping[str, Sequence[Record]]) -> pd.DataFrame:
    """Every pair of strategies, of each the later over the earlier: see :func:`~autodpq_eval.compared.compared`."""
    return compared(runs, [(second, first) for first, second in combinations(runs, 2)])


def bootstrap(runs: Mapping[str, Sequence[Record]], labels: NDArray[np.float32]) -> pd.DataFrame:
    """Paired bootstrap of AUC gaps over **test samples**, averaged over the seeds that all sets of runs have.

    It says how far a gap depends on which samples are in the test split; the tests over seeds say how far it depends on
    the seed. One row a pair of runs: the gap seen and its 95 % interval.

    Raises:
        FileNotFoundError: the predictions of a run are not on this machine.
        ValueError: they are, but of another training than the record's.
    """
    seeds = _common_seeds(runs)
    scorers = {
        name: [_scorer(record, labels) for record in records if record.config.seed in seeds]
        for name, records in runs.items()
    }
    seen = _means(runs)
    rng, uniform = np.random.default_rng(0), np.full(len(labels), 1 / len(labels))
    drawn = []
    for _ in range(RESAMPLES):
        weights = rng.multinomial(len(labels), uniform)
        drawn.append({name: np.mean([auc(weights) for auc in each]) for name, each in scorers.items()})
    aucs = pd.DataFrame(drawn)
    rows = []
    for first, second in combinations(runs, 2):
        low, high = (aucs[second] - aucs[first]).quantile([0.025, 0.975])
        gap = seen[second] - seen[first]
        rows.append({"a": second, "b": first, "n": len(seeds), "gap": gap, "low": low, "high": high})
    return pd.DataFrame(rows)


def is_of(table: pd.DataFrame, runs: Mapping[str, Sequence[Record]]) -> bool:
    """Whether a bootstrap was made of just these runs: their pairs, with the gaps that their records give."""
    seen = _means(runs)
    gaps = {(second, first): seen[second] - seen[first] for first, second in combinations(runs, 2)}
    written = table.set_index(["a", "b"])["gap"].to_dict()
    return written.keys() == gaps.keys() and all(abs(written[pair] - gap) < SAME for pair, gap in gaps.items())


def _common_seeds(runs: Mapping[str, Sequence[Record]]) -> set[int]:
    return set.intersection(*({record.config.seed for record in records} for records in runs.values()))


def _means(runs: Mapping[str, Sequence[Record]]) -> dict[str, float]:
    """Mean test AUC over the seeds that all have."""
    seeds = _common_seeds(runs)
    return {name: float(np.mean([r.test.auc for r in each if r.config.seed in seeds])) for name, each in runs.items()}


def _scorer(record: Record, labels: NDArray[np.float32]) -> _Auc:
    """Scorer of a run's predictions, which must have the AUC that its record has."""
    auc = _Auc(predictions(logits_path(record.identity)), labels)
    if abs((ours := auc(np.ones(len(labels), np.int64))) - record.test.auc) > SAME:
        raise ValueError(f"{record.config.name()}: expected predictions of AUC {record.test.auc:.6f}, found {ours:.6f}")
    return auc


class _Auc:
    """AUC of fixed scores under changing sample weights; the sorting is done once."""

    def __init__(self, scores: NDArray[np.float32], labels: NDArray[np.float32]) -> None:
        self.order = np.argsort(scores, kind="stable")
        self.positive = labels[self.order] > 0
        ordered = scores[self.order]
        self.starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])  # first of each run of equal scores

    def __call__(self, weights: NDArray[np.int64]) -> float:
        """Share of (positive, negative) pairs in the right order, ties counting half."""
        w = weights[self.order]
        positive = np.add.reduceat(np.where(self.positive, w, 0), self.starts)
        negative = np.add.reduceat(np.where(self.positive, 0, w), self.starts)
        below = np.cumsum(negative) - negative
        return float((positive * (below + negative / 2)).sum() / (positive.sum() * negative.sum()))
