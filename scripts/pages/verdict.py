"""What reproduces of Table 1 and of the comparisons in words: in a few rows for README, whole for the summary."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import pandas as pd

from autodpq_eval.batch import TABLE_SEEDS
from autodpq_eval.layout import LABELS, NAMES, markdown
from autodpq_eval.lead import below, lead_between, over_best, paper_lead
from autodpq_eval.lead import gain as gain_of_paper
from autodpq_eval.lead import verdict as claim_verdict
from autodpq_eval.ledger import as_printed
from autodpq_eval.stats import LEVEL
from autodpq_eval.words import both_tests, gap, judged_by_both, spanned
from autodpq_lib.config import READINGS, RECIPES, STRATEGIES
from benchmarks import after_training, search_or_choice
from scripts.pages import over_trials, robust
from scripts.pages.committed import claims, contrast, of_model, table, ten_seed_comparisons

#: Model and metric of the leads over the best baseline.
LEADS = (("deepfm", "auc"), ("deepfm", "logloss"), ("pnn", "auc"), ("dcn", "auc"))
VERDICTS = ("reproduced", "direction only", "not reproduced", "contradicted", "missing")
HEAD = ["AutoDPQ", "seeds", "the paper", *(f"recipe `{recipe}`" for recipe in RECIPES)]


def in_short() -> str:
    """README's: the leads in AUC, the gain over FE and the cost; what reproduces."""
    leads = [_over_best(model, metric) for model, metric in LEADS if metric == "auc"]
    rows = markdown(HEAD, [*leads, *_on_ten_seeds(), _cost()])
    rest = (
        "The [summary](results/summary.md) has logloss and the paper's comparisons in words; the "
        "[ledger](results/ml-1m/ledger.csv) has every claim, and `make explain CLAIM=autodpq-fe-auc` prints what "
        "stands behind one."
    )
    said = f"{_below('auc')} {_by_the_ledger('results/')} {rest}"
    return f"{_claim()}\n\n{rows}\n{said}\n\n{_search('results/')}\n"


def whole() -> str:
    """The summary's: these rows and those of logloss, compression and the ledger, and what each claim comes to."""
    rows = [*(_over_best(model, metric) for model, metric in LEADS), *_on_ten_seeds(), *_parts(), _cost(), _counts()]
    space = ", ".join(_same_space()) or "no strategy"
    points = (
        _below("auc", "logloss"),
        _by_the_ledger(""),
        f"Space agrees with the paper's to the thousand for {space}.",
        "Reproduced in every recipe, reading and split (on the laboratory's split the ledger has AUC and logloss "
        f"alone): {robust.everywhere()}.",
        robust.by_a_reading(),
    )
    said = "".join(f"- {point}\n" for point in points)
    return f"{_claim()}\n\n{markdown(HEAD, rows)}\n{said}\n{_search('')} {_compression()}\n"


def _search(folder: str) -> str:
    """Whether the sizes that the search finds are worth more than random ones."""
    page = f"{folder}controls.md#does-the-search-matter"
    return f"**Does the search matter?** {search_or_choice.over_random()} [More]({page})."


def _compression() -> str:
    """What compression itself adds, by reading."""
    parts = (("autodpq", "no-compression"), ("autodpq, reading laboratory", "laboratory-no-compression"))
    literal, laboratory = (
        " and ".join(f"{gap(contrast(recipe, *part))} (`{recipe}`)" for recipe in RECIPES) for part in parts
    )
    return (
        f"What compression itself adds, AutoDPQ minus the same steps without it, is {literal} in the literal reading "
        f"and {laboratory} in the laboratory reading."
    )


def holds() -> str:
    """Whether AutoDPQ beats the best baseline, under either recipe or in each by itself."""
    said = {recipe: claim_verdict(table(recipe)) for recipe in RECIPES}
    if len(set(said.values())) == 1:
        return f"{next(iter(said.values()))}, under either recipe"
    return " and ".join(f"{each} under `{recipe}`" for recipe, each in said.items())


def _claim() -> str:
    return (
        f"**The claim that AutoDPQ beats the best baseline in AUC and in logloss {holds()}**, with the formulas as "
        "printed. AutoDPQ's leads, with their 95 % intervals, and its cost:"
    )


def _over_best(model: str, metric: str) -> list[str]:
    leads = [lead_between(of_model(recipe, model), metric) for recipe in RECIPES]
    about = f"over the best baseline, {LABELS[model]}, {NAMES[metric]}"
    return [about, str(len(TABLE_SEEDS)), f"{paper_lead(metric, model):+.4f}", *leads]


