"""The end of results/conditions.md: what its tables show, and what must be so for the paper's gain."""

from __future__ import annotations

from itertools import product
from statistics import fmean

import pandas as pd

from autodpq_eval import ladder
from autodpq_eval.conditions import FROM_ZERO, HALVES, holds, must_be_so, named
from autodpq_eval.layout import LABELS
from autodpq_eval.lead import lead_between
from autodpq_eval.measures import by_seed
from autodpq_eval.paper import table_value
from autodpq_eval.plans import LADDER_RECIPE, LADDER_SEEDS
from autodpq_eval.stats import paired_effect
from autodpq_eval.words import gap, plus_minus, spanned
from autodpq_lib.config import MODELS, RECIPES
from scripts.pages.committed import RESULTS, contrast, of_model, runs_of_controls
from scripts.pages.conditions import chosen, data, seeds

#: Conditions that README shows, and what it calls them.
SHOWN = {
    "our split, literal reading": "with the formulas as printed",
    "first-order weights from zero, literal reading": "if first-order weights start at zero",
    "threshold 160": "if features are rare below 160 occurrences, not 40",
    "all together": "in the laboratory reading, with that threshold and training stopped after an epoch without a gain",
}


def paragraph() -> str:
    """What must be so, in one paragraph."""
    return f"{must_be_so(data())}\n"


def _only(row: pd.Series) -> str:
    """The gain without the seeds because of which the interval holds the paper's."""
    if not row["hangs on"]:
        return ""
    return f" (without {seeds(row['hangs on'])}: {plus_minus(row['kept'], row['kept half'])})"


def _start() -> str:
    """What first-order weights from zero do to FE, and to AutoDPQ's gain if all have them, in recipe ``paper``."""
    aucs, plain = (by_seed(runs_of_controls("paper")[name], "auc") for name in ("fe-first-order", "fe"))
    own, level = paired_effect(aucs, plain), fmean(aucs.values())
    over_fe = data().query("over == 'FE'")
    rows = over_fe[over_fe["condition"].str.startswith(FROM_ZERO)]
    fair = "; ".join(f"{gap(row)} ({row['condition'].partition(', ')[2]})" for _, row in rows.iterrows())
    return (
        "What the paper leaves unstated moves FE too: with first-order weights started at zero instead of N(0, 1), "
        f"recipe `paper`, FE's AUC changes by {gap(own)}, to {level:.4f}. If all strategies start them at zero, "
        f"AutoDPQ's gain over FE is {fair or 'not run'}."
    )


def _models() -> str:
    """What AutoDPQ leads by with each model under the laboratory reading: two have no first-order weights."""
    rows = {model: of_model("paper", model, "laboratory") for model in MODELS}
    leads = "; ".join(f"{LABELS[model]} {lead_between(each, 'auc')}" for model, each in rows.items())
    return (
        "PNN and DCN have no first-order weights, so the start of these can't make a gain there. On our split, "
        "laboratory reading, recipe `paper`, AutoDPQ minus the best baseline in AUC is, interval and first p by Welch, "
        f"not corrected: {leads}."
    )


def _added() -> str:
    """After which pretrains a part of the search adds something that five seeds show."""
    found = ladder.added(RESULTS, LADDER_RECIPE)
    clear = found[found["low"] > 0].groupby("part")["pretrain"].agg(", ".join)
    said = [f"{part}: {clear.get(part, 'none')}" for part in found["part"].unique()]
    return (
        "After a pretrain of how many epochs does a part of the search add something, by uncorrected intervals over "
        f"{len(LADDER_SEEDS)} seeds (recipe `{LADDER_RECIPE}`, literal reading)? {'; '.join(said)}. {_laboratory()}"
    )


def _laboratory() -> str:
    """What the same parts add under the laboratory reading."""
    parts, said = {"compression": "laboratory-no-compression", "Eq. 2's BatchNorm": "laboratory-no-batchnorm"}, []
    for recipe, (part, name) in product(RECIPES, parts.items()):
        row = contrast(recipe, "autodpq, reading laboratory", name)
        pairs = f"n = {row['n']:.0f}"
        said.append(f"{part} adds {spanned(row, f'`{recipe}`', pairs)}")
    return f"Under the laboratory reading, on our split, {', '.join(said)}."


def points() -> str:
    """What the tables show, a sentence or two a point."""
    return "".join(
        f"- {said}\n"
        for said in (
            _where(),
            _start(),
            _added(),
            _models(),
            _over("FE"),
            _over("Others"),
            _by_half(),
            _nearest(),
            _on_test(),
        )
    )


