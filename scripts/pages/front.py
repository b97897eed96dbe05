"""README.md: one table a data set, and what they say, in sentences made from the numbers."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from autodpq_budget import at_equal_bytes
from autodpq_budget.plan import OTHER_SPLIT
from autodpq_data.sources import SOURCES
from autodpq_eval.conditions import CONVENTION_TITLES
from autodpq_eval.layout import LABELS, UNDERLINED, judged, layout, markdown, p_in_words, plus_minus
from autodpq_eval.lead import lead_between, over_best, paper_lead
from autodpq_eval.references import references
from autodpq_eval.tables import METRICS
from autodpq_lib.config import MODELS, RECIPES, STRATEGIES
from scripts.pages import aims, budget, conditions, equal_bytes, gain, needs, over_trials, readings, verdict
from scripts.pages.avazu import table1
from scripts.pages.committed import RESULTS, SEEDS, table

#: Of FE's bytes, for the answer in short.
SHARE = 0.0625
#: Reading -> what it does, in a sentence before the word is explained.
WAYS = {
    "literal": "takes its formulas as printed",
    "text": "follows its sentences instead of its formulas",
    "laboratory": "takes what is unstated from other public code of its authors' laboratory",
}


def movielens() -> str:
    """Table 1 on MovieLens-1M, for each metric the paper's row and one a recipe."""
    return _side_by_side({recipe: table(recipe) for recipe in RECIPES})


def avazu_sample() -> str:
    """AUC of FE, AutoDPQ and the better model without embeddings on the real rows of Avazu."""
    plain = references("avazu-sample", RESULTS)["auc"]
    return (
        "The paper's other data set has 40 million rows, and may not be redistributed. On a sample of "
        f"{SOURCES['avazu-sample'].rows:,} of them, {len(SEEDS)} seeds, FE and AutoDPQ have an AUC "
        f"of {' and '.join(map(_on_avazu, RECIPES))}; {plain.idxmax()}, which has no embedding, has "
        f"{plain.max():.4f}. Such a sample does not measure the whole. The [Avazu page](results/avazu.md) has its "
        "tables in full, and time and memory at the real size.\n"
    )


def _on_avazu(recipe: str) -> str:
    rows = table1(recipe)
    auc = rows[rows["metric"] == "auc"].set_index("strategy")["mean"]
    return f"{auc['fe']:.4f}, {auc['autodpq']:.4f} (`{recipe}`)"


def _side_by_side(tables: dict[str, pd.DataFrame]) -> str:
    shown = {recipe: layout(each, UNDERLINED) for recipe, each in tables.items()}
    columns = [*(LABELS[name] for name in STRATEGIES), "p Welch", "p paired"]
    rows: list[list[str]] = []
    for label in (LABELS[metric] for metric in METRICS):
        paper = next(iter(shown.values()))
        if (name := f"{label}, the paper") in paper.index:
            rows.append([name, *paper.loc[name, columns]])
        rows += [[f"{label}, recipe `{recipe}`", *each.loc[label, columns]] for recipe, each in shown.items()]
    return markdown(["", *columns], rows).replace("*", r"\*")


def answer() -> str:
    """Whether the paper's claim reproduces, what its best reading gives, and what an engineer should do."""
    own, new = (_compressed(equal_bytes.found(budget.RECIPE, **split)) for split in ({}, OTHER_SPLIT))
    return (
        "**In short.**\n"
        "- With the formulas as printed, the claim that AutoDPQ beats the best of those four strategies "
        f"{verdict.holds()}.\n"
        f"{_most()}"
        "- To shrink a trained model, compress it, and fine-tune it on its training data: at "
        f"{SHARE:.1%} of the bytes of its embedding tables AUC changes by {own}, and by {new} on a split not used to "
        f"make the compressor (recipe `{budget.RECIPE}`; `make compress`, [below](#shrink-a-trained-embedding)).\n"
    )


