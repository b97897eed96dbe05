"""What the paper's gain could be made of: AutoDPQ over FE and over Others, under conditions that differ from ours.

Some conditions choose on the test split. They are here to be named, are marked so, and have tables of their own.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from autodpq_eval import readings
from autodpq_eval.effects import runs_of_controls
from autodpq_eval.lead import gain
from autodpq_eval.measures import by_seed
from autodpq_eval.paper import table_value
from autodpq_eval.plans import TEN_SEEDS, all_together, threshold_from_zero
from autodpq_eval.readings import Groups
from autodpq_eval.stats import MARGIN, by_ranks, common, paired_beside_welch, paired_effect, with_intervals
from autodpq_eval.tables import read_plan
from autodpq_lib.config import READINGS, RECIPES
from autodpq_runs.record import Record

#: AUC by seed.
Values = dict[int, float]
FROM_ZERO = "first-order weights from zero"
#: First word of the controls' ids -> title.
CONVENTION_TITLES = {
    "order": "laboratory's split, laboratory reading, one order in all epochs",
    "all": "laboratory's split, laboratory reading, all conventions",
}
#: Column of the table -> its seeds.
HALVES = {"seeds 1 to 5": TEN_SEEDS[:5], "seeds 6 to 10": TEN_SEEDS[5:]}


class Condition(NamedTuple):
    """A way to compare.

    Attributes:
        title: in words.
        ours: AUC of AutoDPQ by seed.
        fe: of FE.
        others: of Others.
        on_test: whether the test split chose anything.
        reading: of AutoDPQ, where the condition is a reading and nothing else.
        split: of the data.
    """

    title: str
    ours: Values
    fe: Values
    others: Values
    on_test: bool = False
    reading: str = ""
    split: str = "fixed"


def table(out: Path, recipe: str) -> pd.DataFrame:
    """A row a condition and baseline: mean AUCs over the common seeds, the paired difference with its 95 % interval.

    With p of both tests and of equivalence, none corrected, the difference and its interval by ranks, the seeds that
    the paired interval :func:`hangs_on`, what it is without them, and the mean differences by :data:`HALVES`.
    """
    rows = [
        {"recipe": recipe, "condition": each.title, "reading": each.reading, "split": each.split}
        | {"on test": each.on_test, "over": name, "paper": gap}
        | _compared(each.ours, other, gap)
        for each in conditions(out, recipe)
        for name, gap, other in (
            ("FE", gain("auc", "fe"), each.fe),
            ("Others", gain("auc", "others"), each.others),
        )
    ]
    return with_intervals(rows)


def _compared(ours: Values, baseline: Values, gap: float) -> dict[str, Any]:
    alone = hangs_on(ours, baseline, gap)
    rest = paired_effect(_on({*ours} - {*alone}, ours), baseline)
    return (
        paired_beside_welch(ours, baseline)
        | by_ranks(ours, baseline)
        | {"hangs on": ", ".join(map(str, alone)), "kept": rest["effect"], "kept half": rest["high"] - rest["effect"]}
        | levels(ours, baseline)
        | {half: paired_effect(_on(seeds, ours), baseline)["effect"] for half, seeds in HALVES.items()}
    )


def _on(seeds: Container[int], values: Values) -> Values:
    return {seed: value for seed, value in values.items() if seed in seeds}


def hangs_on(ours: Values, baseline: Values, gap: float) -> list[int]:
    """The seeds without any one of which the paired interval no longer holds a gap."""
    both = paired_effect(ours, baseline)
    if not both["low"] <= gap <= both["high"]:
        return []
    left = {seed: paired_effect({other: ours[other] for other in ours if other != seed}, baseline) for seed in ours}
    return [seed for seed, one in sorted(left.items()) if gap < one["low"] or one["high"] < gap]


def levels(ours: Values, baseline: Values) -> dict[str, float]:
    """Mean AUC of both over the common seeds: a gain may be a baseline's loss."""
    both = zip(("ours", "base"), common(ours, baseline), strict=True)
    return {name: float(np.mean([*aucs.values()] or [np.nan])) for name, aucs in both}


