"""results/avazu.md: the real sample, the full size on the stand-in, and what it takes to train at that size."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import pandas as pd

from autodpq_data.sources import SOURCES
from autodpq_eval.batch import TABLE_SEEDS
from autodpq_eval.cost import speed
from autodpq_eval.layout import LABELS, as_markdown, markdown
from autodpq_eval.plans import tables
from autodpq_eval.references import measured, references
from autodpq_eval.stats import BETTER, auc_error
from autodpq_eval.tables import build, collect, read_plan
from autodpq_lib.config import RECIPES, RunConfig
from benchmarks import access, lazy, prepare
from benchmarks.measured import read_measures
from scripts.pages.committed import RESULTS

#: What Table 1 needs of the stand-in: FE for the unit, AutoDPQ for its three parts.
STANDIN = 'DATASET=avazu-standin RECIPE=paper PROFILE=one-pass SEEDS=1 STRATEGIES="fe autodpq"'


def sets() -> str:
    """The three data sets that stand for Avazu."""
    rows = [
        (
            "`avazu`",
            f"the real file, {_rows('avazu')} rows, checked by content",
            "`make replicate DATASET=avazu RECIPE=paper`",
        ),
        (
            "`avazu-sample`",
            f"{_rows('avazu-sample')} real rows, in `data/avazu-sample/train.csv`",
            "`make replicate DATASET=avazu-sample`",
        ),
        (
            "`avazu-standin`",
            "STAND-IN: generated rows with the real field sizes and long tails, for time and memory alone",
            f"`python -m benchmarks.standin`, then `make replicate {STANDIN}`",
        ),
    ]
    return markdown(("data set", "what it is", "command"), rows)


def _rows(dataset: str) -> str:
    return f"{SOURCES[dataset].rows:,}"


@cache
def table1(recipe: str) -> pd.DataFrame:
    """Table 1 on the real rows."""
    return build(collect(1, RESULTS, "avazu-sample", recipe, TABLE_SEEDS))


def sample(recipe: str) -> str:
    """The same as Markdown."""
    return as_markdown(table1(recipe))


def without_embeddings() -> str:
    """What models without any embedding reach on the same rows, and how exact an AUC on so few rows is."""
    found = references("avazu-sample", RESULTS)
    plain = [f"{name}: AUC {row['auc']:.4f}, logloss {row['logloss']:.4f}" for name, row in found.iterrows()]
    return f"Without embeddings: {'; '.join(plain)}. {_error(found['auc'].max())} {_behind(found)}\n"


def _behind(plain: pd.DataFrame) -> str:
    """Which strategies are behind the better model without embeddings in AUC, and behind the constant in logloss."""
    constant = plain.loc["constant predictor", "logloss"]
    return (
        f"In AUC these stay below the model without embeddings ({plain['auc'].idxmax()}) by more than their standard "
        f"deviation over seeds: {_worse('auc', plain['auc'].max())}. In logloss these are worse than "
        f"the constant predictor by more than their standard deviation: {_worse('logloss', constant)}."
    )


def _worse(metric: str, level: float) -> str:
    """Recipe by recipe the strategies whose mean is worse than a level by more than its standard deviation."""
    said = []
    for recipe in RECIPES:
        rows = table1(recipe)
        each = rows[rows["metric"] == metric].set_index("strategy")
        names = [LABELS[name] for name in each.index[BETTER[metric] * (level - each["mean"]) > each["sd"]]]
        said.append(f"under `{recipe}` {', '.join(names) or 'none'}")
    return "; ".join(said)


def _error(auc: float) -> str:
    """The sampling error of an AUC on the test part."""
    counts = (measured("avazu-sample", RESULTS) or {})["test"]
    return (
        f"The test part is one for all seeds: {counts['positives']:,} clicks in {sum(counts.values()):,} rows. By "
        f"Hanley and McNeil's formula an AUC of {auc:.4f} on it has a standard error of "
        f"{auc_error(auc, **counts):.4f}. Two models scored on the same rows share much of that, but p, which is over "
        "seeds, counts none of it and so claims too much."
    )


def standin() -> str:
    """Time and memory on the stand-in: preparing it, and each fit of FE and AutoDPQ."""
    found = read_measures("prepare")
    plan = tables("avazu-standin", "paper", [1], ["deepfm"], ["fe", "autodpq"], "one-pass")
    records, gaps = read_plan(RESULTS, plan)
    fits = speed(records)
    head = ("run", "fit", "steps", "seconds", "ms a step", "samples a second", "peak anonymous memory, GiB")
    rate = f"{found['rows'] / found['seconds']:,.0f}"
    rows = [[f"preparing {found['rows']:,} rows", "", "", f"{found['seconds']:.0f}", "", rate, _gib(found)]]
    rows += [
        [
            *(row["strategy"], row["fit"], f"{row['steps']:,}", f"{row['seconds']:.0f}", f"{row['ms a step']:.1f}"),
            *(f"{row['samples a second']:,.0f}", _gib(row)),
        ]
        for _, row in fits.iterrows()
    ]
    return "\n".join([markdown(head, rows), *(f"Missing: {gap}.\n" for gap in gaps), "" if gaps else _whole(fits)])


def _gib(row: Mapping[Any, Any]) -> str:
    return f"{row['peak anonymous MiB'] / 1024:.1f}"


def _whole(fits: pd.DataFrame) -> str:
    """What Table 1 on the real file would take, from what a pass took."""
    seconds = fits.groupby(["strategy", "fit"])["seconds"].sum()
    fe, quantised, ours = seconds["FE"].sum(), seconds["AutoDPQ", "retrain"], seconds["AutoDPQ"].sum()
    config = RunConfig(dataset="avazu", strategy="random")
    random = len(TABLE_SEEDS) * config.draws * quantised / 3600
    rest = len(TABLE_SEEDS) * (2 * fe + len(config.candidates) * quantised + ours) / 3600
    all_fits = f"FE, Others, {len(config.candidates)} pairs of Grid, {config.draws} draws of Random, AutoDPQ"
    return (
        "The real file has as many rows, fields and features, so a pass costs the same. Table 1 over "
        f"{len(TABLE_SEEDS)} seeds, every fit one pass ({all_fits}), would take {rest + random:.0f} hours on one core, "
        f"{rest:.0f} without Random.\n"
    )


BLOCKS = {
    "avazu-sets": sets,
    "avazu-sample-paper": lambda: sample("paper"),
    "avazu-sample-tuned": lambda: sample("tuned"),
    "avazu-references": without_embeddings,
    "avazu-space": prepare.space,
    "avazu-standin": standin,
    "lazy": lazy.table,
    "access": access.table,
}
