"""results/readings.md: AutoDPQ's three readings on the laboratory's split and on ours, against FE, Others and DPQ."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial

import pandas as pd

from autodpq_data.split import Split
from autodpq_eval import readings
from autodpq_eval.best_pair import pair_of_grid
from autodpq_eval.layout import NAMES, markdown
from autodpq_eval.plans import PAIR_OF_TABLE_1
from autodpq_eval.words import TESTED, judged_by_both, plus_minus, tested
from autodpq_lib.config import PROFILES, READINGS, RunConfig
from scripts.pages import over_trials
from scripts.pages.committed import RESULTS, SPLITS
from scripts.pages.conditions import by_ranks
from scripts.pages.readings_tables import on_laboratory_split

#: Where the readings are compared -> split and recipe. That of the laboratory's public code is ``paper``.
PLACES: dict[str, tuple[Split, str]] = {
    "laboratory": ("laboratory", "paper"),
    "laboratory-tuned": ("laboratory", "tuned"),
    "ours-paper": ("fixed", "paper"),
    "ours-tuned": ("fixed", "tuned"),
}
TITLES = {place: f"{SPLITS[split]}, recipe {recipe}" for place, (split, recipe) in PLACES.items()}
#: Switches of the readings, in words.
WORDS = {
    "distance": "the centroid that a row is coded by: the largest inner product (Eq. 1) or the nearest",
    "centroids_from": "where centroids start: at random, or at k-means of the pretrained rare rows",
    "batchnorm_scale": "the scale of Eq. 2's output: unit, or that of the pretrained rows",
    "encoder_decay": "weight decay on rows that only feed an encoder",
    "search_until": "what ends the search: validation AUC improves no more, or no field's best pair changes any more",
    "search_epochs": "limit of the search in epochs",
    "search_patience": "epochs without such a change before it ends",
    "retrain_from": "the weights that the retrain starts from",
    "pretrain_epochs": "epochs of the pretrain",
    "alpha_every": "steps of the weights for one of alpha",
}


@cache
def runs(place: str) -> readings.Groups:
    """Records by name."""
    split, recipe = PLACES[place]
    pair = pair_of_grid(RESULTS, "ml-1m", recipe) if split == "fixed" else PAIR_OF_TABLE_1
    return readings.on_ten_seeds(RESULTS, recipe, split, pair)


@cache
def means(place: str) -> pd.DataFrame:
    """A row a name that has runs."""
    return readings.means(runs(place)).query("n > 0")


@cache
def comparisons(place: str) -> pd.DataFrame:
    """A row a reading, baseline and metric, of those that have runs."""
    return readings.comparisons(runs(place))


def parts() -> str:
    """The switches of each reading in words, and their values, under the literal one too."""
    keys = list(dict.fromkeys(key for switches in READINGS.values() for key in switches))
    search = PROFILES["full"].search
    plain = {key: RunConfig.model_fields[key].default for key in keys}
    plain |= {"search_epochs": search.rounds, "search_patience": search.patience, "pretrain_epochs": "to convergence"}
    rows = [[f"`{key}`", WORDS[key], *(f"`{(plain | own)[key]}`" for own in READINGS.values())] for key in keys]
    return markdown(["switch", "what it sets", *READINGS], rows)


def table(place: str) -> str:
    """Means and spreads on test, beside the paper's AUC, and what is not run yet."""
    rows = [
        [
            *(str(name), f"{row['n']:.0f}", f"{row['paper']:.4f}"),
            *(plus_minus(row[key], row[f"{key} sd"], "") for key in ("auc", "logloss", "touched auc")),
            f"{row['space']:,.0f}",
            f"{row['cost']:.1f}" if pd.notna(row["cost"]) else "",
        ]
        for name, row in means(place).iterrows()
    ]
    head = [
        "",
        "seeds",
        "AUC ↑, the paper",
        "AUC ↑",
        "logloss ↓",
        "AUC ↑, samples with a rare feature",
        "Space ↓",
        "FE trainings ↓",
    ]
    absent = [name for name, each in runs(place).items() if not each]
    return markdown(head, rows) + (f"\nNot run yet: {', '.join(absent)}.\n" if absent else "")


def differences(place: str) -> str:
    """AutoDPQ minus each baseline, with both tests and the test of equivalence."""
    rows = [
        [
            *(row["a"], row["b"], row["metric"], f"{row['paper']:+.4f}", f"{row['effect']:+.4f}"),
            *tested(row),
        ]
        for _, row in comparisons(place).iterrows()
    ]
    head = ["", "over", "metric", "the paper", "difference", *TESTED]
    return markdown(head, rows)


def confirmation() -> str:
    """The laboratory reading over each baseline on seeds that are new to it, on both splits, recipe ``paper``."""
    trials = {name: over_trials.runs("paper")[name] for name in (over_trials.GRID, over_trials.RANDOM)}
    named: dict[Split, readings.Groups] = {"laboratory": runs("laboratory")}
    named |= {"fixed": runs("ours-paper") | trials}  # which have no runs on the other
    rows = [row for split, each in named.items() for row in _confirmed(SPLITS[split], each)]
    return markdown(["split", "seeds", "over", "the paper, AUC", *NAMES.values()], rows)


def _confirmed(split: str, named: readings.Groups) -> Iterator[list[str]]:
    """A row a baseline."""
    kept = {name: each for name, each in named.items() if readings.OURS not in name or "laboratory" in name}
    for name, rows in readings.comparisons(over_trials.on_new_seeds(kept)).groupby("b", sort=False):
        gap, seeds = rows["paper"].iloc[0], rows["n"].iloc[0]
        yield [split, str(seeds), str(name), f"{gap:+.4f}", *(judged_by_both(row) for _, row in rows.iterrows())]


def summary() -> str:
    """What the tables show of AUC on the laboratory's split."""
    said = readings.in_short(runs("laboratory"), under_conventions(), on_laboratory_split(1))
    return (
        f"{said} The rows are of DeepFM, recipe `{PLACES['laboratory'][1]}` unless one names another, "
        f"{means('laboratory')['n'].min():.0f} seeds.\n"
    )


@cache
def under_conventions() -> dict[str, readings.Groups]:
    """The laboratory reading and its baselines under all conventions of the laboratory's code, by recipe."""
    return readings.under_conventions(RESULTS)


def conventions() -> str:
    """What it gains over each there."""
    rows = [
        [
            *(f"`{recipe}`", row["b"], f"{row['n']}", f"{row['paper']:+.4f}", f"{row['effect']:+.4f}"),
            *(*tested(row), by_ranks(row)),
        ]
        for recipe, named in under_conventions().items()
        for _, row in readings.auc_leads(named).iterrows()
    ]
    head = ["recipe", "over", "seeds", "the paper", "difference in AUC", *TESTED, "by ranks"]
    return markdown(head, rows)


def over_fe(place: str, reading: str) -> pd.Series:
    """What a reading gains in AUC over FE at a place, judged by the paired test."""
    return comparisons(place).query(f"a == '{readings.OURS}, {reading}' and b == 'FE' and metric == 'auc'").iloc[0]


def _of(place: str) -> dict[str, Callable[[], str]]:
    blocks = {"means": table, "differences": differences}
    return {f"{place}-{name}": partial(make, place) for name, make in blocks.items()}


BLOCKS: dict[str, Callable[[], str]] = {
    "readings-parts": parts,
    "laboratory-conventions": conventions,
    "readings-confirmation": confirmation,
    **{name: make for place in PLACES for name, make in _of(place).items()},
}
