"""results/README.md: Tables 1 and 2 of both recipes, ten seeds, the ledger's counts, and the cost."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from autodpq_eval import power
from autodpq_eval.batch import TABLE_SEEDS
from autodpq_eval.cost import costs, epoch_seconds, wall_minutes, whole
from autodpq_eval.decisions import agreement, sureness
from autodpq_eval.layout import NAMES, as_markdown, markdown
from autodpq_eval.lead import paper_lead
from autodpq_eval.ledger import counts
from autodpq_eval.measures import by_seed
from autodpq_eval.plans import configure
from autodpq_eval.stats import MARGIN
from autodpq_eval.tables import read_plan
from autodpq_eval.verdicts import on_number
from autodpq_eval.words import TESTED, interval, spanned, tested
from autodpq_lib.config import RECIPES
from scripts.pages import committed, figure3, parts, weight
from scripts.pages.committed import both_tables, claims, runs, table, ten_seed_comparisons

#: Of ten seeds; Grid's is the pair that Table 1's Grid found best.
BASELINES = {"fe": "FE", "others": "Others", "grid": "Grid's best pair"}

#: Searches whose decisions are shown -> their runs among those of the controls.
SEARCHES = {
    "literal": "autodpq",
    "literal, without Eq. 2's BatchNorm": "no-batchnorm",
    "text": "autodpq, reading text",
    "laboratory": "autodpq, reading laboratory",
}

#: Share of the seeds that choose one pair, from which on they agree.
AGREED = 0.9

#: DeepFM on MovieLens-1M on RecBole's page of hyper-parameters for context-aware models.
RECBOLE = 0.8997


def ten_seeds() -> str:
    """AutoDPQ against FE, Others and Grid's best pair: differences with their intervals, and all tests corrected."""
    head = ["AutoDPQ over", "metric", "recipe", "difference", *TESTED]
    return markdown(head, [row for recipe in RECIPES for row in _ten_seeds(recipe)])


def _ten_seeds(recipe: str) -> list[list[str]]:
    return [
        [
            *(BASELINES[row["b"]], NAMES[row["metric"]], f"`{recipe}`", f"{row['effect']:+.4f}"),
            *tested(row),
        ]
        for _, row in ten_seed_comparisons(recipe).query("a == 'autodpq'").iterrows()
    ]


def ten_seeds_apart() -> str:
    """How far the gain over FE hangs on the split: the samples of one, by bootstrap, and others, drawn anew."""
    return " ".join(map(_apart, RECIPES)) + "\n"


def _apart(recipe: str) -> str:
    drawn = pd.read_csv(committed.RESULTS / "ml-1m" / recipe / "tables" / "bootstrap.csv")
    row = drawn.query("a == 'autodpq' and b == 'fe'").iloc[0]
    other = committed.contrast(recipe, "autodpq-split", "fe-split")
    seeds = f"{other['n']:.0f} seeds"
    return (
        f"Recipe `{recipe}`, AutoDPQ over FE: {row['gap']:+.4f}, over resamples of its test samples "
        f"{interval(row['low'], row['high'])}; with the split redrawn {spanned(other, seeds)}."
    )


def of_power() -> str:
    """Power and exaggeration at a true gap of 0.001, at the spread that AutoDPQ has over ten seeds, and its pairs.

    Beside them Welch's power at the paper's lead over the best baseline.
    """
    head = ["recipe", "metric", "sd over seeds", "runs", "power, Welch", "power, paired", "exaggeration"]
    head += ["sd of pairs with FE", "power, paired, at that", "power, Welch, at the paper's lead"]
    return markdown(head, [row for recipe in RECIPES for row in _power(recipe)])


def _power(recipe: str) -> list[list[str]]:
    ours, fe = (committed.runs_of_controls(recipe)[name] for name in ("autodpq", "fe"))
    each = {key: [pd.Series(by_seed(side, key), dtype=float) for side in (ours, fe)] for key in ("auc", "logloss")}
    pairs = {key: (mine - theirs).std() for key, (mine, theirs) in each.items()}
    return [
        [
            *(f"`{recipe}`", NAMES[row["metric"]], f"{row['sd']:.4f}", f"{row['runs']}"),
            *(f"{row['welch']:.0%}", f"{row['paired']:.0%}", f"{row['exaggeration']:.1f}"),
            *(f"{(sd := pairs[row['metric']]):.4f}", f"{power.of_pairs(MARGIN, sd, row['runs']):.0%}"),
            f"{power.power(paper_lead(row['metric']), row['sd'], row['runs']).welch:.0%}",
        ]
        for _, row in power.table({key: mine.std() for key, (mine, _) in each.items()}).iterrows()
    ]