def _compressed(runs: pd.DataFrame) -> str:
    """What the compressor's AUC differs by from FE's, and on how many seeds."""
    row = at_equal_bytes.verdicts(runs, aims.MARGINS[budget.RECIPE]).set_index("share").loc[SHARE]
    return f"{plus_minus(row['difference'], row['half'])} ({row['n']:.0f} seeds)"


def _most() -> str:
    """The reading and recipe with the largest gain over FE: what that reading gains over FE and Random, by recipe."""
    rows = conditions.data().query("over == 'FE' and split == 'fixed' and reading != ''")
    best = rows.loc[rows["effect"].idxmax()]
    reading, recipe = best["reading"], best["recipe"]
    over_fe = ", ".join(f"{judged(readings.over_fe(f'ours-{of}', reading))} (`{of}`)" for of in RECIPES)
    random = {of: over_trials.auc(over_trials.comparisons(of), reading) for of in RECIPES}
    over_random = ", ".join(f"{judged(row)} (`{of}`)" for of, row in random.items())
    return (
        f"- Of our three readings of the paper the *{reading}* one, which {WAYS[reading]}, gains most. Over the "
        f"uncompressed model, FE: {over_fe}, on {best['n']} seeds (the paper {best['paper']:+.4f}). Over Random, the "
        f"best of twenty draws of sizes: {over_random} (the paper {random[recipe]['paper']:+.4f}); "
        f"{over_trials.on_new_seeds_alone(recipe, reading)}. All of this is paired by seed.\n"
        f"- {_other_models(recipe, reading)} {_conventions()}\n"
    )


def _by_recipe(rows: pd.DataFrame) -> str:
    """The gains of these rows, recipe by recipe."""
    return ", ".join(f"{row['effect']:+.4f} (`{row['recipe']}`)" for _, row in rows.iterrows())


def _conventions() -> str:
    """What the laboratory reading gains where the split, and then the conventions too, are the laboratory's."""
    rows = conditions.data().query("over == 'FE'")
    rows = rows[rows["condition"] == CONVENTION_TITLES["all"]]
    levels = ", ".join(f"{row['base']:.4f} and {row['ours']:.4f} (`{row['recipe']}`)" for _, row in rows.iterrows())
    ranks = ", ".join(f"{row['centre']:+.4f}" for _, row in rows.iterrows())
    there = lead_between(table("paper", 1, "laboratory", "laboratory"), "auc")
    return (
        "On that laboratory's own split, recipe `paper`, DeepFM, its lead over the best baseline of Table 1 is "
        f"{there} (by Welch), on the {len(SEEDS)} seeds on which it had been tried (the paper "
        f"{paper_lead('auc'):+.4f}). There, with all conventions of its code, it gains {_by_recipe(rows)} over FE on "
        f"{rows['n'].min()} seeds, by ranks {ranks}, which one odd seed hardly moves; FE and AutoDPQ have {levels}."
    )


def _other_models(recipe: str, reading: str) -> str:
    """The lead over the best baseline with the models that Table 2 has beside DeepFM, on both splits."""
    leads = " and ".join(
        f"{_leads_of_models(table(recipe, 2, reading, split))} on {place}"
        for split, place in (("fixed", "our split"), ("laboratory", "the laboratory's"))
    )
    return (
        f"With other models, recipe `{recipe}`, that reading's lead over the best baseline is {leads}, on "
        f"{len(SEEDS)} seeds (p by Welch)."
    )


def _leads_of_models(rows: pd.DataFrame) -> str:
    leads = {model: over_best(rows[rows["model"] == model], "auc") for model in MODELS[1:]}
    return (
        ", ".join(f"{each.gap:+.4f} ({LABELS[model]}, {p_in_words(each.p)})" for model, each in leads.items() if each)
        or "not known"
    )


BLOCKS: dict[str, Callable[[], str]] = {
    "answer": answer,
    "readings": readings.summary,
    "gain": gain.text,
    "conditions": needs.in_short,
    "ml-1m": movielens,
    "verdict": verdict.in_short,
    "avazu-sample": avazu_sample,
    "budget": budget.in_short,
}