def in_short() -> str:
    """README's part of it: the gain over FE under the conditions that matter most."""
    assert set(SHOWN) <= set(data()["condition"]), "a condition that README shows has another name now"
    shown = data().query("over == 'FE' and condition in @SHOWN")
    said = "".join(f"- {name}: {_by_recipe(shown[shown['condition'] == key])}\n" for key, name in SHOWN.items())
    seeds = f"± half a 95 % interval, paired over {shown['n'].min():.0f} seeds, not corrected"
    return f"AutoDPQ's gain in AUC over FE ({seeds}; the paper {shown['paper'].iloc[0]:+.4f}):\n\n{said}"


def _by_recipe(rows: pd.DataFrame) -> str:
    return "; ".join(f"{gap(row)}{_only(row)} (`{row['recipe']}`)" for _, row in rows.iterrows())


def _over(baseline: str) -> str:
    """The largest gains over a baseline, what moved, and where intervals hold the paper's gain."""
    rows = _named(on_test=False).query("over == @baseline")
    best, middle = rows.loc[rows["effect"].idxmax()], rows.loc[rows["centre"].idxmax()]
    plain = rows[(rows["recipe"] == best["recipe"]) & (rows["split"] == best["split"])].iloc[0]
    ours, base = (f"{best[key] - plain[key]:+.4f}" for key in ("ours", "base"))
    largest = f" The largest by ranks is that of {_gain(middle)}." if middle["name"] != best["name"] else ""
    return (
        f"Over {baseline} the paper gains {plain['paper']:+.4f}. Where nothing is chosen on the test set, the largest "
        f"mean gain is that of {_gain(best)}: against {plain['name']}, AutoDPQ changes by {ours} and {baseline} by "
        f"{base}.{largest} {_held(rows)}"
    )


def _by_half() -> str:
    """What the conditions beside the readings gain over FE in recipe ``paper`` on the first seeds and on the others."""
    rows = _named(on_test=False).query("over == 'FE' and recipe == 'paper' and split == 'fixed' and reading == ''")
    first, second = HALVES
    rows = rows[rows["hangs on"] == ""]
    gains = "; ".join(f"*{row['condition']}* {row[first]:+.4f} and {row[second]:+.4f}" for _, row in rows.iterrows())
    return (
        "What is picked for its gain on some seeds gains less on others if it was luck. Mean gains over FE, recipe "
        f"`paper`, on {first} and on {second}, of the conditions on our split that no single seed decides: {gains}. "
        f"In {(rows[second] < rows[first]).sum()} of {len(rows)} the second is smaller."
    )


def _nearest() -> str:
    """For each AUC of the paper the condition, of those that no single seed decides, whose mean comes nearest to it."""
    every, said = _named(on_test=False), []
    rows = every[every["hangs on"] == ""]
    for strategy, name in (("autodpq", "AutoDPQ"), ("fe", "FE"), ("others", "Others")):
        paper = table_value("ml-1m", "deepfm", strategy, "auc")
        some, key = (rows, "ours") if strategy == "autodpq" else (rows[rows["over"] == name], "base")
        near = some.loc[(some[key] - paper).abs().idxmin()]
        said.append(f"{near[key]:.4f} for {name} ({paper:.4f}) under {near['name']}")
    return f"Where no single seed decides, the AUCs nearest to the paper's, each by itself: {', '.join(said)}."


def _where() -> str:
    """Where AutoDPQ, literal reading, gains and loses: on samples with a low-frequency feature, and on the others."""
    said = []
    for recipe in RECIPES:
        ours, fe = (runs_of_controls(recipe)[name] for name in ("autodpq", "fe"))
        gaps = [paired_effect(by_seed(ours, part), by_seed(fe, part)) for part in ("touched auc", "untouched auc")]
        touched, rest = map(gap, gaps)
        said.append(f"{touched} on the samples with a rare feature and {rest} on the rest (`{recipe}`)")
    return f"In AUC, AutoDPQ (literal reading) minus FE is {'; '.join(said)}."


def _on_test() -> str:
    rows = _named(on_test=True)
    said = " ".join(f"Over {over}: {_held(each)}" for over, each in rows.groupby("over"))
    return f"Conditions that choose on the test set have tables of their own. {said}"


def _named(*, on_test: bool) -> pd.DataFrame:
    """The rows in which the test set chose something, or did not, with the names of their conditions."""
    rows = chosen(on_test=on_test)
    return rows.assign(name=named(rows))


def _gain(row: pd.Series) -> str:
    return f"{row['name']}, {row['effect']:+.4f} by mean and {row['centre']:+.4f} by ranks"


def _held(rows: pd.DataFrame) -> str:
    """Under which conditions the interval holds the paper's gain, and under which it lies wholly above it."""
    held, above = holds(rows), rows["low"] > rows["paper"]
    named = rows["name"] + [_only(row) for _, row in rows.iterrows()]
    inside, beyond = (", ".join(named[which]) or "no condition" for which in (held, above))
    return f"The interval contains the paper's gain under {inside} and lies wholly above it under {beyond}."


BLOCKS = {"conditions-shown": points, "conditions-verdict": paragraph}