def _below(*metrics: str) -> str:
    """How many intervals of :func:`_over_best` exclude the paper's lead, and which do not; what the words mean."""
    every = {
        f"{LABELS[model]}, {NAMES[metric]}, `{recipe}`": (each, paper_lead(metric, model))
        for (model, metric), recipe in product(LEADS, RECIPES)
        if metric in metrics and (each := over_best(of_model(recipe, model), metric))
    }
    return (
        f"{below(every)} In the rows over the best baseline the interval and the first p are Welch's, and no p is "
        "corrected. *Against it*: "
        f"AutoDPQ is behind, with p < {LEVEL} by Welch's test."
    )


def _on_ten_seeds() -> list[list[str]]:
    """AutoDPQ over FE and over Random, on all seeds that both have."""
    every = {
        "fe": map(_against_fe, RECIPES),
        "random": (over_trials.auc(over_trials.comparisons(recipe), "literal") for recipe in RECIPES),
    }
    return [_paired(name, list(rows)) for name, rows in every.items()]


def _paired(name: str, rows: list[pd.Series]) -> list[str]:
    seeds = _seeds({recipe: row["n"] for recipe, row in zip(RECIPES, rows, strict=True)})
    about = f"over {LABELS[name]}, DeepFM, AUC, paired; p corrected by Holm"
    return [about, seeds, f"{gain_of_paper('auc', name):+.4f}", *map(judged_by_both, rows)]


def _seeds(numbers: Mapping[str, float]) -> str:
    """How many seeds, recipe by recipe where they differ."""
    each = [f"{number:.0f} (`{recipe}`)" for recipe, number in numbers.items()]
    return f"{max(numbers.values()):.0f}" if len(set(numbers.values())) == 1 else ", ".join(each)


def _by_the_ledger(folder: str) -> str:
    """What the ledger says of the gain over FE, by Welch's test alone."""
    rows = as_printed(claims()).query("id == 'autodpq-fe-auc'")
    said = " and ".join(f"*{row['verdict']}* (`{row['recipe']}`)" for _, row in rows.iterrows())
    return (
        "*Better* and *worse* are by the paired test, corrected within a set of comparisons: [that with FE]("
        f"{folder}README.md#ten-seeds) or [that with Random]({folder}readings.md#over-grid-and-random). The ledger, "
        f"whose thresholds were fixed before any result, judges by Welch's test, and calls the gain over FE {said}. "
        "*Direction only*: "
        "the claimed sign, but not significant after correction, or less than half the paper's size."
    )


def _against_fe(recipe: str) -> pd.Series:
    return ten_seed_comparisons(recipe).query("metric == 'auc' and a == 'autodpq' and b == 'fe'").iloc[0]


def _parts() -> list[list[str]]:
    """What of the gain over FE is compression, and what is left of it where FE is compressed too."""
    added = {recipe: contrast(recipe, "autodpq", "no-compression") for recipe in RECIPES}
    later = {recipe: after_training.lead(recipe) for recipe in RECIPES}
    return [
        [
            "of the gain over FE, compression: over AutoDPQ's steps without it, AUC",
            *(_seeds({recipe: row["n"] for recipe, row in added.items()}), "–"),
            *(spanned(row, both_tests(row, corrected="")) for row in added.values()),
        ],
        [
            "over FE with its rare rows quantised by k-means after training, AUC",
            *(
                _seeds({recipe: row["n"] for recipe, row in later.items()}),
                "–",
                *map(judged_by_both, later.values()),
            ),
        ],
    ]


def _cost() -> list[str]:
    rows = as_printed(claims()).query("id == 'autodpq-cost'").set_index("recipe")
    seeds = _seeds(rows["n"].to_dict())
    return [
        "cost, in FE trainings, mean",
        seeds,
        rows["paper"].iloc[0],
        *(_of_fe(rows.loc[recipe]) for recipe in RECIPES),
    ]


def _of_fe(row: pd.Series) -> str:
    if row["verdict"] == "missing":
        return "not run"
    return f"{row['ours']:.1f} ({row['low']:.1f} to {row['high']:.1f}, {row['verdict']})"


def _same_space() -> list[str]:
    """The strategies whose Space is the paper's, cut to thousands, under every recipe."""
    parts = [rows[rows["metric"] == "space"] for rows in (table(recipe) for recipe in RECIPES)]
    same = [set(part[part["mean"] // 1000 == part["paper"] // 1000]["strategy"]) for part in parts]
    return [LABELS[name] for name in STRATEGIES if all(name in each for each in same)]


def _counts() -> list[str]:
    """How the paper's comparisons in words on our split were judged, reading by reading."""
    every = robust.comparisons().query("split == 'fixed'")
    cells = []
    for recipe in RECIPES:
        found = every[every["recipe"] == recipe].groupby("reading")["verdict"].value_counts()
        counts = {name: " / ".join(str(found.get((name, each), 0)) for each in VERDICTS) for name in READINGS}
        cells.append("; ".join(f"{name} {each}" for name, each in counts.items()))
    return [f"the paper's claims in words, on our split, by reading: {', '.join(VERDICTS)}", "", "", *cells]
