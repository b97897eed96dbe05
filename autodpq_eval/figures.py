"""Pictures that more than one notebook shows. A picture's label is the text that can stand for it.

Colours are seaborn's colour-blind palette, one a strategy, the same in every picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from autodpq_eval.decisions import Weights, deciding_epoch, fields_of, search_curve, trial_fits, weights_of
from autodpq_lib.config import STRATEGIES
from autodpq_runs.curves import FitLog
from autodpq_runs.record import Record

PALETTE = sns.color_palette("colorblind")
COLOURS = dict(zip(STRATEGIES, PALETTE, strict=False))
#: A shape a strategy, for who does not tell colours apart.
MARKERS = dict(zip(STRATEGIES, "osD^v", strict=True))
#: Of strategies from outside.
OTHER = PALETTE[len(STRATEGIES)]
DASHES = ("-", "--", ":", "-.")


def curves(record: Record, title: str) -> Figure:
    """Validation AUC and training loss of a run's fits, one after the other; the chosen epoch is marked.

    Of many fits, the trials of Grid and Random, the chosen one alone is in full colour.
    """
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
    starts = np.cumsum([0, *(log.epochs for log in record.fits)])
    chosen, many = record.timeline[-1], len(record.fits) > 3
    for log, start in zip(record.fits, starts, strict=False):
        _fit(axes, record, log, start, many)
        if log.name == chosen.fit:
            axes[0].plot(start + 1 + chosen.epoch, chosen.valid.auc, "o", ms=8, mfc="none", mec="black", mew=1.5)
    words = f"ring: chosen, {chosen.fit}, its epoch {chosen.epoch + 1}"
    axes[0].set(title=f"Validation AUC ({words})", xlabel="epochs of the run", ylabel="AUC")
    axes[1].set(title="Training logloss", xlabel="epochs of the run", ylabel="logloss (nats)")
    for axis in axes:
        axis.title.set_fontsize(10)
        axis.margins(y=0.15)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))  # there is no half epoch
    figure.suptitle(title)
    fits = f"{len(trial_fits(record))} trials" if many else ", ".join(log.name for log in record.fits)
    figure.set_label(
        f"{title}. Two line charts over the epochs of the run, its fits one after the other: {fits}. Left: validation "
        f"AUC, a ring at {chosen.valid.auc:.4f}, epoch {chosen.epoch + 1} of {chosen.fit}. Right: training logloss."
    )
    return figure


def _fit(axes: Sequence[Axes], record: Record, log: FitLog, start: int, many: bool) -> None:
    """The curves of one fit, after ``start`` epochs of others; a training loss where each of them has one."""
    faint = many and log.name != record.timeline[-1].fit
    style: dict[str, Any] = {
        "color": colour_of(record, log),
        "alpha": 0.35 if faint else 1.0,
        "lw": 1.0 if faint else 1.8,
    }
    for axis, column in zip(axes, ("valid_auc", "train_loss"), strict=True):
        if column in log.curve:
            x = start + 1 + np.arange(len(log.curve[column]))
            axis.plot(x, log.curve[column], marker="" if many else ".", **style)
            if not many:
                _head(axis, start, log.name)


def colour_of(record: Record, log: FitLog) -> tuple[float, float, float]:
    """The strategy's; an FE training within another strategy has FE's."""
    of_fe = log.stage in ("pretrain", "full") or (record.config.strategy in ("grid", "random") and log.decision is None)
    return COLOURS.get("fe" if of_fe else record.config.strategy, OTHER)


def _head(axis: Axes, start: int, name: str) -> None:
    """Name a fit above its part of the axis."""
    axis.axvline(start + 0.5, color="0.8", lw=0.8, zorder=0)
    axis.annotate(name, (start + 0.6, 0.99), xycoords=("data", "axes fraction"), fontsize=8, va="top")


def candidate_weights(record: Record) -> Figure:
    """How the search weighs the T candidates of each field, epoch by epoch, from 0, with 1/T and the deciding epoch.

    Colour tells K, dashes tell D; the chosen candidate is the thick line.
    """
    curve = search_curve(record)
    fields = fields_of(curve)
    number = deciding_epoch(curve, record.config)
    figure, axes = plt.subplots(
        1, len(fields), figsize=(2.5 * len(fields) + 1, 3.2), sharey=True, layout="constrained", squeeze=False
    )
    seen = [_panel(axis, weights_of(curve, name), name, number) for axis, name in zip(axes[0], fields, strict=True)]
    weights = weights_of(curve, fields[0])
    axes[0, 0].set_ylabel("weight p of the candidate")
    axes[0, 0].set_ylim(bottom=0)
    figure.legend(handles=_legend(weights), fontsize=8, loc="outside right center")
    figure.suptitle("Search: weights of the candidates, without noise; thin line 1/T, dotted the epoch that decides")
    figure.set_label(
        f"A line chart a field over the epochs of the search: weights of {len(weights)} candidates, on a scale from 0, "
        f"beside the line of 1/T = {1 / len(weights):.3f}. At epoch {number + 1}, which decides, {'; '.join(seen)}."
    )
    return figure


def _panel(axis: Axes, weights: Weights, name: str, number: int) -> str:
    """The weights of one field, and in words which candidate epoch ``number`` chooses."""
    chosen = max(weights, key=lambda pair: weights[pair][number])
    _field_weights(axis, weights, chosen)
    axis.axhline(1 / len(weights), color="black", lw=0.8)
    axis.axvline(number + 1, color="black", lw=0.8, ls=":")
    axis.set(title=f"{name}: {chosen}", xlabel="epoch of the search")
    axis.locator_params(axis="x", integer=True)
    return f"{name} takes {chosen} with {weights[chosen][number]:.3f}"


def _look(weights: Weights, k: int | None = None, d: int | None = None) -> dict[str, Any]:
    """Colour of a K, dashes of a D."""
    ks, ds = sorted({k for k, _ in weights}), sorted({d for _, d in weights})
    colour = "0.3" if k is None else PALETTE[ks.index(k) % len(PALETTE)]
    return {"color": colour, "ls": "-" if d is None else DASHES[ds.index(d) % len(DASHES)]}


def _field_weights(axis: Axes, weights: Weights, chosen: tuple[int, int]) -> None:
    epochs = 1 + np.arange(len(weights[chosen]))
    for (k, d), values in weights.items():
        axis.plot(epochs, values, marker="." if len(epochs) == 1 else "", lw=2.6 if (k, d) == chosen else 1.0,
                  **_look(weights, k, d))  # fmt: skip


def _legend(weights: Weights) -> list[Line2D]:
    ks, ds = sorted({k for k, _ in weights}), sorted({d for _, d in weights})
    colours = [Line2D([], [], label=f"K = {k}", **_look(weights, k=k)) for k in ks]
    return colours + [Line2D([], [], label=f"D = {d}", **_look(weights, d=d)) for d in ds]
