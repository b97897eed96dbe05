"""README.md: one table a data set, and what they say, in sentences made from the numbers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import product

import pandas as pd

from autodpq_eval.layout import LABELS, NAMES, interval, judged, layout, markdown, p_in_words, plus_minus
from autodpq_eval.lead import below, lead_between, over_best, paper_lead
from autodpq_eval.lead import verdict as claim_verdict
from autodpq_eval.ledger import as_printed
from autodpq_eval.paper import gain as gain_of_paper
from autodpq_eval.references import references
from autodpq_eval.stats import BETTER
from autodpq_eval.tables import METRICS, build, collect
from autodpq_lib.config import READINGS, RECIPES, STRATEGIES
from benchmarks import after_training
from scripts.pages import aims, budget, conditions, gain, needs, over_random, readings, robust
from scripts.pages.avazu import without_embeddings
from scripts.pages.committed import RESULTS, SEEDS, claims, contrasts, table, ten_seed_comparisons

#: The contrast that tells what compression adds to the gain over FE.
COMPRESSION = "AutoDPQ over its machinery: compression"
#: Of FE's bytes, for the answer in short.
SHARE = 0.0625
#: Model and metric of the leads over the best baseline that README shows.
LEADS = (("deepfm", "auc"), ("deepfm", "logloss"), ("pnn", "auc"), ("dcn", "auc"))
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
        f"In AUC these stay below {plain['auc'].idxmax()}: {_worse(tables, 'auc', plain['auc'].max())}. "
        f"In logloss these are worse than the constant predictor: {_worse(tables, 'logloss', constant)}.\n"
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


def answer() -> str:
    """Whether the paper's claim reproduces, what its best reading gives, and what an engineer should do."""
    (row,) = (each for each in aims.verdicts(budget.RECIPE) if each["share"] == SHARE)
    return (
        f"**In short.** With its formulas as printed, the claim that AutoDPQ beats the best baseline {_holds()}. "
        f"{_most()} To shrink a trained embedding, compress it after training: at {row['share']:.1%} of FE's bytes AUC "
        f"changes by {plus_minus(row['difference'], row['half'])} (recipe `{budget.RECIPE}`; `make compress`, "
        "[below](#shrink-a-trained-embedding)).\n"
    )


def _holds() -> str:
    said = {recipe: claim_verdict(table(recipe)) for recipe in RECIPES}
    if len(set(said.values())) == 1:
        return f"{next(iter(said.values()))}, under either recipe"
    return " and ".join(f"{each} under `{recipe}`" for recipe, each in said.items())


def _most() -> str:
    """The reading and recipe that give the largest gain over FE, and what they give over the best baseline."""
    rows = conditions.data().query("over == 'FE' and condition.str.startswith('our split')")
    best = rows.loc[rows["effect"].idxmax()]
    reading, recipe = best["condition"].split()[2], best["recipe"]
    return (
        f"Of three readings of the paper the *{reading}* one, in recipe `{recipe}`, gains most: {best['effect']:+.4f} "
        f"over FE (the paper {best['paper']:+.4f}) and {over_random.in_words(recipe, reading)}."
    )


def verdict() -> str:
    """What of Table 1 and of the text's comparisons reproduces."""
    space = ", ".join(_same_space()) or "no strategy"
    return (
        f"**The claim that AutoDPQ beats the best baseline in AUC and in logloss {_holds()}** (literal reading). "
        "A row that begins with *over* is positive where AutoDPQ is better; p is not corrected where that is not "
        "said. Intervals have 95 %; over the best baseline, they and p are Welch's, and *against it* says that "
        f"AutoDPQ is behind with p < 0.05:\n\n{_leads()}\n"
        f"{_below()} Space agrees with the paper's to the thousand for {space}. *Direction only*: the claimed sign, "
        "but not significant after correction, or less than half the paper's size. Reproduced in every case (recipe, "
        f"reading and split) that has the runs: {robust.everywhere()}. {robust.by_a_reading()}\n"
    )


