"""Differences between two sets of runs: means, 95 % intervals and tests; of the controls, and of chosen contrasts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from autodpq_eval.figures import COLOURS
from autodpq_eval.layout import LABELS
from autodpq_eval.paper import table_value
from autodpq_eval.plans import configure, controls
from autodpq_eval.stats import effect
from autodpq_eval.tables import read_plan
from autodpq_lib.config import STRATEGIES, RunConfig
from autodpq_runs.record import Record

#: Name of a measure -> how to read it from a record (None where the record has none).
MEASURES = {
    "auc": lambda record: record.test.auc,
    "logloss": lambda record: record.test.logloss,
    "touched auc": lambda record: _part(record, "touched"),
    "untouched auc": lambda record: _part(record, "untouched"),
    "valid auc": lambda record: record.valid.auc,
}
#: Columns of an effect.
EFFECTS = (
    "n", "effect", "low", "high", "p", "p_paired",
    "touched auc", "touched low", "touched high", "untouched auc", "valid auc", "logloss",
)  # fmt: skip
#: What the gain is made of: title, and the two sets of runs whose difference it is.
CONTRASTS = [
    ("AutoDPQ over FE: the whole gain", "autodpq", "fe"),
    ("FE continued, over FE: extra training", "fe-extra", "fe"),
    ("the search's machinery without compression, over FE continued", "no-compression", "fe-extra"),
    ("AutoDPQ over its machinery: compression", "autodpq", "no-compression"),
    ("AutoDPQ over FE continued", "autodpq", "fe-extra"),
    ("AutoDPQ over Others continued", "autodpq", "others-extra"),
    ("AutoDPQ over Grid from the same pretrain", "autodpq", "grid-pretrain"),
    ("AutoDPQ over Random from the same pretrain", "autodpq", "random-pretrain"),
    ("AutoDPQ over Others, threshold 10", "autodpq-10", "others-10"),
    ("AutoDPQ over Others, threshold 160", "autodpq-160", "others-160"),
    ("AutoDPQ over FE, split redrawn", "autodpq-split", "fe-split"),
    ("AutoDPQ over Others, split redrawn", "autodpq-split", "others-split"),
]


def _part(record: Record, name: str) -> float | None:
    return record.test_parts[name].auc if name in record.test_parts else None


def by_seed(records: Sequence[Record], measure: str) -> dict[int, float]:
    """A measure of :data:`MEASURES`, seed by seed."""
    values = {record.config.seed: MEASURES[measure](record) for record in records}
    return {seed: value for seed, value in values.items() if value is not None}


def groups(out: Path, dataset: str, recipe: str, seeds: Sequence[int]) -> dict[str, list[Record]]:
    """The runs of each control by its id, and the plain runs of each strategy by its name; empty where none is done."""
    plans: dict[str, list[RunConfig]] = {
        name: [configure(dataset, recipe, name, seed) for seed in seeds] for name in STRATEGIES
    }
    plans |= {control.id: [control.config(dataset, recipe, seed) for seed in seeds] for control in controls()}
    return {name: read_plan(out, plan)[0] for name, plan in plans.items()}


def control_effects(runs: Mapping[str, Sequence[Record]], seeds: Sequence[int]) -> pd.DataFrame:
    """One row a control: its effect on each measure against the same strategy without the change.

    A redrawn split has other test samples, so its distance from the fixed split is no effect: it is left out here and
    compared within itself by :func:`contrasts`.
    """
    rows = []
    for control in controls():
        if "split_seed" not in control.switches:
            row = {"id": control.id, "control": control.title, "strategy": control.strategy}
            rows.append(row | _effects(runs[control.id], runs[control.strategy], seeds))
    return pd.DataFrame(rows)


def same_starts(runs: Mapping[str, Sequence[Record]]) -> tuple[int, int]:
    """How many runs of controls begin with their reference's first training to the bit, and how many there are.

    Code and processor must be the same for that: the last bits of a sum depend on both.
    """
    starts = {
        (r.config.strategy, r.config.seed): r.fits[0].curve["valid_auc"] for name in STRATEGIES for r in runs[name]
    }
    records = [record for control in controls() for record in runs[control.id]]
    same = [r.fits[0].curve["valid_auc"] == starts.get((r.config.strategy, r.config.seed)) for r in records]
    return sum(same), len(records)


def contrasts(runs: Mapping[str, Sequence[Record]], seeds: Sequence[int]) -> pd.DataFrame:
    """The differences of :data:`CONTRASTS`, in the same columns."""
    return pd.DataFrame([{"contrast": title, **_effects(runs[a], runs[b], seeds)} for title, a, b in CONTRASTS])


def _effects(ours: Sequence[Record], baseline: Sequence[Record], seeds: Sequence[int]) -> dict[str, float]:
    """The effect on AUC with its tests, the touched samples' with its interval, and the means of the others.

    A missing run is a refusal. Thresholds that differ touch other samples, so their parts are not compared.
    """
    row = dict.fromkeys(EFFECTS, np.nan) | {"n": min(len(ours), len(baseline))}
    if any({record.config.seed for record in side} != set(seeds) for side in (ours, baseline)):
        return row
    each = {measure: effect(by_seed(ours, measure), by_seed(baseline, measure)) for measure in MEASURES}
    row |= {key: each["auc"][key] for key in ("effect", "low", "high", "p", "p_paired")}
    row |= {measure: each[measure]["effect"] for measure in ("logloss", "valid auc")}
    if ours[0].config.threshold == baseline[0].config.threshold:
        row |= {measure: each[measure]["effect"] for measure in ("touched auc", "untouched auc")}
        row |= {f"touched {edge}": each["touched auc"][edge] for edge in ("low", "high")}
    return row


def in_words(table: pd.DataFrame) -> str:
    """Contrasts as a Markdown list, from their numbers."""
    return "\n".join(f"- {row['contrast']}: {_sentence(row)}" for _, row in table.iterrows())


def _sentence(row: pd.Series) -> str:
    if pd.isna(row["low"]):
        return "runs are missing."
    clear = "clear of zero" if row["low"] * row["high"] > 0 else "not clear of zero"
    text = f"**{row['effect']:+.4f}** ({row['low']:+.4f} to {row['high']:+.4f}, n = {row['n']:.0f}), {clear}"
    if pd.isna(row["touched auc"]):
        return f"{text}; the samples that a low-frequency feature touches are not recorded apart."
    interval = f"({row['touched low']:+.4f} to {row['touched high']:+.4f})"
    apart = f"on the samples that a low-frequency feature touches {row['touched auc']:+.4f} {interval}"
    return f"{text}; {apart}, on the others {row['untouched auc']:+.4f}."


def on_the_recipe(table: pd.DataFrame) -> str:
    """How far the unstated parts of the base recipe alone move FE, beside the paper's gain; and what is missing."""
    swaps = [control.id for control in controls() if control.swap]
    part = table[table["id"].isin(swaps)].dropna(subset="effect")
    missing = table[table["effect"].isna()]["id"].tolist()
    text = f"Without all their runs: {', '.join(missing)}." if missing else "All controls have all their runs."
    if part.empty:
        return text
    largest = part.loc[part["effect"].abs().idxmax()]
    gain = table_value(1, "ml-1m", "deepfm", "autodpq", "auc") - table_value(1, "ml-1m", "deepfm", "fe", "auc")
    return (
        f"Of the unstated parts of the base recipe, the largest effect on FE has *{largest['control']}*: "
        f"{largest['effect']:+.4f}. The paper's whole gain over FE is {gain:+.4f}. {text}"
    )