def conditions(out: Path, recipe: str) -> Iterator[Condition]:
    """All of them, from the records below ``out``; a run that is missing is left out, with its seed."""
    runs = runs_of_controls(out, "ml-1m", recipe)
    here = readings.on_ten_seeds(out, recipe, "fixed")
    yield from _readings(here, "fixed", "our split")
    yield from _readings(readings.on_ten_seeds(out, recipe, "laboratory"), "laboratory", "laboratory's split")
    aucs = {name: by_seed(records, "auc") for name, records in runs.items()}
    yield from _controls(aucs)
    yield from _from_zero(out, recipe, aucs)
    yield from _together(out, recipe)
    yield from _on_test(runs, here)


def _readings(runs: Groups, split: str, place: str) -> Iterator[Condition]:
    """AutoDPQ under each reading, and the baselines, on a split."""
    aucs = {name: by_seed(records, "auc") for name, records in runs.items()}
    for reading in READINGS:
        title, ours = f"{place}, {reading} reading", aucs[f"AutoDPQ, {reading}"]
        yield Condition(title, ours, aucs["FE"], aucs["Others"], reading=reading, split=split)


def _controls(aucs: dict[str, Values]) -> Iterator[Condition]:
    yield Condition("search without a pretrain", aucs["no-pretrain"], aucs["fe"], aucs["others"])
    impatient = [aucs[f"{name}-impatient"] for name in ("autodpq", "fe", "others")]
    yield Condition("patience 1", impatient[0], impatient[1], impatient[2])
    yield Condition("patience 1, FE with two more trainings", impatient[0], aucs["fe-impatient-extra"], {})
    yield Condition("threshold 160", aucs["autodpq-160"], aucs["fe"], aucs["others-160"])
    for convention, title in CONVENTION_TITLES.items():
        ours, fe, others = (aucs[f"{convention}-{name}"] for name in ("laboratory", "fe", "others"))
        yield Condition(title, ours, fe, others, split="laboratory")


def _from_zero(out: Path, recipe: str, aucs: dict[str, Values]) -> Iterator[Condition]:
    """First-order weights from zero, which is the other recipe's start: of all strategies, and of FE alone."""
    if not RECIPES[recipe].first_order_sd:
        return
    fe, others = (aucs[f"{name}-first-order"] for name in ("fe", "others"))
    for name, title in (("autodpq", "literal reading"), ("laboratory", "laboratory reading")):
        yield Condition(f"{FROM_ZERO}, {title}", aucs[f"{name}-first-order"], fe, others)
    both = by_seed(read_plan(out, threshold_from_zero("ml-1m", recipe))[0], "auc")
    yield Condition(f"{FROM_ZERO}, threshold 160", both, fe, {})
    yield Condition("threshold 160, FE's first-order weights alone from zero", aucs["autodpq-160"], fe, {})


def _together(out: Path, recipe: str) -> Iterator[Condition]:
    """Laboratory reading, threshold 160 and patience 1 at once; then the epoch chosen on test, too."""
    runs = readings.groups(out, [all_together("ml-1m", recipe, seed) for seed in TEN_SEEDS])
    each = [runs[name] for name in ("autodpq", "fe", "others")]
    title = "all together"
    ours, fe, others = (by_seed(records, "auc") for records in each)
    yield Condition(title, ours, fe, others)
    ours, fe, others = map(best_on_test, each)
    yield Condition(f"{title}; best epoch chosen on test", ours, fe, others, on_test=True)


