"""Pictures that more than one notebook draws. Colours are seaborn's colour-blind palette."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from autodpq_lib.config import STRATEGIES
from autodpq_runs.record import Record

COLOURS = dict(zip(STRATEGIES, sns.color_palette("colorblind"), strict=False))


def curves(record: Record, title: str) -> Figure:
    """Validation AUC and training loss of every fit of a run, by epoch; the chosen epoch is marked."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.4), layout="constrained")
    many = len(record.fits) > 3
    for number, log in enumerate(record.fits):
        colour = sns.color_palette("viridis", len(record.fits))[number] if many else f"C{number}"
        left.plot(log.curve["epoch"], log.curve["valid_auc"], color=colour, lw=1, label=log.name)
        right.plot(log.curve["epoch"], log.curve["train_loss"], color=colour, lw=1)
    chosen = record.timeline[-1]
    left.plot(chosen.epoch, chosen.valid.auc, "o", color="black", label=f"chosen: {chosen.fit}, epoch {chosen.epoch}")
    left.set(title="Validation AUC", xlabel="epoch", ylabel="AUC")
    right.set(title="Training logloss", xlabel="epoch", ylabel="logloss (nats)")
    handles, labels = left.get_legend_handles_labels()
    left.legend(*((handles[-1:], labels[-1:]) if many else (handles, labels)), fontsize=8, loc="lower right")
    figure.suptitle(title)
    return figure


def trials(record: Record) -> pd.DataFrame:
    """Trials of Grid or Random, best on validation first: decision, validation metrics, epochs, seconds."""
    rows = []
    for log in record.fits:
        if log.decision is None:
            continue
        curve = pd.DataFrame(log.curve)
        best = curve.loc[curve["valid_auc"].idxmax()]
        pairs = {name: f"{k}, {d}" for name, (k, d) in log.decision.items()}
        rows.append(
            pairs
            | {"valid_auc": best["valid_auc"], "valid_logloss": best["valid_logloss"]}
            | {"epochs": len(curve), "seconds": curve["seconds"].sum()}
        )
    return pd.DataFrame(rows).sort_values("valid_auc", ascending=False, ignore_index=True)


def candidate_weights(record: Record) -> Figure:
    """How the search weighs the candidates of each field, epoch by epoch."""
    curve = pd.DataFrame(next(log.curve for log in record.fits if log.name == "search"))
    fields = [column.split("/")[1] for column in curve if column.startswith("entropy/")]
    figure, axes = plt.subplots(1, len(fields), figsize=(2.6 * len(fields), 3), sharey=True, layout="constrained")
    for axis, name in zip(axes, fields, strict=True):
        weights = curve.filter(like=f"p/{name}/")
        for column, colour in zip(weights, sns.color_palette("colorblind", weights.shape[1]), strict=True):
            axis.plot(curve["epoch"], weights[column], color=colour, lw=1.2, label=f"({column.split('/')[2]})")
        axis.set(title=name, xlabel="epoch")
    axes[0].set_ylabel("weight p of the candidate")
    axes[-1].legend(title="(K, D)", fontsize=7, title_fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    figure.suptitle("Search: weights of the candidates, without noise, at the temperature reached")
    return figure


def decisions(found: Sequence[Record]) -> pd.DataFrame:
    """(K, D) of every field, one row a record."""
    rows = [{name: f"{k}, {d}" for name, (k, d) in (record.decision or {}).items()} for record in found]
    index = pd.Index([f"{record.config.strategy}, seed {record.config.seed}" for record in found], name="run")
    return pd.DataFrame(rows, index=index)