def forest(table: pd.DataFrame, title: str) -> Figure:
    """Effect of each control on test AUC, with its 95 % interval; the band is the paper's level of 0.001."""
    shown = table.dropna(subset="effect").iloc[::-1].reset_index(drop=True)
    figure, axis = plt.subplots(figsize=(9, 1.2 + 0.28 * len(shown)), layout="constrained")
    axis.axvspan(-0.001, 0.001, color="0.93", zorder=0)
    axis.axvline(0, color="0.4", lw=0.8)
    for name in [name for name in STRATEGIES if name in set(shown["strategy"])]:
        part = shown[shown["strategy"] == name]
        error = [part["effect"] - part["low"], part["high"] - part["effect"]]
        look = {"fmt": "o", "color": COLOURS[name], "ms": 5, "lw": 1.4, "label": LABELS[name]}
        axis.errorbar(part["effect"], part.index, xerr=error, **look)
    axis.set_yticks(shown.index, shown["control"] + shown["n"].map("  (n = {:.0f})".format))
    axis.set(title=title, xlabel="difference in test AUC, 95 % interval", ylim=(-0.6, len(shown) - 0.4))
    axis.set_xlim(*_limits(shown))
    axis.locator_params(axis="x", nbins=5)
    axis.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    sns.despine(figure, left=True)
    clear = shown[(shown["low"] > 0) | (shown["high"] < 0)]["control"].tolist()
    figure.set_label(
        f"{title}: a dot and an interval for each of {len(shown)} controls, around a band of 0.001. Clear of zero: "
        f"{'; '.join(clear) or 'none'}."
    )
    return figure


def _limits(shown: pd.DataFrame) -> tuple[float, float]:
    """Wide enough for every effect, and for intervals up to three times as wide as the widest effect."""
    widest = max(float(shown["effect"].abs().max()), 0.002) * 3
    edges = shown[["low", "high", "effect"]].clip(-widest, widest)
    return float(edges.min().min()) * 1.05 - 0.0002, float(edges.max().max()) * 1.05 + 0.0002
