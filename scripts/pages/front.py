"""README.md: one table a data set, and what they say, in sentences made from the numbers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pandas as pd

from autodpq_eval.layout import LABELS, NAMES, interval, layout, markdown, p_in_words
from autodpq_eval.lead import lead, paper_lead
from autodpq_eval.lead import verdict as claim_verdict
from autodpq_eval.ledger import as_printed
from autodpq_eval.references import references
from autodpq_eval.stats import BETTER
from autodpq_eval.tables import METRICS, build, collect
from autodpq_lib.config import RECIPES, STRATEGIES
from benchmarks import after_training
from scripts.pages import budget, gain, needs, readings
from scripts.pages.avazu import without_embeddings
from scripts.pages.committed import RESULTS, SEEDS, claims, table, ten_seed_comparisons

VERDICTS = ("reproduced", "direction only", "not reproduced", "contradicted", "missing")


def movielens() -> str:
    """Table 1 on MovieLens-1M, for each metric the paper's row and one a recipe."""
    return _side_by_side({recipe: table(recipe) for recipe in RECIPES})


def avazu_sample() -> str:
    """Table 1 on the real rows of Avazu, and the models without embeddings."""
    tables = {recipe: build(collect(1, RESULTS, "avazu-sample", recipe, SEEDS)) for recipe in RECIPES}
    return f"{_side_by_side(tables)}\n{without_embeddings().strip()} {_behind(tables)}"


def _behind(tables: dict[str, pd.DataFrame]) -> str:
    """Which strategies are behind the better model without embeddings in AUC, and behind the constant in logloss."""
    plain = references("avazu-sample", RESULTS)
    constant = plain.loc["constant predictor", "logloss"]
    return (
        f"Behind {plain['auc'].idxmax()} in AUC: {_worse(tables, 'auc', plain['auc'].max())}. "
        f"Behind the constant predictor in logloss: {_worse(tables, 'logloss', constant)}.\n"
    )


def _worse(tables: dict[str, pd.DataFrame], metric: str, level: float) -> str:
    """Recipe by recipe the strategies whose mean is worse than a level."""
    said = []
    for recipe, rows in tables.items():
        means = rows[rows["metric"] == metric].set_index("strategy")["mean"]
        names = [LABELS[name] for name in means.index[BETTER[metric] * (means - level) < 0]]
        said.append(f"under `{recipe}` {', '.join(names) or 'none'}")
    return "; ".join(said)


def _side_by_side(tables: dict[str, pd.DataFrame]) -> str:
    shown = {recipe: layout(each, "<u>{}</u>") for recipe, each in tables.items()}
    columns = [*(LABELS[name] for name in STRATEGIES), "p Welch"]
    rows: list[list[str]] = []
    for label in (LABELS[metric] for metric in METRICS):
        paper = next(iter(shown.values()))
        if f"{label} paper" in paper.index:
            rows.append([f"{label}, the paper", *paper.loc[f"{label} paper", columns]])
        rows += [[f"{label}, recipe `{recipe}`", *each.loc[label, columns]] for recipe, each in shown.items()]
    return markdown(["", *columns[:-1], "p"], rows).replace("*", r"\*")


def verdict() -> str:
    """What of Table 1 and of the text's comparisons reproduces."""
    paper = " and ".join(f"{paper_lead(metric):+.4f} in {NAMES[metric]}" for metric in NAMES)
    space = ", ".join(_same_space()) or "no strategy"
    held = ", ".join(f"“{claim}”" for claim in _reproduced()) or "none"
    holds = " and ".join(f"{claim_verdict(table(recipe))} under `{recipe}`" for recipe in RECIPES)
    return "\n".join(
        [
            f"- **The claim that AutoDPQ beats the best baseline in AUC and in logloss {holds}** (three seeds, literal "
            f"reading). In the paper it does by {paper}, both starred.",
            *(f"- Ours under `{recipe}`: {_gains(recipe)}. {_levels(recipe)}" for recipe in RECIPES),
            *(f"- Ten seeds, `{recipe}`: {_ten_seeds(recipe)}" for recipe in RECIPES),
            f"- Space agrees with the paper's to the thousand for {space}. The comparisons in the paper's text, "
            f"literal reading: {_counts()}. *Direction only*: the claimed sign, but not significant after correction, "
            f"or less than half the paper's size. Reproduced under both recipes and every reading: {held}.\n",
        ]
    )


def _gains(recipe: str) -> str:
    return ", ".join(lead(table(recipe), metric) for metric in NAMES)


def _levels(recipe: str) -> str:
    part = table(recipe)
    part = part[(part["metric"] == "auc") & (part["n"] > 0)]
    gaps = part["mean"] - part["paper"]
    return f"Strategy by strategy, our AUC lies {gaps.min():+.4f} to {gaps.max():+.4f} from the paper's."


def _same_space() -> list[str]:
    """The strategies whose Space is the paper's, cut to thousands, under every recipe."""
    parts = [rows[rows["metric"] == "space"] for rows in (table(recipe) for recipe in RECIPES)]
    same = [set(part[part["mean"] // 1000 == part["paper"] // 1000]["strategy"]) for part in parts]
    return [LABELS[name] for name in STRATEGIES if all(name in each for each in same)]


def _ten_seeds(recipe: str) -> str:
    """AutoDPQ over FE by both tests, and over FE that was compressed after its training."""
    row = ten_seed_comparisons(recipe).query("metric == 'auc' and a == 'autodpq' and b == 'fe'").iloc[0]
    return (
        f"AutoDPQ minus FE is {row['effect']:+.4f} in AUC ({interval(row['low_paired'], row['high_paired'])}, paired): "
        f"{row['verdict']} ({p_in_words(row['p_paired_holm'])} paired, {p_in_words(row['p_welch_holm'])} by Welch, "
        "both corrected by Holm). Minus FE whose rare rows were stored by k-means PQ after its training, with "
        f"AutoDPQ's own (K, D): {after_training.lead(recipe)}."
    )


def _counts() -> str:
    """How many comparisons have which verdict under each recipe."""
    printed = as_printed(_comparisons())
    counts = pd.crosstab(printed["recipe"], printed["verdict"])
    order = [name for name in VERDICTS if name in counts]
    return "; ".join(
        f"under `{recipe}` " + ", ".join(f"{counts.loc[recipe, name]} {name}" for name in order) for recipe in RECIPES
    )


def _reproduced() -> list[str]:
    """The comparisons that reproduce in every recipe, and in every reading that changes them, on our split."""
    here = _comparisons().query("split == 'fixed'")
    held = here["verdict"].eq("reproduced").groupby(here["claim"], sort=False).all()
    return [str(claim) for claim in held[held].index]


def _comparisons() -> pd.DataFrame:
    return claims()[claims()["kind"] == "comparison"]


BLOCKS: dict[str, Callable[[], str]] = {
    "readings": partial(readings.summary, "laboratory"),
    "gain": gain.text,
    "conditions": needs.in_short,
    "ml-1m": movielens,
    "verdict": verdict,
    "avazu-sample": avazu_sample,
    "budget": budget.in_short,
}
