"""The laboratory reading's leads in AUC: all of them in a table of readings.md, in short in README's first lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import product

import numpy as np
import pandas as pd

from autodpq_eval.batch import TABLE_SEEDS
from autodpq_eval.layout import LABELS, markdown
from autodpq_eval.lead import Lead, gain, lead_between, over_best, paper_lead
from autodpq_eval.readings import auc_leads
from autodpq_eval.stats import LEVEL, holm
from autodpq_eval.words import from_to, interval, judged_by_both, p_in_words, spanned
from autodpq_lib.config import MODELS, RECIPES
from scripts.pages import over_trials, readings
from scripts.pages.committed import SPLITS, contrast, of_model

READING = "laboratory"
#: Where the readings are compared on the laboratory's split, recipe by recipe.
LABORATORY = ("laboratory", "laboratory-tuned")
#: Number of a table, and one of its models.
ROWS = ((1, "deepfm"), *((2, model) for model in MODELS))
HEAD = ["split", "model", "over", "seeds", "the paper", *(f"recipe `{recipe}`" for recipe in RECIPES)]


def every() -> str:
    """A row a split, model and baseline."""
    return markdown(HEAD, [*_paired(), *_redrawn(), *_over_the_best(), *_over_others()])


def _paired() -> Iterator[list[str]]:
    """Over FE and Random, on ten seeds."""
    there, conventions = SPLITS["laboratory"], under_conventions()
    yield _judged(SPLITS["fixed"], "FE", (readings.over_fe(f"ours-{recipe}", READING) for recipe in RECIPES))
    yield _judged(SPLITS["fixed"], "Random", (over_trials.auc(over_trials.comparisons(r), READING) for r in RECIPES))
    yield _judged(there, "FE", (readings.over_fe(place, READING) for place in LABORATORY))
    yield _judged(f"{there}, all conventions", "FE", (conventions[recipe] for recipe in RECIPES))


def _judged(split: str, over: str, by_recipe: Iterable[pd.Series]) -> list[str]:
    rows = list(by_recipe)
    paper = gain("auc", over.lower())
    return [split, "DeepFM", over, from_to([row["n"] for row in rows]), f"{paper:+.4f}", *map(judged_by_both, rows)]


def _redrawn() -> Iterator[list[str]]:
    rows = [contrast(recipe, "laboratory-split", "fe-split") for recipe in RECIPES]
    cells = [spanned(row, f"{p_in_words(row['p_paired'])} paired, not corrected") for row in rows]
    yield [
        "our split, redrawn",
        "DeepFM",
        "FE",
        from_to([row["n"] for row in rows]),
        f"{gain('auc', 'fe'):+.4f}",
        *cells,
    ]


def _over_the_best() -> Iterator[list[str]]:
    for split, (number, model) in product(SPLITS, ROWS):
        cells = [lead_between(of_model(recipe, model, number, READING, split), "auc") for recipe in RECIPES]
        over = f"the best baseline of Table {number}"
        yield [SPLITS[split], LABELS[model], over, f"{len(TABLE_SEEDS)}", f"{paper_lead('auc', model):+.4f}", *cells]


def _over_others() -> Iterator[list[str]]:
    """On the laboratory's split with the other models, where recipe ``tuned`` has no Random."""
    rows = readings.on_other_models().query("reading == @READING and over == 'Others' and metric == 'AUC'")
    for model, of in rows.groupby("model", sort=False):
        cells = [f"{row['ours']:+.4f} ({interval(row['low'], row['high'])})" for _, row in of.iterrows()]
        first = of.iloc[0]
        yield [SPLITS["laboratory"], str(model), "Others", f"{first['n']:.0f}", first["paper"], *cells]


@cache
def under_conventions() -> dict[str, pd.Series]:
    """By recipe, what it gains over FE under all conventions of the laboratory's code, with the estimate by ranks."""
    return {recipe: auc_leads(runs).iloc[0] for recipe, runs in readings.under_conventions().items()}


def in_short() -> str:
    """How often it beats the best baseline, and where."""
    every = list(_over_the_best_where_run())
    ahead, behind = (sum(each.star == star for _, each in every) for star in ("starred", "against it"))
    starred = "; ".join(where for where, each in every if each.star == "starred")
    corrected = holm(np.array([each.p for _, each in every])) < LEVEL
    left = [
        sum(np.sign(each.gap) == sign for (_, each), ok in zip(every, corrected, strict=True) if ok) for sign in (1, -1)
    ]
    return (
        f"It was compared with the best of the four in {len(every)} cases of split, recipe and model, "
        f"{len(TABLE_SEEDS)} seeds each (on the laboratory's split, seeds that had been tried before). By Welch's "
        f"test, p < "
        f"{LEVEL}, it is ahead in {ahead}{starred and f' ({starred})'} and behind in {behind}. Corrected for their "
        f"number, it is ahead in {left[0]} and behind in {left[1]} "
        "([all its leads](results/readings.md#all-leads-of-the-laboratory-reading))."
    )


def _over_the_best_where_run() -> Iterator[tuple[str, Lead]]:
    """Of each model in one table, DeepFM in Table 1, where all baselines have run; with the paper's lead."""
    for split, recipe, (number, model) in product(SPLITS, RECIPES, ROWS):
        found = over_best(of_model(recipe, model, number, READING, split), "auc")
        if found and (number == 1 or model != "deepfm"):
            lead = f"{found.gap:+.4f} over {found.over}, published {paper_lead('auc', model):+.4f}"
            yield f"{LABELS[model]}, recipe `{recipe}`, {SPLITS[split]}: {lead}", found


BLOCKS = {"readings-leads": every}
