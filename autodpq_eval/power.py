"""What so many runs can show at a given spread over seeds: power of both tests, and how starred gaps exaggerate."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from autodpq_eval.layout import NAMES
from autodpq_eval.lead import gain
from autodpq_eval.stats import LEVEL, MARGIN

#: Experiments in a simulation; true gaps, up to beyond the paper's in logloss.
DRAWS, GAPS = 20_000, np.linspace(0, 0.006, 25)
#: Numbers of runs, and a shape for each.
RUNS = {3: "o", 5: "s", 10: "^"}


class Power(NamedTuple):
    """What simulated experiments with a true gap find.

    Attributes:
        welch: share in which Welch's test finds it, in the right direction, at p < 0.05.
        paired: share in which the paired test does.
        exaggeration: mean size of the gaps that Welch's test finds, in either direction, over the true one (the
            type M error of Gelman and Carlin, 2014); NaN where it finds none.
    """

    welch: float
    paired: float
    exaggeration: float


@cache
def power(gap: float, sd: float, runs: int) -> Power:
    """Power by simulation, with a normally distributed metric.

    The two runs of a pair are drawn independently: sharing a seed correlates them only a little.

    Args:
        gap: between the true means.
        sd: spread of a strategy's metric over seeds, the same for both.
        runs: seeds of each strategy.
    """
    rng = np.random.default_rng(0)
    a, b = rng.normal(gap, sd, (DRAWS, runs)), rng.normal(0, sd, (DRAWS, runs))
    tests = stats.ttest_ind(a, b, axis=1, equal_var=False), stats.ttest_rel(a, b, axis=1)
    welch, paired = (float(((test.pvalue < LEVEL) & (test.statistic > 0)).mean()) for test in tests)
    shown = np.abs(a.mean(1) - b.mean(1))[tests[0].pvalue < LEVEL]
    return Power(welch, paired, float(shown.mean() / gap) if gap and len(shown) else float("nan"))


def of_pairs(gap: float, sd: float, runs: int) -> float:
    """Power of the paired test in the right direction, exactly, where the differences of pairs spread by ``sd``."""
    least = stats.t.ppf(1 - LEVEL / 2, runs - 1)
    return float(stats.nct.sf(least, runs - 1, gap / sd * np.sqrt(runs)))


def table(spreads: dict[str, float]) -> pd.DataFrame:
    """Power and exaggeration at a true gap of :data:`MARGIN`, a row a metric and number of runs."""
    rows = [
        {"metric": metric, "sd": sd, "runs": runs, **power(MARGIN, sd, runs)._asdict()}
        for metric, sd in spreads.items()
        for runs in RUNS
    ]
    return pd.DataFrame(rows)


def draw(spreads: dict[str, float]) -> Figure:
    """Power of both tests against the true gap, a panel a metric; the margin and the paper's gap are marked."""
    figure, axes = plt.subplots(1, len(spreads), figsize=(10, 4), sharey=True, squeeze=False, layout="constrained")
    for axis, (metric, sd) in zip(axes[0], spreads.items(), strict=True):
        _curves(axis, sd)
        for gap, name in ((MARGIN, f"{MARGIN:g}"), (gain(metric, "random"), "paper's gap")):
            _mark(axis, gap, name)
        axis.set(xlabel=f"true difference in {NAMES[metric]}", xticks=GAPS[::4], ylim=(0, 1.1))
        axis.set_title(f"{NAMES[metric]}, sd {sd:.4f} over seeds", pad=14, loc="left", fontsize=10)
    figure.suptitle("What a number of runs can show, by the spread over seeds", x=0.01, ha="left", fontweight="bold")
    axes[0, 0].set_ylabel(f"probability of p < {LEVEL:g}\nand the right sign")
    axes[0, -1].legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    figure.set_label(
        f"Rising curves of power, the probability of p < {LEVEL:g} and the right sign, against the true difference. "
        f"Welch's test at {MARGIN:g}: {_said(spreads)}."
    )
    return figure


def _curves(axis: Axes, sd: float) -> None:
    """A colour and a shape a number of runs; Welch's test is drawn through, the paired one dashed."""
    for (runs, marker), colour in zip(RUNS.items(), sns.color_palette("colorblind"), strict=False):
        powers = [power(gap, sd, runs) for gap in GAPS]
        look: dict[str, Any] = {"color": colour, "marker": marker, "ms": 5, "markevery": 4}
        axis.plot(GAPS, [each.welch for each in powers], "-", label=f"{runs} runs, Welch", **look)
        axis.plot(GAPS, [each.paired for each in powers], "--", label=f"{runs} runs, paired", **look)


def _mark(axis: Axes, gap: float, name: str) -> None:
    """A dotted line at a gap, named above the axis."""
    axis.axvline(gap, color="0.5", lw=0.8, ls=":")
    above = ("data", "axes fraction")
    axis.annotate(name, (gap, 1), (0, 3), xycoords=above, textcoords="offset points", ha="center", fontsize=8)


def _said(spreads: dict[str, float]) -> str:
    shares = [(metric, runs, power(MARGIN, sd, runs).welch) for metric, sd in spreads.items() for runs in RUNS]
    return ", ".join(f"{NAMES[metric]} {share:.0%} with {runs} runs" for metric, runs, share in shares)
