"""README.md: one table a data set, and what they say, in sentences made from the numbers."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from autodpq_budget.plan import OTHER_SPLIT
from autodpq_data.sources import SOURCES
from autodpq_eval.batch import TABLE_SEEDS
from autodpq_eval.layout import LABELS, UNDERLINED, layout, markdown
from autodpq_eval.lead import gain as gain_of_paper
from autodpq_eval.references import references
from autodpq_eval.tables import METRICS
from autodpq_eval.words import from_to, plus_minus
from autodpq_lib.config import RECIPES, STRATEGIES
from scripts.pages import (
    aims,
    conditions,
    equal_bytes,
    gain,
    leads,
    needs,
    over_trials,
    readings,
    shrink,
    verdict,
)
from scripts.pages.avazu import table1
from scripts.pages.committed import RESULTS, table

#: Of FE's bytes, for the answer in short.
SHARE = 0.0625
#: Reading -> what it does, in a sentence before the word is explained.
WAYS = {
    "literal": "takes its formulas as printed",
    "text": "follows its sentences instead of its formulas",
    "laboratory": "takes what is unstated from other public code of its authors' laboratory",
}
#: A verdict of the tables -> what it says to who has not read them.
IN_WORDS = {"better": "significantly ahead", "worse": "significantly behind", "open": "not significant"}


def movielens() -> str:
    """Table 1 on MovieLens-1M, for each metric the paper's row and one a recipe."""
    shown = {recipe: layout(table(recipe), UNDERLINED) for recipe in RECIPES}
    columns, paper = [*(LABELS[name] for name in STRATEGIES), "p Welch", "p paired"], next(iter(shown.values()))
    rows: list[list[str]] = []
    for label in (LABELS[metric] for metric in METRICS):
        rows.append([f"{label}, the paper", *paper.loc[f"{label}, the paper", columns]])
        rows += [[f"{label}, recipe `{recipe}`", *each.loc[label, columns]] for recipe, each in shown.items()]
    return markdown(["", *columns], rows).replace("*", r"\*")


def avazu_sample() -> str:
    """AUC of FE, AutoDPQ and the better model without embeddings on the real rows of Avazu."""
    plain = references("avazu-sample", RESULTS)["auc"]
    return (
        "The paper's other data set has 40 million rows, and may not be redistributed. On a sample of "
        f"{SOURCES['avazu-sample'].rows:,} of them, {len(TABLE_SEEDS)} seeds, FE and AutoDPQ have an AUC "
        f"of {' and '.join(map(_on_avazu, RECIPES))}; {plain.idxmax()}, which has no embedding, has "
        f"{plain.max():.4f}. Such a sample does not measure the whole. The [Avazu page](results/avazu.md) has its "
        "tables in full, and time and memory at the real size.\n"
    )


def _on_avazu(recipe: str) -> str:
    rows = table1(recipe)
    auc = rows[rows["metric"] == "auc"].set_index("strategy")["mean"]
    return f"{auc['fe']:.4f}, {auc['autodpq']:.4f} (`{recipe}`)"


def answer() -> str:
    """Whether the paper's claim reproduces, what its best reading gives, and what an engineer should do."""
    own, new = (_compressed(**split) for split in ({}, OTHER_SPLIT))
    return (
        "**In short.**\n"
        "- With the formulas as printed, the claim that AutoDPQ beats the best of the four "
        f"{verdict.holds()}.\n"
        f"{_most()}- {leads.in_short()}\n"
        "- To shrink a trained model, compress it and fine-tune it on its training data: at "
        f"{SHARE:.1%} of the bytes of its embedding tables AUC changes by {own}, and by {new} on a split that was not "
        f"seen while the compressor was designed (recipe `{equal_bytes.RECIPE}`; `make compress`, "
        "[below](#shrink-a-trained-embedding)).\n"
    )


def _compressed(**split: int) -> str:
    """What the compressor's AUC differs by from FE's, and on how many seeds."""
    (row,) = [row for row in aims.comparisons(equal_bytes.RECIPE, **split) if row["share"] == SHARE]
    return f"{plus_minus(row['difference'], row['half'])} ({row['n']:.0f} seeds)"


def _most() -> str:
    """The reading with the largest gain over FE on our split: what it gains over FE and Random, by recipe."""
    rows = conditions.data().query("over == 'FE' and split == 'fixed' and reading != ''")
    best = rows.loc[rows["effect"].idxmax()]
    reading = best["reading"]
    over_fe = [readings.over_fe(f"ours-{recipe}", reading) for recipe in RECIPES]
    over_random = [over_trials.auc(over_trials.comparisons(recipe), reading) for recipe in RECIPES]
    return (
        f"- The paper can be read in more than one way. Of our three readings the *{reading}* one, which "
        f"{WAYS[reading]}, gains most on our split of the data. Over FE: {_by_recipe(over_fe)}; published, "
        f"{gain_of_paper('auc', 'fe'):+.4f}. Over Random: {_by_recipe(over_random)}; published, "
        f"{gain_of_paper('auc', 'random'):+.4f}. (Differences in AUC ± half a 95 % interval, paired over "
        f"{from_to([row['n'] for row in over_fe + over_random])} seeds; significance alone is corrected for the number "
        "of comparisons.)\n"
    )


def _by_recipe(rows: list[pd.Series]) -> str:
    """``+0.0034 ± 0.0012, significantly ahead (`paper`), …``."""
    halves = [plus_minus(row["effect"], row["high_paired"] - row["effect"]) for row in rows]
    each = zip(halves, rows, RECIPES, strict=True)
    return ", ".join(f"{half}, {_in_words(row['verdict'])} (`{recipe}`)" for half, row, recipe in each)


def _in_words(verdict: str) -> str:
    """A verdict for who has not read what the tables mean by it."""
    for word, said in IN_WORDS.items():
        verdict = verdict.replace(word, said)
    return verdict


BLOCKS: dict[str, Callable[[], str]] = {
    "answer": answer,
    "readings": readings.summary,
    "gain": gain.text,
    "conditions": needs.in_short,
    "ml-1m": movielens,
    "verdict": verdict.in_short,
    "avazu-sample": avazu_sample,
    "budget": shrink.text,
}