def decided() -> str:
    """How often seeds agree on a pair and how sure the search was, by recipe and reading, with Eq. 2 and without."""
    head = [
        "recipe",
        "reading",
        "seeds",
        "most frequent pair of each field, or those that tie, its share of the seeds",
        "by chance",
    ]
    rows = [_decided(recipe, *each) for recipe in RECIPES for each in SEARCHES.items()]
    table = markdown([*head, "entropy of a field's weights"], [row for row in rows if row])
    agreed = "; ".join(filter(None, map(_agreed, SEARCHES)))
    return (
        f"{table}\nFields for which at least {AGREED:.0%} of the seeds choose one pair: {agreed or 'none'}. Under the "
        f"literal reading the entropy is at least {math.floor(100 * _least_entropy())}% of that of no preference.\n"
    )


def _agreed(name: str) -> str:
    """The fields on which the seeds of a search agree, by recipe."""
    each = {recipe: agreement(committed.runs_of_controls(recipe)[SEARCHES[name]]) for recipe in RECIPES}
    fields = {recipe: ", ".join(rows.index[rows["share"] >= AGREED]) for recipe, rows in each.items()}
    return "; ".join(f"{which} ({name}, `{recipe}`)" for recipe, which in fields.items() if which)


def _least_entropy() -> float:
    """Of a field's weights under the literal reading, as a share of the entropy of no preference."""
    each = [committed.runs_of_controls(recipe)[SEARCHES["literal"]] for recipe in RECIPES]
    least = min(sureness(records).drop(columns=["tau", "changed"]).min().min() for records in each)
    return float(least / np.log(len(each[0][0].config.candidates)))


def _decided(recipe: str, name: str, key: str) -> list[str]:
    records = committed.runs_of_controls(recipe)[key]
    if not records:
        return []
    found, sure = agreement(records), sureness(records).drop(columns=["tau", "changed"])
    low, high = sure.min().min(), sure.max().max()
    pairs = [f"{field} {_share(row)}" for field, row in found.iterrows()]
    chance = f"{found['share by chance'].iloc[0]:.0%}"
    return [f"`{recipe}`", name, str(len(records)), "; ".join(pairs), chance, f"{low:.2f} to {high:.2f}"]


def _share(row: pd.Series) -> str:
    """``(8, 2) 50%``, and *each* where pairs tie."""
    return f"{row['most frequent']} {'each ' if ' and ' in row['most frequent'] else ''}{row['share']:.0%}"


def calibration() -> str:
    """Our DeepFM in RecBole's setting, beside what its benchmark page prints, by the rule for a number of the paper."""
    plan = [configure("ml-1m-recbole", "tuned", "fe", seed) for seed in TABLE_SEEDS]
    aucs = by_seed(read_plan(committed.RESULTS, plan)[0], "auc")
    judged = on_number(aucs, RECBOLE)
    if len(aucs) < 2:
        return "Not run yet.\n"
    rows = [["RecBole's page", f"{RECBOLE:.4f}", ""]]
    rows += [["ours", f"{judged['ours']:.4f}, {len(aucs)} seeds", f"{judged['low']:.4f} to {judged['high']:.4f}"]]
    said = f"By the rule for a number of the paper: {judged['verdict']}. RecBole tuned this setting, we did not."
    return f"{markdown(['', 'test AUC', '95 % interval'], rows)}\n{said}\n"


def ledger() -> str:
    """Rows of the ledger by kind, verdict and recipe, and what they weigh."""
    found = counts(claims()).reset_index()
    return f"{markdown(list(found.columns), found.astype(str).to_numpy().tolist())}\n{weight.text(claims())}"


def cost() -> str:
    """Seconds an epoch, AutoDPQ's parts in FE trainings, and the whole batch, by recipe."""
    head = (
        "recipe",
        "FE, seconds an epoch",
        "FE, seconds in all",
        "AutoDPQ in FE trainings, three seeds: pretrain + search + retrain",
        "all runs, minutes",
        "core-minutes",
        "core-seconds a pass",
    )
    return markdown(head, [_cost(recipe) for recipe in RECIPES])


def _cost(recipe: str) -> list[str]:
    records = runs(recipe).records
    each: pd.DataFrame = costs(records)
    units = each["seconds, in FE trainings"]
    parts = " + ".join(f"{units[f'AutoDPQ: {part}']:.2f}" for part in ("pretrain", "search", "retrain"))
    minutes, a_pass = whole(both_tables(recipe))
    return [
        *(f"`{recipe}`", f"{epoch_seconds(records):.2f}", f"{each.loc['FE', 'seconds']:.0f}"),
        f"{parts} = {units['AutoDPQ']:.2f}",
        *(f"{wall_minutes(both_tables(recipe)):.0f}", f"{minutes:.0f}", f"{a_pass:.2f}"),
    ]


BLOCKS = {
    "table1-paper": lambda: as_markdown(table("paper")),
    "table1-tuned": lambda: as_markdown(table("tuned")),
    "table2-paper": lambda: as_markdown(table("paper", 2)),
    "table2-tuned": lambda: as_markdown(table("tuned", 2)),
    "figure3-random": figure3.random_curve,
    "ten-seeds": ten_seeds,
    "ten-seeds-apart": ten_seeds_apart,
    "decided": decided,
    "power": of_power,
    "calibration": calibration,
    "ledger": ledger,
    "cost": cost,
    "parts": parts.table,
}