def _leads() -> str:
    """What AutoDPQ leads by and costs, and how the text's comparisons were judged: the paper and a column a recipe."""
    ten = str(min(_against_fe(recipe)["n"] for recipe in RECIPES))
    rows = [
        *(_over_best(model, metric) for model, metric in LEADS),
        [
            "over FE, AUC, paired; p corrected by Holm",
            ten,
            f"{gain_of_paper('auc', 'fe'):+.4f}",
            *map(_over_fe, RECIPES),
        ],
        ["of which compression: over its machinery without it, AUC", ten, "–", *map(_compression, RECIPES)],
        ["over FE with its rare rows by k-means PQ after training, AUC", ten, "–", *map(after_training.lead, RECIPES)],
        ["cost, in FE trainings", ten, _cost_row("paper")["paper"], *map(_cost, RECIPES)],
        [f"claims of the text, by reading: {', '.join(VERDICTS)}", "", "", *map(_counts, RECIPES)],
    ]
    return markdown(["AutoDPQ", "seeds", "the paper", *(f"recipe `{recipe}`" for recipe in RECIPES)], rows)


def _over_best(model: str, metric: str) -> list[str]:
    leads = [lead_between(_of_model(recipe, model), metric) for recipe in RECIPES]
    about = f"over the best baseline, {LABELS[model]}, {NAMES[metric]}"
    return [about, str(len(SEEDS)), f"{paper_lead(metric, model):+.4f}", *leads]


def _of_model(recipe: str, model: str) -> pd.DataFrame:
    """A model's rows of Table 1, or of Table 2 where that alone has it."""
    rows = table(recipe, 1 if model == "deepfm" else 2)
    return rows[rows["model"] == model]


def _below() -> str:
    """How many intervals of :func:`_over_best` exclude the paper's lead, and which do not."""
    every = {
        f"{LABELS[model]}, {NAMES[metric]}, `{recipe}`": (each, paper_lead(metric, model))
        for (model, metric), recipe in product(LEADS, RECIPES)
        if (each := over_best(_of_model(recipe, model), metric))
    }
    return below(every)


def _same_space() -> list[str]:
    """The strategies whose Space is the paper's, cut to thousands, under every recipe."""
    parts = [rows[rows["metric"] == "space"] for rows in (table(recipe) for recipe in RECIPES)]
    same = [set(part[part["mean"] // 1000 == part["paper"] // 1000]["strategy"]) for part in parts]
    return [LABELS[name] for name in STRATEGIES if all(name in each for each in same)]


def _over_fe(recipe: str) -> str:
    row = _against_fe(recipe)
    return f"{judged(row)}; {p_in_words(row['p_paired_holm'])} paired, {p_in_words(row['p_welch_holm'])} by Welch"


def _against_fe(recipe: str) -> pd.Series:
    return ten_seed_comparisons(recipe).query("metric == 'auc' and a == 'autodpq' and b == 'fe'").iloc[0]


def _cost(recipe: str) -> str:
    row = _cost_row(recipe)
    if row["verdict"] == "missing":
        return "not run"
    return f"{row['ours']:.1f} ({row['low']:.1f} to {row['high']:.1f}, {row['verdict']})"


def _cost_row(recipe: str) -> pd.Series:
    rows = as_printed(claims())
    return rows[(rows["id"] == "autodpq-cost") & (rows["recipe"] == recipe)].iloc[0]


def _compression(recipe: str) -> str:
    row = contrasts(recipe).set_index("contrast").loc[COMPRESSION]
    return f"{row['effect']:+.4f} ({interval(row['low'], row['high'])}, {p_in_words(row['p_paired'])})"


def _counts(recipe: str) -> str:
    """How many comparisons on our split have each of :data:`VERDICTS`, reading by reading."""
    rows = robust.comparisons().query("split == 'fixed'")
    found = rows[rows["recipe"] == recipe].groupby("reading")["verdict"].value_counts()
    return "; ".join(
        f"{reading} " + " / ".join(str(found.get((reading, name), 0)) for name in VERDICTS) for reading in READINGS
    )


BLOCKS: dict[str, Callable[[], str]] = {
    "answer": answer,
    "readings": partial(readings.summary, "laboratory"),
    "gain": gain.text,
    "conditions": needs.in_short,
    "ml-1m": movielens,
    "verdict": verdict,
    "avazu-sample": avazu_sample,
    "budget": budget.in_short,
}
