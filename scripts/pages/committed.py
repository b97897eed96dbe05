"""What several pages are made from: the committed records of MovieLens-1M and the ledger, each read once."""

from __future__ import annotations

from functools import cache

import pandas as pd

from autodpq_data.split import Split
from autodpq_eval import effects, ledger
from autodpq_eval.batch import TABLE_SEEDS
from autodpq_eval.tables import TABLES, Collected, build, collect
from autodpq_eval.ten_seeds import comparisons, runs_of_ten_seeds
from autodpq_runs.record import Record
from autodpq_system.paths import ROOT

RESULTS = ROOT / "results"
SPLITS: dict[Split, str] = {"laboratory": "the laboratory's split", "fixed": "our split"}


@cache
def runs(recipe: str, number: int = 1, reading: str = "literal", split: Split = "fixed") -> Collected:
    """The records of Table 1 or 2."""
    return collect(number, RESULTS, "ml-1m", recipe, TABLE_SEEDS, reading=reading, split=split)


@cache
def table(recipe: str, number: int = 1, reading: str = "literal", split: Split = "fixed") -> pd.DataFrame:
    """Table 1 or 2."""
    return build(runs(recipe, number, reading, split))


def table_of(model: str) -> int:
    """The number of the table that has a model: Table 1 or, where that does not have it, Table 2."""
    return 1 if model in TABLES[1][0] else 2


def of_model(recipe: str, model: str, reading: str = "literal", split: Split = "fixed") -> pd.DataFrame:
    """A model's rows of its table."""
    rows = table(recipe, table_of(model), reading, split)
    return rows[rows["model"] == model]


def both_tables(recipe: str) -> list[Record]:
    """The records of Tables 1 and 2, once each."""
    return list({record.identity: record for number in (1, 2) for record in runs(recipe, number).records}.values())


@cache
def ten_seed_comparisons(recipe: str) -> pd.DataFrame:
    """Every pair of FE, Others, DPQ with Grid's best pair and AutoDPQ on ten seeds, both metrics."""
    return comparisons(runs_of_ten_seeds(RESULTS, "ml-1m", recipe))


@cache
def runs_of_controls(recipe: str) -> dict[str, list[Record]]:
    """The runs of each control, of what it is compared with, and of each strategy, by name; on all seeds at hand."""
    return effects.runs_of_controls(RESULTS, "ml-1m", recipe)


@cache
def controls(recipe: str) -> pd.DataFrame:
    """A row a control: its effect on each measure."""
    return effects.control_effects(runs_of_controls(recipe))


@cache
def contrasts(recipe: str) -> pd.DataFrame:
    """A row a contrast: of what the gain is made."""
    return effects.contrasts(runs_of_controls(recipe))


def contrast(recipe: str, a: str, b: str) -> pd.Series:
    """The contrast of two sets of runs, by their names."""
    return contrasts(recipe).set_index(["a", "b"]).loc[(a, b)]


@cache
def claims() -> pd.DataFrame:
    """The ledger."""
    return ledger.ledger(RESULTS)
