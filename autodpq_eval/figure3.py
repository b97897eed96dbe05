"""Figure 3: test AUC of what is best on validation so far, against the cost so far in FE trainings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from autodpq_eval.figures import COLOURS
from autodpq_eval.layout import LABELS, as_csv
from autodpq_eval.paper import FACTS
from autodpq_eval.plans import LONG_DRAWS, long_random
from autodpq_eval.tables import read_plan
from autodpq_lib.config import STRATEGIES
from autodpq_runs.record import Record
from autodpq_system.atomic import atomic_path, write_text

#: ``unit`` -> what the x-axis counts.
UNITS = {"seconds": "log(time)", "steps": "log(optimiser steps)"}


def points(records: Sequence[Record]) -> pd.DataFrame:
    """One row an improvement on validation, over all stages of a run: what it cost so far, and its test AUC.

    Columns: strategy, seed, unit (``seconds`` or ``steps``), t (in FE trainings, see :func:`fe_unit`), auc (test), last
    (t where the run ends). Runs of seeds without an FE run have no unit and are left out.
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
    """Records of Table 1, Random's replaced by its long runs if every seed has one."""
    longer, gaps = read_plan(out, long_random(dataset, recipe, seeds))
    return list(records) if gaps else [r for r in records if r.config.strategy != "random"] + longer


def fe_unit(record: Record, records: Sequence[Record], unit: str) -> float | None:
    """Seconds or steps of one FE training of the record's seed; None if there is none.

    AutoDPQ's own pretrain is an FE training of the same seed to the bit, measured in the same run; for the others it is
    the FE run of the same batch among ``records``.
    """
    own = [log.cost[unit] for log in record.fits if log.name == "pretrain"]
    key = (record.config.seed, record.config.draws)
    fe = [getattr(r, unit) for r in records if r.config.strategy == "fe" and (r.config.seed, r.config.draws) == key]
    return (own or fe or [None])[0]


def _improvements(record: Record, unit: str) -> list[tuple[float, float]]:
    best, found = -1.0, []
    for point in record.timeline:
        if point.valid.auc > best:
            best = point.valid.auc
            found.append((getattr(point, unit), point.test.auc))
    return found


def draw(table: pd.DataFrame, title: str, *, paper: bool = True) -> Figure:
    """Both panels: mean over the seeds, a band of one standard deviation; ``paper``: its curves dashed behind.

    The paper's curves are of MovieLens-1M and stand beside no other data set.

    A curve is solid until the last of its runs ends, then dotted: a strategy that has stopped keeps its result.
    """
    figure, axes = plt.subplots(1, 2, figsize=(12, 4.6), sharey=True, layout="constrained")
    for axis, (unit, label) in zip(axes, UNITS.items(), strict=True):
        part = table[table["unit"] == unit]
        if paper:
            _paper_curves(axis)
        for name in [name for name in STRATEGIES if name in set(part["strategy"])]:
            _curve(axis, part[part["strategy"] == name], name)
        axis.set(title=f"in {unit}", xlabel=f"{label}, natural log; 0 is one FE training", xlim=(0, 5.3))
    axes[0].set_ylabel("test AUC of the best on validation so far")
    axes[1].legend(fontsize=8, loc="lower right", title="— ours, -- the paper's" if paper else None, title_fontsize=8)
    figure.suptitle(title)
    return figure


def _paper_curves(axis: Axes) -> None:
    facts = pd.read_csv(FACTS / "figure3.csv")
    for name, part in facts.groupby("strategy"):
        axis.step(part["log_time"], part["auc"], where="post", color=COLOURS[name], lw=0.8, ls="--", alpha=0.7)


def _curve(axis: Axes, part: pd.DataFrame, name: str) -> None:
    """Mean and band of one strategy on a common grid of log t."""
    grid = np.linspace(0, 5.3, 531)
    each = np.array([_at(np.exp(grid), run) for _, run in part.groupby("seed")])
    mean, sd = each.mean(0), each.std(0, ddof=1) if len(each) > 1 else np.zeros_like(grid)
    end = max(np.log(part["last"].max()), 0.0)
    runs = grid <= end
    axis.plot(grid[runs], mean[runs], color=COLOURS[name], lw=1.8, label=LABELS[name])
    axis.plot(grid[~runs], mean[~runs], color=COLOURS[name], lw=1, ls=":")
    axis.fill_between(grid, mean - sd, mean + sd, color=COLOURS[name], alpha=0.12, lw=0)
    axis.plot(end, mean[runs][-1], "o", color=COLOURS[name], ms=4)


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
    found = {}
    for seed, run in part[part["strategy"] == strategy].groupby("seed"):
        end = part[(part["seed"] == seed) & (part["strategy"] == (until or strategy))]["last"]
        if len(end):
            found[int(seed)] = float(_at(end.to_numpy()[:1], run)[0])
    return found


def write_figure3(table: pd.DataFrame, figure: Figure, folder: Path) -> None:
    """Write ``figure3.csv``, ``figure3.png`` and ``figure3.svg``."""
    write_text(folder / "figure3.csv", as_csv(table))
    save(figure, folder / "figure3.png")
    save(figure, folder / "figure3.svg")


def save(figure: Figure, path: Path) -> None:
    """Write a picture, without a date and with fixed names inside, so that the same picture has the same bytes."""
    with mpl.rc_context({"svg.hashsalt": "autodpq"}), atomic_path(path) as written:
        figure.savefig(written, dpi=160, metadata={"Date": None} if path.suffix == ".svg" else {})
