"""What the paper's gain could be made of: AutoDPQ over FE and over Others, under conditions that differ from ours.

Some conditions choose on the test split. They are here to be named, are marked so, and enter no other table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from autodpq_eval.effects import by_seed
from autodpq_eval.paper import table_value
from autodpq_eval.plans import TEN_SEEDS, configure, controls
from autodpq_eval.stats import effect
from autodpq_eval.tables import read_plan
from autodpq_lib.config import READINGS
from autodpq_runs.record import Record

#: AUC by seed.
Values = dict[int, float]
Reads = Callable[..., Sequence[Record]]


class Condition(NamedTuple):
    """A way to compare.

    Attributes:
        title: in words.
        ours: AUC of AutoDPQ by seed.
        fe: of FE.
        others: of Others.
        on_test: whether the test split chose anything.
    """

    title: str
    ours: Values
    fe: Values
    others: Values
    on_test: bool = False


def table(out: Path, recipe: str) -> pd.DataFrame:
    """A row a condition and baseline: mean difference over the common seeds, with the paired 95 % interval."""
    rows = [
        {"condition": each.title, "on test": each.on_test, "over": name, "paper": gap} | _paired(each.ours, other)
        for each in conditions(out, recipe)
        for name, gap, other in (("FE", gain("fe"), each.fe), ("Others", gain("others"), each.others))
    ]
    every = pd.DataFrame(rows)
    return every[every["n"] > 1].reset_index(drop=True)


def gain(baseline: str) -> float:
    """AutoDPQ's gain in AUC over a baseline, as Table 1 prints it."""
    ours, theirs = (table_value(1, "ml-1m", "deepfm", name, "auc") for name in ("autodpq", baseline))
    return ours - theirs


def conditions(out: Path, recipe: str) -> Iterator[Condition]:
    """All of them, from the records below ``out``; a run that is missing is left out, with its seed."""
    read = cache(partial(_records, out, recipe))
    ours, fe, others = (read(name) for name in ("autodpq", "fe", "others"))
    yield Condition("as run: literal reading, our split", auc(ours), auc(fe), auc(others))
    for reading in list(READINGS)[1:]:
        yield Condition(f"{reading} reading", auc(read("autodpq", reading=reading)), auc(fe), auc(others))
    for reading in READINGS:
        of, *there = (
            auc(read(name, split="laboratory", **own))
            for name, own in (("autodpq", {"reading": reading}), ("fe", {}), ("others", {}))
        )
        yield Condition(f"laboratory's split, {reading} reading", of, there[0], there[1])
    yield Condition("search without a pretrain", auc(read("no-pretrain")), auc(fe), auc(others))
    yield Condition("threshold 160", auc(read("autodpq-160")), auc(fe), auc(read("others-160")))
    yield Condition("FE stopped at the paper's AUC", auc(ours), stopped_at(fe, _paper("fe")), {}, on_test=True)
    best = [best_on_test(records) for records in (ours, fe, others)]
    yield Condition("best epoch chosen on test", best[0], best[1], best[2], on_test=True)


def auc(records: Sequence[Record]) -> Values:
    """Test AUC by seed."""
    return {seed: value for seed, value in by_seed(records, "auc").items() if value is not None}


def best_on_test(records: Sequence[Record]) -> Values:
    """The highest test AUC of the epochs that were the best so far on validation, by seed."""
    return {r.config.seed: max(point.test.auc for point in r.timeline) for r in records}


def stopped_at(records: Sequence[Record], level: float) -> Values:
    """Test AUC of the epoch whose is nearest to a level, by seed."""
    aucs = {r.config.seed: np.array([point.test.auc for point in r.timeline]) for r in records}
    return {seed: float(each[np.abs(each - level).argmin()]) for seed, each in aucs.items()}


def _paired(ours: Values, theirs: Values) -> dict[str, float]:
    """Mean, interval and n of the differences; against a constant Welch's test is that of one sample."""
    differences = {seed: ours[seed] - theirs[seed] for seed in ours.keys() & theirs.keys()}
    return {key: effect(differences, dict.fromkeys(differences, 0.0)).get(key, np.nan) for key in ("n", *_SHOWN)}


_SHOWN = ("effect", "low", "high")


def _paper(strategy: str) -> float:
    return table_value(1, "ml-1m", "deepfm", strategy, "auc")


def _records(out: Path, recipe: str, name: str, **switches: str) -> list[Record]:
    """The records of a strategy, or of a control by its id, ten seeds or as many as there are."""
    known = {control.id: control for control in controls()}
    make = known[name].config if name in known else None
    plan = [
        make("ml-1m", recipe, seed) if make else configure("ml-1m", recipe, name, seed, **switches)
        for seed in TEN_SEEDS
    ]
    return read_plan(out, plan)[0]


def draw(tables: dict[str, pd.DataFrame]) -> Figure:
    """A panel a baseline, a row a condition, a mark a recipe; the paper's gain as a line."""
    names = list(dict.fromkeys(name for each in tables.values() for name in each["condition"]))
    figure, axes = plt.subplots(1, 2, figsize=(11, 0.4 * len(names) + 1.6), sharey=True, layout="constrained")
    for axis, over in zip(axes, ("FE", "Others"), strict=True):
        for (recipe, every), marker, colour, lift in zip(
            tables.items(), "os", sns.color_palette("colorblind"), (-0.13, 0.13), strict=False
        ):
            of = every[every["over"] == over]
            y = [names.index(name) + lift for name in of["condition"]]
            errors = [of["effect"] - of["low"], of["high"] - of["effect"]]
            axis.errorbar(of["effect"], y, xerr=errors, fmt=marker, color=colour, ms=5, lw=2, label=f"recipe {recipe}")
        claim = next(iter(tables.values())).query("over == @over")["paper"].iloc[0]
        axis.axvline(claim, color="black", ls="--", lw=1.2, label="the paper's gain")
        axis.axvline(0, color="0.3", lw=1)
        axis.set_xlabel(f"AutoDPQ minus {over}, test AUC, paired 95 % interval")
        axis.xaxis.set_major_locator(MaxNLocator(6))
        axis.set_title(f"over {over}; the paper: {claim:+.4f}", loc="left", fontsize=10)
    axes[0].set(yticks=range(len(names)), yticklabels=names)
    axes[0].invert_yaxis()
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=9)
    figure.suptitle("AutoDPQ's gain under other conditions", x=0.01, ha="left", fontweight="bold")
    sns.despine(figure)
    return figure
