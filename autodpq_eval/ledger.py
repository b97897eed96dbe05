"""The ledger: every number and claim of the paper's evaluation, with a verdict by fixed rules, in each case of ours."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from autodpq_eval import claims, layout
from autodpq_eval.claims import Row
from autodpq_eval.controls import controls
from autodpq_eval.facts import read_facts
from autodpq_eval.plans import PAIR_OF_TABLE_1, TEN_SEEDS, configure, long_random, one_pair
from autodpq_eval.stats import holm
from autodpq_eval.tables import read_plans
from autodpq_eval.verdicts import on_comparison, on_no_worse
from autodpq_lib.config import CHANGED_BY, MODELS, READINGS, RECIPES, STRATEGIES, RunConfig
from autodpq_runs.record import Record

COLUMNS = [
    "id", "recipe", "reading", "split", "kind", "claim", "source", "paper", "ours", "low", "high", "n", "verdict",
    "records",
]  # fmt: skip
#: What the tests behind the comparisons say, for those who want to check a verdict.
TESTS = [
    "id", "recipe", "reading", "split", "paper", "ours", "low", "high", "n", "n_base", "p_welch", "p_welch_holm",
    "p_paired", "p_paired_holm", "p_equal_paired", "p_equal_paired_holm", "p_no_worse", "p_no_worse_holm", "verdict",
]  # fmt: skip
#: The order in which verdicts are counted.
VERDICTS = (
    "reproduced", "direction only", "not reproduced", "contradicted", "off", "missing", "can't be tested",
)  # fmt: skip
#: Strategies that have runs on the laboratory's split, on all models that they have in the tables; its Grid is the one
#: pair of :data:`PAIR_OF_TABLE_1`. Random has runs there in the recipe of the laboratory's code.
ON_LABORATORY_SPLIT = {"fe", "others", "grid", "autodpq"}


class Case(NamedTuple):
    """What a ledger's rows are of, beside the paper."""

    recipe: str
    reading: str = "literal"
    split: str = "fixed"

    def has(self, row: Row) -> bool:
        """Whether a row belongs to this case."""
        names, _, metric = row.get("_about", ((), "", ""))
        # A reading that is not literal has the rows on a strategy that it changes, and no controls.
        own = self.reading == "literal" or (not self.changed().isdisjoint(names) and set(names) <= set(STRATEGIES))
        # The laboratory's split: AUC and logloss of the strategies with runs there, and no row without a strategy.
        more = {"random"} if self.recipe == "paper" else set()
        there = set(names) <= ON_LABORATORY_SPLIT | more and metric in ("auc", "logloss")
        return own and (self.split == "fixed" or (bool(names) and there))

    def changed(self) -> set[str]:
        """The strategies that the reading changes."""
        return set(CHANGED_BY.get(self.reading, ()))

    def titled(self, row: Row) -> Row:
        """The row with its claim in words, in which the one pair that stands for Grid is named."""
        pair, claim = f"DPQ {PAIR_OF_TABLE_1}, for Grid", str(row["claim"])
        if self.split != "laboratory" or "grid" not in row["_about"][0]:
            return row
        named = re.sub("(?i)grid", pair, claim)
        return {**row, "claim": named if named != claim else f"{claim}, with {pair}"}


#: On our split, then on the laboratory's.
CASES = [
    Case(recipe, reading, split) for split in ("fixed", "laboratory") for recipe in RECIPES for reading in READINGS
]


def ledger(out: Path) -> pd.DataFrame:
    """The rows of all :data:`CASES`, from the MovieLens-1M records and facts below ``out``; COLUMNS, then TESTS."""
    facts, rows = read_facts(out), []
    found: dict[tuple[Case, tuple[str, str]], list[Record]] = {}
    for recipe in RECIPES:  # whose runs are not compared with each other
        mine = [case for case in CASES if case.recipe == recipe]
        found |= read_plans(out, {(case, key): plan for case in mine for key, plan in plans(case).items()})
    for case in CASES:
        runs = {key: records for (of, key), records in found.items() if of == case}
        each = [case.titled(row) for row in claims.rows(runs, facts) if case.has(row)]
        rows += [{**case._asdict(), **row} for row in judged(each)]
    return pd.DataFrame(rows, columns=list(dict.fromkeys(COLUMNS + TESTS)))


