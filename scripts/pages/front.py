"""README.md: one table a data set, and what they say, in sentences made from the numbers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pandas as pd

from autodpq_data.sources import SOURCES
from autodpq_eval.layout import LABELS, UNDERLINED, layout, markdown, plus_minus
from autodpq_eval.references import references
from autodpq_eval.tables import METRICS
from autodpq_lib.config import RECIPES, STRATEGIES
from scripts.pages import aims, budget, conditions, gain, needs, over_random, readings, verdict
from scripts.pages.avazu import table1
from scripts.pages.committed import RESULTS, SEEDS, table

#: Of FE's bytes, for the answer in short.
SHARE = 0.0625
#: Reading -> what is read, in a sentence before the word is explained.
WAYS = {
    "literal": "taken as printed",
    "text": "where its sentences are followed instead of its formulas",
    "laboratory": "where what is unstated follows the other public code of its authors' laboratory",
}


def movielens() -> str:
    """Table 1 on MovieLens-1M, for each metric the paper's row and one a recipe."""
    return _side_by_side({recipe: table(recipe) for recipe in RECIPES})


def avazu_sample() -> str:
    """AUC of FE, AutoDPQ and the better model without embeddings on the real rows of Avazu."""
    plain = references("avazu-sample", RESULTS)["auc"]
    return (
        f"On a sample of {SOURCES['avazu-sample'].rows:,} of its rows, {len(SEEDS)} seeds, FE and AutoDPQ have an AUC "
        f"of {' and '.join(map(_on_avazu, RECIPES))}; {plain.idxmax()}, which has no embedding, has "
        f"{plain.max():.4f}.\n"
    )


def _on_avazu(recipe: str) -> str:
    rows = table1(recipe)
    auc = rows[rows["metric"] == "auc"].set_index("strategy")["mean"]
    return f"{auc['fe']:.4f}, {auc['autodpq']:.4f} (`{recipe}`)"


def _side_by_side(tables: dict[str, pd.DataFrame]) -> str:
    shown = {recipe: layout(each, UNDERLINED) for recipe, each in tables.items()}
    columns = [*(LABELS[name] for name in STRATEGIES), "p Welch"]
    rows: list[list[str]] = []
    for label in (LABELS[metric] for metric in METRICS):
        paper = next(iter(shown.values()))
        if f"{label} paper" in paper.index:
            rows.append([f"{label}, the paper", *paper.loc[f"{label} paper", columns]])
        rows += [[f"{label}, recipe `{recipe}`", *each.loc[label, columns]] for recipe, each in shown.items()]
    return markdown(["", *columns[:-1], "p"], rows).replace("*", r"\*")


def answer() -> str:
    """Whether the paper's claim reproduces, what its best reading gives, and what an engineer should do."""
    (row,) = (each for each in aims.verdicts(budget.RECIPE) if each["share"] == SHARE)
    return (
        "**In short.** Taken as printed, the claim that AutoDPQ beats the best of those four strategies "
        f"{verdict.holds()}. {_most()} To shrink a trained embedding, compress it after training: at "
        f"{row['share']:.1%} of the uncompressed model's bytes AUC changes by "
        f"{plus_minus(row['difference'], row['half'])} (recipe `{budget.RECIPE}`; `make compress`, "
        "[below](#shrink-a-trained-embedding)).\n"
    )


def _most() -> str:
    """What the reading and recipe with the largest gain over FE give over it, and over the best baseline."""
    rows = conditions.data().query("over == 'FE' and condition.str.startswith('our split')")
    best = rows.loc[rows["effect"].idxmax()]
    reading, recipe = best["condition"].split()[2], best["recipe"]
    return (
        f"It gains most {WAYS[reading]} (recipe `{recipe}`): {over_random.in_words(recipe, reading)}; and "
        f"{best['effect']:+.4f} over the uncompressed model (the paper {best['paper']:+.4f})."
    )


BLOCKS: dict[str, Callable[[], str]] = {
    "answer": answer,
    "readings": partial(readings.summary, "laboratory"),
    "gain": gain.text,
    "conditions": needs.in_short,
    "ml-1m": movielens,
    "verdict": verdict.in_short,
    "avazu-sample": avazu_sample,
    "budget": budget.in_short,
}
