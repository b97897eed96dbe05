"""Tables 1 and 2 from records alone: means, spreads, the t-tests, and the paper's numbers beside ours."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pandas as pd

from autodpq_data.split import Split
from autodpq_eval.batch import status
from autodpq_eval.measures import by_seed
from autodpq_eval.paper import table_value
from autodpq_eval.plans import COMPATIBILITY, tables, under
from autodpq_eval.stats import best_baseline, effect, relative_improvement, starred
from autodpq_lib.config import MODELS, STRATEGIES, RunConfig
from autodpq_runs.record import Record

METRICS = ("auc", "logloss", "space")
OURS = "autodpq"
COLUMNS = [
    "dataset", "model", "strategy", "metric", "mean", "sd", "n", "paper",
    "baseline", "rel_improv", "low", "high", "p_welch", "p_paired", "p_equal_paired", "star",
]  # fmt: skip
#: Number of the table -> its models and strategies.
TABLES: dict[int, tuple[tuple[str, ...], tuple[str, ...]]] = {
    1: (("deepfm",), STRATEGIES),
    2: (MODELS, COMPATIBILITY),
}


Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Collected:
    """The records of a table, and a sentence for each that is missing or stale."""

    number: int
    dataset: str
    seeds: tuple[int, ...]
    records: list[Record]
    gaps: list[str]

    def of(self, strategy: str, model: str = "deepfm") -> list[Record]:
        """The records of a strategy on a model, by seed."""
        return [r for r in self.records if (r.config.strategy, r.config.model) == (strategy, model)]

    def values(self, strategy: str, model: str, metric: str) -> dict[int, float]:
        """A metric, seed by seed: test AUC, test logloss, or Space in the paper's units."""
        return by_seed(self.of(strategy, model), metric)


def tables_of(dataset: str) -> list[int]:
    """The tables that a data set has: the paper's Table 2 is on MovieLens-1M."""
    return [1, 2] if dataset == "ml-1m" else [1]


def collect(
    number: int,
    out: Path,
    dataset: str,
    recipe: str,
    seeds: Sequence[int],
    profile: str = "full",
    reading: str = "literal",
    split: Split = "fixed",
) -> Collected:
    """Read the records of Table 1 or 2; one that is missing or stale is named and left out."""
    models, strategies = TABLES[number]
    plan = tables(dataset, recipe, seeds, models, strategies, profile)
    records, gaps = read_plan(out, [under(run, reading, split) for run in plan])
    return Collected(number, dataset, tuple(seeds), records, gaps)


def read_plan(out: Path, plan: Sequence[RunConfig]) -> tuple[list[Record], list[str]]:
    """Records of the runs that are done, and a sentence for each run that is not.

    Where some were made with C and some without, those without count as not done: no plan mixes the two.
    """
    states = {config: status(out, config, anywhere=True) for config in plan}
    done = [state.record for state in states.values() if state.record]
    with_c = any(record.compiled for record in done)
    gaps = [f"{config.name()}: {s.reason}" for config, s in states.items() if s.state != "done"]
    gaps += [f"{r.config.name()}: made without C, and others with it" for r in done if r.compiled != with_c]
    return [record for record in done if record.compiled == with_c], gaps


def read_plans(out: Path, plans: Mapping[Key, Sequence[RunConfig]]) -> dict[Key, list[Record]]:
    """The records of several plans, which are compared with each other and so are read as one."""
    done, _ = read_plan(out, list(dict.fromkeys(config for plan in plans.values() for config in plan)))
    found = {record.config: record for record in done}
    return {key: [found[config] for config in plan if config in found] for key, plan in plans.items()}


def build(collected: Collected) -> pd.DataFrame:
    """One row a model, strategy and metric, with :data:`COLUMNS`; missing numbers are NaN."""
    models, strategies = TABLES[collected.number]
    rows = []
    for model in models:
        for metric in METRICS:
            values = {strategy: collected.values(strategy, model, metric) for strategy in strategies}
            rows += [_row(collected, model, strategy, metric, values[strategy]) for strategy in strategies]
            if metric != "space":
                rows[-1] |= _against_baselines(values, metric, collected.seeds)
    return pd.DataFrame(rows, columns=COLUMNS)


def _row(
    collected: Collected, model: str, strategy: str, metric: str, values: Mapping[int, float]
) -> dict[str, object]:
    per_seed = pd.Series(values, dtype=float)
    return {
        "dataset": collected.dataset,
        "model": model,
        "strategy": strategy,
        "metric": metric,
        "mean": per_seed.mean(),
        "sd": per_seed.std(),
        "n": len(per_seed),
        "paper": table_value(collected.dataset, model, strategy, metric),
    }


def _against_baselines(values: Mapping[str, dict[int, float]], metric: str, seeds: Sequence[int]) -> dict[str, object]:
    """Comparison with the best baseline; empty if any run is missing, since the best could be that one."""
    if any(set(runs) != set(seeds) for runs in values.values()):
        return {}
    means = {name: pd.Series(runs).mean() for name, runs in values.items() if name != OURS}
    baseline = best_baseline(means, metric)
    difference = effect(values[OURS], values[baseline])
    return {
        "baseline": baseline,
        "rel_improv": relative_improvement(pd.Series(values[OURS]).mean(), means[baseline], metric),
        **{key: difference[key] for key in ("low", "high", "p_welch", "p_paired", "p_equal_paired")},
        "star": "*" if starred(difference, metric) else "",
    }
