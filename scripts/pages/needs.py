"""The end of results/conditions.md: what must be so for the paper's gain, in sentences made from the records."""

from __future__ import annotations

import pandas as pd

from autodpq_eval import ladder
from autodpq_eval.effects import by_seed
from autodpq_eval.layout import LABELS, plus_minus
from autodpq_eval.lead import lead
from autodpq_eval.paper import table_value
from autodpq_eval.plans import LADDER_SEEDS, TEN_SEEDS, configure
from autodpq_eval.stats import paired_effect
from autodpq_eval.tables import read_plan
from autodpq_lib.config import MODELS, RECIPES
from scripts.pages.committed import RESULTS, table, ten_seeds
from scripts.pages.conditions import data


def paragraph() -> str:
    """What must be so, in one paragraph; below it the sentences that it rests on."""
    return f"{_reached()} {_start()} {_models()} {_added()}\n\n" + points()


def _reached() -> str:
    """Which conditions reach the gain over FE, and what FE has there."""
    rows = _named(on_test=False).query("over == 'FE'")
    reach, plain = rows[rows["high"] >= rows["paper"]], rows.iloc[0]
    there = "; ".join(f"under {row['name']} {_aucs(row)}" for _, row in reach.iterrows())
    return (
        f"As we run it, {plain['name']}, {_aucs(plain)}. With nothing chosen on the test split, the interval holds the "
        f"paper's {plain['paper']:+.4f} over FE so: {there or 'nowhere'}."
    )


def _aucs(row: pd.Series) -> str:
    return f"FE has {row['base']:.4f} and AutoDPQ {row['ours']:.4f}"


def _start() -> str:
    """What first-order weights from zero do to FE, and to AutoDPQ's gain if all have them, in recipe ``paper``."""
    zero = [configure("ml-1m", "paper", "fe", seed, first_order_sd=0.0) for seed in TEN_SEEDS]
    own = paired_effect(by_seed(read_plan(RESULTS, zero)[0], "auc"), by_seed(ten_seeds("paper")["fe"], "auc"))
    rows = data().query("over == 'FE' and condition.str.startswith('first-order')")
    fair = "; ".join(f"{_gap(row)} ({row['condition'].partition(', ')[2]})" for _, row in rows.iterrows())
    return (
        "What the paper leaves unstated moves FE too: with first-order weights from zero in place of N(0, 1), recipe "
        f"`paper`, FE gains {_gap(own)}. Where all start so, AutoDPQ gains over FE: {fair or 'not run'}."
    )


def _models() -> str:
    """What AutoDPQ leads by in Table 2 under the laboratory reading: two of its models have no first-order weights."""
    rows = table("paper", 2, "laboratory")
    leads = "; ".join(f"{LABELS[model]} {lead(rows[rows['model'] == model], 'auc')}" for model in MODELS)
    return (
        "PNN and DCN have no first-order weights. In Table 2 under the laboratory reading, recipe `paper`, AutoDPQ "
        f"minus the best baseline is: {leads}."
    )


def _added() -> str:
    """After which pretrains a part of the search adds something that five seeds show."""
    found = ladder.added(RESULTS, "paper")
    clear = found[found["low"] > 0].groupby("part")["pretrain"].agg(", ".join)
    said = [f"{part} after pretrains of {clear.get(part, 'no length')}" for part in found["part"].unique()]
    return (
        f"Parts of the search that add something by {len(LADDER_SEEDS)} seeds, with the epochs of the pretrain (recipe "
        f"`paper`): {'; '.join(said)}."
    )


def _gap(row: pd.Series | dict[str, float]) -> str:
    return plus_minus(row["effect"], row["high"] - row["effect"])


def points() -> str:
    """The sentences, a point each."""
    return "".join(f"- {said}\n" for said in (_over("FE"), _over("Others"), _nearest(), _where(), _on_test()))


def in_short() -> str:
    """README's part of it: the gain over FE."""
    return f"{_over('FE')} {_start()} {_models()} {_where()}\n"


def _over(baseline: str) -> str:
    """The largest gains over a baseline, what moved, and where intervals hold the paper's gain."""
    rows = _named(on_test=False).query("over == @baseline")
    best, middle, plain = rows.loc[rows["effect"].idxmax()], rows.loc[rows["median"].idxmax()], rows.iloc[0]
    ours, base = (f"by {best[key] - plain[key]:+.4f} to {best[key]:.4f}" for key in ("ours", "base"))
    return (
        f"Over {baseline} the paper gains {plain['paper']:+.4f}. Where nothing is chosen on the test split, the "
        f"largest mean gain is that of {_gain(best)}; from {plain['name']} AutoDPQ moves {ours} and {baseline} {base}. "
        f"The largest median is that of {_gain(middle)}. The interval reaches the paper's gain under {_reaching(rows)}."
    )


def _nearest() -> str:
    """For each AUC of the paper the condition that comes nearest to it."""
    rows, said = _named(on_test=False), []
    for strategy, name in (("autodpq", "AutoDPQ"), ("fe", "FE"), ("others", "Others")):
        paper = table_value(1, "ml-1m", "deepfm", strategy, "auc")
        some, key = (rows, "ours") if strategy == "autodpq" else (rows[rows["over"] == name], "base")
        near = some.loc[(some[key] - paper).abs().idxmin()]
        said.append(f"{near[key]:.4f} for {name} ({paper:.4f}) under {near['name']}")
    return f"The AUCs nearest to the paper's, each by itself: {', '.join(said)}."


def _where() -> str:
    """Where AutoDPQ, literal reading, gains and loses: on samples with a low-frequency feature, and on the others."""
    said = []
    for recipe in RECIPES:
        ours, fe = (ten_seeds(recipe)[name] for name in ("autodpq", "fe"))
        gaps = [paired_effect(by_seed(ours, part), by_seed(fe, part)) for part in ("touched auc", "untouched auc")]
        touched, rest = map(_gap, gaps)
        said.append(f"{touched} on samples with a low-frequency feature and {rest} on the others (`{recipe}`)")
    return f"AutoDPQ minus FE, literal reading, is {'; '.join(said)}."


def _on_test() -> str:
    rows = _named(on_test=True)
    said = [f"{name}, over {over}" for over, each in rows.groupby("over") for name in [_reaching(each)]]
    return f"Where the test split chooses, the interval reaches the paper's gain under {'; '.join(said)}."


def _named(*, on_test: bool) -> pd.DataFrame:
    """The rows in which the test split chose something, or did not, with the names of their conditions."""
    rows = data()[data()["on test"] == on_test]
    return rows.assign(name="*" + rows["condition"] + "* (`" + rows["recipe"] + "`)")


def _gain(row: pd.Series) -> str:
    return f"{row['name']}, {row['effect']:+.4f} by mean and {row['median']:+.4f} by median"


def _reaching(rows: pd.DataFrame) -> str:
    """The conditions whose interval ends at or above the paper's gain, and what else is to be said of it."""
    reach = rows[rows["high"] >= rows["paper"]]
    zero, beyond = reach["low"] <= 0, reach["low"] > reach["paper"]
    notes = zero.map({True: " (holds zero too)", False: ""}) + beyond.map({True: " (lies beyond it)", False: ""})
    return ", ".join(reach["name"] + notes) or "no condition"


BLOCKS = {"conditions-verdict": paragraph}
