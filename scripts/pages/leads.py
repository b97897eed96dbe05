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
from autodpq_eval.words import from_to, judged_by_both, p_in_words, spanned
from autodpq_lib.config import MODELS, RECIPES
from scripts.pages import over_trials, readings, readings_tables
from scripts.pages.committed import SPLITS, contrast, of_model, table_of

READING = "laboratory"
#: Where the readings are compared on the laboratory's split, recipe by recipe.
LABORATORY = ("laboratory", "laboratory-tuned")
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
    for split, model in product(SPLITS, MODELS):
        cells = [lead_between(of_model(recipe, model, READING, split), "auc") for recipe in RECIPES]
        over = f"the best baseline of Table {table_of(model)}"
        yield [SPLITS[split], LABELS[model], over, f"{len(TABLE_SEEDS)}", f"{paper_lead('auc', model):+.4f}", *cells]


def _over_others() -> Iterator[list[str]]:
    """On the laboratory's split with the other models, where recipe ``tuned`` has no Random."""
    rows = readings_tables.on_other_models().query("reading == @READING and over == 'Others' and metric == 'AUC'")
    for model, of in rows.groupby("model", sort=False):
        cells = [spanned(row) for _, row in of.rename(columns={"ours": "effect"}).iterrows()]
        yield [SPLITS["laboratory"], str(model), "Others", from_to(of["n"]), of["paper"].iloc[0], *cells]


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
        f"Over the best baseline, in {len(every)} cases of split, recipe and model with {len(TABLE_SEEDS)} seeds each "
        f"(on the laboratory's split, seeds that had been tried before), the laboratory reading is ahead by "
        f"Welch's test in {ahead}{starred and f' ({starred})'} and behind in "
        f"{behind}; corrected for their number, ahead in {left[0]} and behind in {left[1]} "
        "([all its leads](results/readings.md#all-leads-of-the-laboratory-reading))."
    )


def _over_the_best_where_run() -> Iterator[tuple[str, Lead]]:
    """Of each model where all baselines of its table have run; with the paper's lead."""
    for split, recipe, model in product(SPLITS, RECIPES, MODELS):
        if found := over_best(of_model(recipe, model, READING, split), "auc"):
            lead = f"{found.gap:+.4f} over {found.over}, published {paper_lead('auc', model):+.4f}"
            yield f"{LABELS[model]}, recipe `{recipe}`, {SPLITS[split]}: {lead}", found


BLOCKS = {"readings-leads": every}
