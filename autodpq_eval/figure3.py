"""Figure 3: test AUC of what is best on validation so far, against the cost so far in FE trainings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from autodpq_eval.cost import fe_unit
from autodpq_eval.figure_files import save
from autodpq_eval.figures import COLOURS
from autodpq_eval.layout import LABELS, as_csv
from autodpq_eval.paper import published
from autodpq_eval.plans import LONG_DRAWS, long_random
from autodpq_eval.tables import read_plan
from autodpq_lib.config import STRATEGIES
from autodpq_runs.record import Record
from autodpq_system.atomic import write_text

#: ``unit`` -> what the x-axis counts.
UNITS = {"seconds": "log(time)", "steps": "log(optimiser steps)"}
#: Part of the x-axis that is shown: FE's own training is left of 0.
SHOWN = (-1.0, 5.3)
#: FE trainings that are named above a panel.
NAMED = (1, 3, 10, 30, 100)
#: Height of a line's name, as a share of the panel's.
NAME_HEIGHT = 0.042
#: Where a line ends, its name, its strategy.
Label = tuple[float, str, str]


def points(records: Sequence[Record]) -> pd.DataFrame:
    """One row an improvement on validation, over all stages of a run: what it cost so far, and its test AUC.

    Columns: strategy, seed, unit (``seconds`` or ``steps``), t (in FE trainings, see :func:`fe_unit`), auc (test), last
    (t where the run ends). Runs without a unit are left out: those of seeds without an FE run, but for AutoDPQ's.
    """
    rows = []
    for record in records:
        if record.config.strategy == "fe" and record.config.draws == LONG_DRAWS:
            continue  # a unit, no curve
        for unit in UNITS:
            one = fe_unit(record, records, unit)
            if one is None:
                continue
            common = {"strategy": record.config.strategy, "seed": record.config.seed, "unit": unit}
            last = getattr(record, unit) / one
            rows += [{**common, "t": cost / one, "auc": auc, "last": last} for cost, auc in _improvements(record, unit)]
    return pd.DataFrame(rows, columns=["strategy", "seed", "unit", "t", "auc", "last"])


def with_long_random(
    records: Sequence[Record], out: Path, dataset: str, recipe: str, seeds: Sequence[int]
) -> list[Record]:
    """Records of Table 1, Random's replaced by its long runs if there are any."""
    longer = long_runs(out, dataset, recipe, seeds)
    return [record for record in records if not longer or record.config.strategy != "random"] + longer


def long_runs(out: Path, dataset: str, recipe: str, seeds: Sequence[int]) -> list[Record]:
    """Random's long runs and FE of the same batch; none unless every seed has both."""
    runs, gaps = read_plan(out, long_random(dataset, recipe, seeds))
    return [] if gaps else runs


def _improvements(record: Record, unit: str) -> list[tuple[float, float]]:
    best, points = -1.0, []
    for point in record.timeline:
        if point.valid.auc > best:
            best = point.valid.auc
            points.append((getattr(point, unit), point.test.auc))
    return points


def draw(table: pd.DataFrame, title: str, *, paper: bool = True) -> Figure:
    """A panel by seconds, one by optimiser steps: mean over the seeds as a step function, and a band of one sd.

    With ``paper`` the paper's curves, dashed: they are of MovieLens-1M and stand beside no other data set.

    A curve is solid until the last of its runs ends, at the dot, then dotted: a strategy that has stopped keeps its
    result. FE ends at 0 and is drawn last, over the others.
    """
    figure, axes = plt.subplots(1, 2, figsize=(12, 5.2), sharey=True, layout="constrained")
    axes[0].set_ylim(*_limits(table, paper))
    for axis, unit in zip(axes, UNITS, strict=True):
        part = table[table["unit"] == unit]
        labels = [_curve(axis, part[part["strategy"] == name], name) for name in _drawn(part)]
        labels += [_paper_curve(axis, name) for name in STRATEGIES] if paper else []
        _scales(axis, unit)
        name_lines(axis, labels)
    axes[0].set_ylabel("test AUC of the best on validation so far")
    figure.suptitle(title + (" (solid) and the paper's (thin, dashed)" if paper else ""))
    figure.set_label(_in_words(table, title, paper))
    return figure


def _scales(axis: Axes, unit: str) -> None:
    """Below the paper's logarithm, above FE trainings in plain numbers."""
    axis.set(xlabel=f"{UNITS[unit]}, natural log; 0 is one FE training", xlim=SHOWN)
    axis.set_title(f"in {unit}", loc="left")
    axis.axvline(0, color="0.85", lw=0.8, zorder=0)
    above = axis.secondary_xaxis("top")
    above.set_xticks(np.log(NAMED), list(map(str, NAMED)))
    above.set_xlabel("FE trainings")


def _drawn(part: pd.DataFrame) -> list[str]:
    """The strategies that have a curve, FE last."""
    return [name for name in (*STRATEGIES[1:], STRATEGIES[0]) if name in set(part["strategy"])]


def _paper_curve(axis: Axes, name: str) -> Label:
    part = published().query("strategy == @name")
    axis.step(part["log_time"], part["auc"], where="post", color=COLOURS[name], lw=1, ls="--")
    return float(part["auc"].iloc[-1]), f"{LABELS[name]}, the paper", name


