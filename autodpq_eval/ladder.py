"""AutoDPQ's gain over FE against the length of its pretrain, with and without the parts that could make the gain."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from autodpq_eval.lead import gain
from autodpq_eval.measures import by_seed
from autodpq_eval.plans import LADDER_SEEDS, LENGTHS, PARTS, configure, ladder_run
from autodpq_eval.stats import paired_beside_welch, with_intervals
from autodpq_eval.tables import read_plans
from autodpq_lib.config import RunConfig


def table(out: Path, recipe: str, over: str = "fe") -> pd.DataFrame:
    """A row a length and part left out: mean difference to FE or Others over the common seeds, and its tests."""
    plans: dict[Any, list[RunConfig]] = {**_plans(recipe)}
    plans[over] = [configure("ml-1m", recipe, over, seed) for seed in LADDER_SEEDS]
    aucs = {key: by_seed(records, "auc") for key, records in read_plans(out, plans).items()}
    base = aucs.pop(over)
    rows = [
        {
            "recipe": recipe,
            "without": without or "nothing",
            "pretrain": _said(epochs),
            **paired_beside_welch(ours, base),
        }
        for (without, epochs), ours in aucs.items()
    ]
    return with_intervals(rows)


def added(out: Path, recipe: str) -> pd.DataFrame:
    """A row a length and part: AutoDPQ minus itself without the part, with the paired interval."""
    aucs = {key: by_seed(records, "auc") for key, records in read_plans(out, _plans(recipe)).items()}
    rows = [
        {"part": part, "pretrain": _said(epochs), **paired_beside_welch(aucs["", epochs], ours)}
        for (part, epochs), ours in aucs.items()
        if part
    ]
    return with_intervals(rows)


def _plans(recipe: str) -> dict[tuple[str, int | None], list[RunConfig]]:
    """Part left out and length -> the runs."""
    return {
        (without, epochs): [ladder_run("ml-1m", recipe, epochs, without, seed) for seed in LADDER_SEEDS]
        for without, epochs in product(PARTS, LENGTHS)
    }


def _said(epochs: int | None) -> str:
    return "to convergence" if epochs is None else str(epochs)


def draw(steps: pd.DataFrame) -> Figure:
    """A line a part left out, a place a length; FE is zero, the dashed line the paper's gain over it."""
    places = list(map(_said, LENGTHS))
    figure, axis = plt.subplots(figsize=(8, 4.4), layout="constrained")
    axis.axhline(0, color="0.4", lw=0.8)
    axis.axhline(gain("auc", "fe"), color="black", ls="--", lw=1.2, label="the paper's gain")
    looks = zip(
        steps.groupby("without", sort=False), "os^", sns.color_palette("colorblind"), (-0.08, 0, 0.08), strict=False
    )
    for (without, rows), marker, colour, shift in looks:
        whole = rows.set_index("pretrain").reindex(places)  # no line across a length that was not run
        errors = [whole["effect"] - whole["low"], whole["high"] - whole["effect"]]
        x = np.arange(len(places)) + shift
        label = "AutoDPQ" if without == "nothing" else f"without {without}"
        axis.errorbar(x, whole["effect"], yerr=errors, fmt=f"{marker}-", color=colour, ms=5, lw=1.4, label=label)
    of = f": MovieLens-1M, DeepFM, recipe {steps['recipe'].iloc[0]}" if len(steps) else ""
    axis.set_xticks(range(len(places)), places)
    axis.set(xlabel="epochs of the pretrain", ylabel="test AUC minus FE's, paired 95 % interval")
    title = f"AutoDPQ's gain over FE by the length of its pretrain{of}"
    figure.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
    axis.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    sns.despine(figure)
    rows = (f"{r['without']}, {r['pretrain']}: {r['effect']:+.4f}" for _, r in steps.iterrows())
    figure.set_label(f"AutoDPQ's gain over FE by part left out and epochs of the pretrain: {'; '.join(rows)}.")
    return figure
