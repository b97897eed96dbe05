"""AutoDPQ's lead over the baselines of Table 2, seed by seed, beside the paper's (notebook 08)."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from autodpq_eval.figures import COLOURS
from autodpq_eval.layout import LABELS
from autodpq_eval.lead import gain
from autodpq_eval.stats import BETTER, common
from autodpq_eval.tables import OURS, Collected
from autodpq_lib.config import MODELS

METRICS = ("auc", "logloss")
#: Baseline -> how far its dots lie from their model's place.
SHIFTS = {"others": -0.15, "random": 0.15}


def leads_by_seed(collected: Mapping[str, Collected]) -> pd.DataFrame:
    """By how much AutoDPQ is better on test: a row for each seed that both sides have.

    Args:
        collected: the records of Table 2, by recipe.
    """
    rows: list[tuple[str, str, str, str, int, float]] = []
    for (recipe, each), metric, model, baseline in product(collected.items(), METRICS, MODELS, SHIFTS):
        ours, theirs = common(*(each.values(strategy, model, metric) for strategy in (OURS, baseline)))
        rows += [(recipe, metric, model, baseline, n, BETTER[metric] * (ours[n] - theirs[n])) for n in ours]
    return pd.DataFrame(rows, columns=["recipe", "metric", "model", "baseline", "seed", "lead"])


def leads(collected: Mapping[str, Collected], dataset: str) -> Figure:
    """A row of panels a recipe, a column a metric: a dot for each of :func:`leads_by_seed`, a bar for the paper's lead.

    Args:
        collected: the records of Table 2, by recipe.
        dataset: theirs.
    """
    table, shape = leads_by_seed(collected), (len(collected), len(METRICS))
    size = (10, 3 * len(collected))
    figure, axes = plt.subplots(*shape, figsize=size, sharex=True, sharey="col", layout="constrained", squeeze=False)
    for axis, (recipe, metric) in zip(axes.flat, product(collected, METRICS), strict=True):
        _panel(axis, table[(table["recipe"] == recipe) & (table["metric"] == metric)], metric, dataset)
        axis.set_title(f"{LABELS[metric].split()[0]}, recipe {recipe}")
    figure.legend(handles=_legend(), loc="outside lower center", ncols=len(SHIFTS) + 1)
    title = f"AutoDPQ's lead on test, {dataset}: a dot for each seed, in order from left to right; up is better"
    figure.suptitle(title)
    figure.set_label(
        f"{title}. {axes.size} panels, AUC and logloss under {len(collected)} recipes: the lead over Others and over "
        f"Random on {len(MODELS)} models, the dots of a model joined, beside a bar for the paper's lead. "
        f"{(table['lead'] < 0).sum()} of {len(table)} dots are below zero."
    )
    return figure


def _panel(axis: Axes, rows: pd.DataFrame, metric: str, dataset: str) -> None:
    """Model after model: the dots of each baseline, joined, and a bar at the paper's lead."""
    for (place, model), (baseline, shift) in product(enumerate(MODELS), SHIFTS.items()):
        found = rows.loc[(rows["model"] == model) & (rows["baseline"] == baseline), "lead"]
        x = place + shift + 0.05 * (np.arange(len(found)) - 1)
        axis.plot(x, found, "o-", color=COLOURS[baseline], ms=5, lw=0.8)
        edges = [place + shift - 0.1, place + shift + 0.1]
        axis.plot(edges, [gain(metric, baseline, model, dataset=dataset)] * 2, color="black", lw=1.5)
    axis.axhline(0, color="grey", lw=0.8)
    axis.set_xticks(range(len(MODELS)), [LABELS[model] for model in MODELS])
    axis.set_ylabel("lead (nats)" if metric == "logloss" else "lead")


def _legend() -> list[Line2D]:
    names = {name: f"{'left' if shift < 0 else 'right'}: over {LABELS[name]}" for name, shift in SHIFTS.items()}
    dots = [Line2D([], [], marker="o", color=COLOURS[name], label=label) for name, label in names.items()]
    return [*dots, Line2D([], [], color="black", lw=1.5, label="the paper's")]