def _curve(axis: Axes, part: pd.DataFrame, name: str) -> Label:
    """Mean and band of one strategy, as steps in log t; what to write at the end of its line."""
    t, mean, sd = mean_curve(part)
    end = max(float(np.log(part["last"].max())), 0.0)
    runs = np.log(t) <= end + 1e-4  # a record's seconds are rounded
    style: dict[str, Any] = {"color": COLOURS[name], "drawstyle": "steps-post", "zorder": 3 if name == "fe" else 2}
    x = [*np.log(t[runs]), end]
    low, mid, high = ([*line[runs], line[runs][-1]] for line in (mean - sd, mean, mean + sd))
    axis.fill_between(x, low, high, step="post", color=COLOURS[name], alpha=0.12, lw=0)
    axis.plot(x, mid, lw=2, label=LABELS[name], **style)
    axis.plot([end, SHOWN[1]], [mean[-1]] * 2, lw=1.2, ls=":", **style)
    axis.plot(end, mid[-1], "o", color=COLOURS[name], ms=5, zorder=4)
    return float(mean[-1]), LABELS[name], name


def mean_curve(part: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation over the seeds of one strategy's curves, at every t at which one of them steps.

    The first is the t from which all have a model.
    """
    each = [run for _, run in part.groupby("seed")]
    first = max(run["t"].min() for run in each)
    t = np.unique([first, *part.loc[part["t"] > first, "t"]])
    values = np.array([_at(t, run) for run in each])
    return t, values.mean(0), values.std(0, ddof=1) if len(each) > 1 else np.zeros_like(t)


def _limits(table: pd.DataFrame, paper: bool) -> tuple[float, float]:
    """Limits of y: every improvement after one FE training, by steps, is in view; lower ones come in from below."""
    late = (table["unit"] == "steps") & (table["t"] >= 1)
    heights = [*table.loc[late, "auc"], *ends(table)["auc"], *(published()["auc"] if paper else [])] or [0.0, 1.0]
    margin = 0.06 * (max(heights) - min(heights)) + 1e-4
    return min(heights) - margin, max(heights) + margin


def name_lines(axis: Axes, labels: Sequence[Label]) -> None:
    """Write each line's name beside its end, no two over each other."""
    low, high = axis.get_ylim()
    ordered = sorted(labels)
    places = apart([y for y, _, _ in ordered], NAME_HEIGHT * (high - low))
    for (y, text, name), place in zip(ordered, places, strict=True):
        axis.annotate(
            text, (1, y), xytext=(1.05, place), xycoords=axis.get_yaxis_transform(), fontsize=8, va="center",
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": COLOURS[name], "lw": 1, "shrinkA": 2, "shrinkB": 0},
        )  # fmt: skip


def apart(places: Sequence[float], gap: float) -> list[float]:
    """Ascending places moved so that neighbours are at least ``gap`` apart, by least squares."""
    steps = gap * np.arange(len(places))
    return (isotonic_regression(np.array(places) - steps).x + steps).tolist()


def _in_words(table: pd.DataFrame, title: str, paper: bool) -> str:
    """The picture's text: where each curve stops, on time and on AUC."""
    stops = ends(table).loc["seconds"] if len(table) else pd.DataFrame(columns=["last", "auc"])
    each = "; ".join(f"{LABELS[name]} {auc:.4f} after {last:.1f}" for name, last, auc in stops.itertuples())
    beside = " The paper's curves are dashed." if paper else ""
    return (
        f"{title}. Two step charts, by seconds and by steps: test AUC against the log of the cost in FE trainings; "
        f"one curve a strategy. They stop, in "
        f"seconds and on average over the seeds, at: {each}.{beside}"
    )


def _at(t: NDArray[np.float64], run: pd.DataFrame) -> NDArray[np.float64]:
    """Test AUC of the best so far at each cost; before the first improvement, that of the first."""
    run = run.sort_values("t")
    # A record's seconds are rounded; an improvement at the very end of a run counts as being there.
    place = np.searchsorted(run["t"].to_numpy(), t * (1 + 1e-4), side="right") - 1
    return np.asarray(run["auc"].to_numpy()[np.maximum(place, 0)])


def ends(table: pd.DataFrame) -> pd.DataFrame:
    """Where each curve stops, in FE trainings, and the AUC that it stops with: means over the seeds."""
    runs = table.sort_values("t").groupby(["unit", "strategy", "seed"], sort=False).last()
    means = runs.groupby(["unit", "strategy"])[["last", "auc"]].mean()
    return means.reindex(pd.MultiIndex.from_product([list(UNITS), STRATEGIES], names=means.index.names)).dropna()


def auc_at(table: pd.DataFrame, strategy: str, until: str | None) -> dict[int, float]:
    """Test AUC of a strategy's best so far, by seed, at the seconds at which ``until`` ends; None: at its own end."""
    part = table[table["unit"] == "seconds"]
    auc = {}
    for seed, run in part[part["strategy"] == strategy].groupby("seed"):
        end = part[(part["seed"] == seed) & (part["strategy"] == (until or strategy))]["last"]
        if len(end):
            auc[int(seed)] = float(_at(end.to_numpy()[:1], run)[0])
    return auc


def write_figure3(table: pd.DataFrame, figure: Figure, folder: Path) -> None:
    """Write ``figure3.csv``, ``figure3.png`` and ``figure3.svg``."""
    write_text(folder / "figure3.csv", as_csv(table))
    save(figure, folder / "figure3.png")
    save(figure, folder / "figure3.svg")