def as_printed(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of the literal reading on our split."""
    return table[(table["reading"] == "literal") & (table["split"] == "fixed")]


def plans(case: Case) -> dict[tuple[str, str], list[RunConfig]]:
    """Runs by model and strategy, on ten seeds; the controls by their id; Figure 3's long Random and its FE."""
    runs: dict[tuple[str, str], list[RunConfig]] = {
        (model, strategy): [_configured(case, strategy, seed, model) for seed in TEN_SEEDS]
        for model in MODELS
        for strategy in STRATEGIES
    }
    runs |= {("deepfm", c.id): [c.config("ml-1m", case.recipe, seed) for seed in TEN_SEEDS] for c in controls()}
    # The long Random is literal, and is not compared with a reading that changes Random.
    long = [] if "random" in case.changed() else long_random("ml-1m", case.recipe, TEN_SEEDS)
    return runs | {
        ("deepfm", f"long {name}"): [run for run in long if run.strategy == name] for name in ("fe", "random")
    }


def _configured(case: Case, strategy: str, seed: int, model: str) -> RunConfig:
    switches: dict[str, Any] = {"model": model, "split": case.split}
    if strategy in case.changed():
        switches["reading"] = case.reading
    if strategy == "grid" and case.split == "laboratory":
        switches |= one_pair(PAIR_OF_TABLE_1)
    return configure("ml-1m", case.recipe, strategy, seed, **switches)


def judged(rows: Sequence[Row]) -> list[Row]:
    """Judge the comparisons, whose p-values are corrected together; a missing one counts as p = 1 in the family.

    A claim that one side is no worse has two tests, and both are of the family.
    """
    compared = [row for row in rows if "_paper" in row]
    _correct(compared, "p_equal_paired")
    for key in ("p_paired", "p_welch"):  # Welch's family last: its p_no_worse_holm decides, and is the one that stays
        _correct(compared, key, "p_no_worse")
    for row in compared:
        row["verdict"] = _verdict(row)
    return list(rows)


def _correct(rows: Sequence[Row], *tests: str) -> None:
    """Holm's correction over all of these tests that a row has."""
    members = [(row, test) for row in rows for test in tests if test in row]
    p = np.array([row[test] for row, test in members])
    corrected = np.where(np.isnan(p), np.nan, holm(np.nan_to_num(p, nan=1.0)))
    for (row, test), value in zip(members, corrected, strict=True):
        row[f"{test}_holm"] = value


def _verdict(row: Row) -> str:
    if any(math.isnan(row[f"{test}_holm"]) for test in ("p_welch", "p_no_worse") if test in row):
        return "missing"
    if "p_no_worse" in row:
        return on_no_worse(row["ours"], row["p_welch_holm"], row["p_no_worse_holm"])
    return on_comparison(row["ours"], row["p_welch_holm"], row["_paper"])


def as_csv(table: pd.DataFrame) -> str:
    """The ledger as data."""
    return layout.as_csv(table[COLUMNS])


def comparisons_as_csv(table: pd.DataFrame) -> str:
    """The tests behind the comparisons, as data."""
    return layout.as_csv(table.loc[table["kind"] == "comparison", TESTS])


def counted(table: pd.DataFrame) -> pd.DataFrame:
    """The rows, less repetitions: Table 2's of DeepFM, and ends of Figure 3's curves drawn from runs of Table 1."""
    runs = table[["recipe", "reading", "split", "records"]].apply(tuple, axis=1)
    ends, number = table["id"].str.startswith("figure3-"), table["id"].str.fullmatch("table1-ml-1m-deepfm-.*-auc")
    again = table["id"].str.startswith("table2-ml-1m-deepfm") | (ends & runs.isin(set(runs[number])))
    return table[~again]


def counts(table: pd.DataFrame) -> pd.DataFrame:
    """Number of rows by kind and case, a column a verdict, of those that are :func:`counted`.

    What has no case, for it is a fact or can't be tested, counts once.
    """
    shown = counted(table)
    verdicts = shown["verdict"].str.replace(r"^off by.*", "off", regex=True).str.replace(r":.*", "", regex=True)
    every = shown["kind"].eq("fact") | verdicts.eq("can't be tested")
    cases, once = shown.apply(_titled, axis=1).mask(every, "any"), ~(every & shown.duplicated("id"))
    each = pd.crosstab([shown["kind"][once], cases[once]], verdicts[once], rownames=["kind", "case"])
    order = pd.MultiIndex.from_product([shown["kind"].unique(), dict.fromkeys([*cases[cases != "any"], "any"])])
    columns = [name for name in VERDICTS if name in each]
    return each.reindex(order[order.isin(each.index)])[columns].rename_axis(index=["kind", "case"], columns=None)


def _titled(row: Mapping[str, str]) -> str:
    """A case in a few words: ``recipe paper``, ``recipe paper, text``, ``recipe paper, laboratory's split, text``."""
    place = f"recipe {row['recipe']}" + (f", {row['split']}'s split" if row["split"] != "fixed" else "")
    return place if row["reading"] == "literal" else f"{place}, {row['reading']}"