def _on_test(runs: Groups, under: Groups) -> Iterator[Condition]:
    """What the test split chooses: where FE stops, the epochs, and AutoDPQ's reading."""
    plain = by_seed(runs["autodpq"], "auc")
    stopped = stopped_at(runs["fe"], table_value("ml-1m", "deepfm", "fe", "auc"))
    yield Condition("FE stopped at the paper's AUC", plain, stopped, {}, on_test=True)
    ours, fe, others = (best_on_test(runs[name]) for name in ("autodpq", "fe", "others"))
    yield Condition("best epoch chosen on test", ours, fe, others, on_test=True)
    each = [best_on_test(under[f"AutoDPQ, {reading}"]) for reading in READINGS]
    best = {seed: max(aucs[seed] for aucs in each) for seed in set.intersection(*map(set, each))}
    yield Condition("best epoch and best reading chosen on test", best, fe, others, on_test=True)


def best_on_test(records: Sequence[Record]) -> Values:
    """The highest test AUC, by seed, of the epochs of the last stage that were the best so far on validation."""
    lines = {record.config.seed: record.timeline for record in records}
    return {seed: max(p.test.auc for p in line if p.stage == line[-1].stage) for seed, line in lines.items()}


def stopped_at(records: Sequence[Record], level: float) -> Values:
    """Test AUC, by seed, of the epoch, among those that were the best so far on validation, nearest to a level."""
    aucs = {r.config.seed: np.array([point.test.auc for point in r.timeline]) for r in records}
    return {seed: float(each[np.abs(each - level).argmin()]) for seed, each in aucs.items()}


def holds(rows: pd.DataFrame) -> pd.Series:
    """Whether an interval holds the paper's gain."""
    return (rows["low"] <= rows["paper"]) & (rows["paper"] <= rows["high"])


def named(rows: pd.DataFrame) -> pd.Series:
    """``*threshold 160* (`paper`)``."""
    return "*" + rows["condition"] + "* (`" + rows["recipe"] + "`)"


def must_be_so(table: pd.DataFrame) -> str:
    """What has to come together for the paper's gain over FE, and which condition comes nearest to it, as a list.

    What is nearest, and which intervals hold the gain, is told of conditions that no single seed decides.
    """
    fe, ours = (table_value("ml-1m", "deepfm", name, "auc") for name in ("fe", "autodpq"))
    rows = table[(table["over"] == "FE") & ~table["on test"]]
    rows = rows.assign(name=named(rows), ours=rows["ours"] - ours, base=rows["base"] - fe)
    firm = rows[rows["hangs on"] == ""]
    near, largest = firm.loc[(firm["ours"] ** 2 + firm["base"] ** 2).idxmin()], rows.loc[rows["centre"].idxmax()]
    plain, fe_near, ours_near = rows.iloc[0], *(rows[side].abs() < MARGIN for side in ("base", "ours"))
    said = rows["name"] + [f" (its gain hangs on seed {seeds})" * bool(seeds) for seeds in rows["hangs on"]]
    reached = [", ".join(said[near]) or "none" for near in (fe_near, ours_near, fe_near & ours_near)]
    return (
        f"**What must be so**: FE at {fe:.4f} and AutoDPQ at {ours:.4f}, with nothing chosen on the test set.\n\n"
        f"- Under {plain['name']} FE is off by {plain['base']:+.4f} and AutoDPQ by {plain['ours']:+.4f}.\n"
        f"- Within {MARGIN:g} of the paper's FE: {reached[0]}; of its AutoDPQ: {reached[1]}; of both: {reached[2]}.\n"
        "- A gain *hangs on a seed* if its interval holds the paper's gain with that seed and not without it. Of the "
        f"conditions whose gain hangs on none, the nearest to both is {near['name']}: FE is off by "
        f"{near['base']:+.4f}, AutoDPQ by {near['ours']:+.4f}.\n"
        "- Conditions under which the interval holds the paper's gain, whichever seed is left out: "
        f"{', '.join(firm['name'][holds(firm)]) or 'none'}.\n"
        f"- The largest gain by ranks is that of {largest['name']}, {largest['effect']:+.4f} by mean and "
        f"{largest['centre']:+.4f} by ranks."
    )
