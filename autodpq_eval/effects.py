"""Differences between two sets of runs: means, 95 % intervals and tests; of the controls, and of chosen contrasts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from autodpq_eval.controls import controls
from autodpq_eval.lead import gain
from autodpq_eval.measures import by_seed
from autodpq_eval.plans import TEN_SEEDS, configure
from autodpq_eval.stats import effect, paired_effect
from autodpq_eval.tables import read_plans
from autodpq_eval.words import interval
from autodpq_lib.config import STRATEGIES, RunConfig
from autodpq_runs.record import Record

#: Columns of an effect.
EFFECTS = (
    "n", "effect", "low", "high", "p_welch", "p_paired", "p_equal_paired",
    "touched auc", "touched low", "touched high", "untouched auc", "logloss", "steps", "base steps",
)  # fmt: skip
#: Measures of which pairs are compared.
COMPARED = ("auc", "logloss", "touched auc", "untouched auc")
#: What the gain is made of: title, and the two sets of runs whose difference it is.
CONTRASTS = [
    ("AutoDPQ over FE: the whole gain", "autodpq", "fe"),
    ("FE with two more trainings, over FE: extra training", "fe-extra", "fe"),
    ("the search's machinery without compression, over FE with two more trainings", "no-compression", "fe-extra"),
    ("AutoDPQ over its machinery: compression", "autodpq", "no-compression"),
    ("AutoDPQ over FE with two more trainings", "autodpq", "fe-extra"),
    ("AutoDPQ over Others with two more trainings", "autodpq", "others-extra"),
    ("AutoDPQ over Grid from the same pretrain", "autodpq", "grid-pretrain"),
    ("AutoDPQ over Random from the same pretrain", "autodpq", "random-pretrain"),
    ("AutoDPQ, laboratory reading, over FE", "autodpq, reading laboratory", "fe"),
    (
        "AutoDPQ, laboratory reading, over its machinery: compression",
        "autodpq, reading laboratory",
        "laboratory-no-compression",
    ),
    (
        "AutoDPQ, laboratory reading, over itself without Eq. 2's BatchNorm",
        "autodpq, reading laboratory",
        "laboratory-no-batchnorm",
    ),
    ("AutoDPQ over Others, threshold 10", "autodpq-10", "others-10"),
    ("AutoDPQ over Others, threshold 160", "autodpq-160", "others-160"),
    ("AutoDPQ over FE, split redrawn", "autodpq-split", "fe-split"),
    ("AutoDPQ over Others, split redrawn", "autodpq-split", "others-split"),
    ("laboratory reading over FE, split redrawn", "laboratory-split", "fe-split"),
    ("laboratory reading over Others, split redrawn", "laboratory-split", "others-split"),
    ("AutoDPQ over FE, laboratory's split", "autodpq, split laboratory", "fe, split laboratory"),
    ("AutoDPQ over FE, laboratory's split, one order of rows in all epochs", "order-autodpq", "order-fe"),
    ("AutoDPQ over FE, laboratory's split, patience 2, last epoch scored", "protocol-autodpq", "protocol-fe"),
    ("AutoDPQ over Others, laboratory's split", "autodpq, split laboratory", "others, split laboratory"),
    ("AutoDPQ over Others, laboratory's split, patience 2, last epoch scored", "protocol-autodpq", "protocol-others"),
    (
        "AutoDPQ over FE, laboratory's split, one order of rows in all epochs, patience 2, last epoch scored",
        "all-autodpq",
        "all-fe",
    ),
    *(
        (
            f"laboratory reading over {name}, laboratory's split, {title}",
            f"{convention}-laboratory",
            f"{convention}-{other}",
        )
        for convention, title in (
            ("order", "one order of rows in all epochs"),
            ("protocol", "patience 2, last epoch scored"),
            ("all", "one order of rows in all epochs, patience 2, last epoch scored"),
        )
        for name, other in (("FE", "fe"), ("Others", "others"), ("DPQ (8, 8)", "dpq"))
    ),
    ("laboratory reading without a pretrain over FE, laboratory's split", "there-no-pretrain", "fe, split laboratory"),
]
#: FE, Others and DPQ with two more trainings, and what they stand beside.
TRAINED_ON = {
    "fe-extra": "FE",
    "others-extra": "Others",
    "dpq-extra": "DPQ (32, 4)",
    "dpq-2-extra": "DPQ (16, 2)",
    "autodpq": "AutoDPQ",
}


def runs_of_controls(out: Path, dataset: str, recipe: str) -> dict[str, list[Record]]:
    """The runs of each control by its id, of its reference, and of each strategy by its name; all seeds at hand."""
    plans: dict[str, list[RunConfig]] = {
        name: [configure(dataset, recipe, name, seed) for seed in TEN_SEEDS] for name in STRATEGIES
    }
    for control in controls():
        plans[control.id] = [control.config(dataset, recipe, seed) for seed in TEN_SEEDS]
        plans[control.against] = [control.reference(dataset, recipe, seed) for seed in TEN_SEEDS]
    return read_plans(out, plans)


def control_effects(runs: Mapping[str, Sequence[Record]]) -> pd.DataFrame:
    """One row a control: its effect on each measure against its reference, over the seeds that both have.

    A redrawn split has other test samples, so its distance from the fixed split is no effect: it is left out here and
    compared within itself by :func:`contrasts`.
    """
    rows = []
    for control in controls():
        if "split_seed" not in control.switches:
            row: dict[str, object] = {"id": control.id, "group": control.group, "control": control.title}
            row |= {"strategy": control.strategy, "planned": control.seeds}
            rows.append(row | _effects(runs[control.id], runs[control.against], alike=control.can_start_alike))
    return pd.DataFrame(rows)


def same_starts(runs: Mapping[str, Sequence[Record]]) -> tuple[int, int]:
    """How many runs of controls have their reference's first training bit for bit, and how many could have it.

    Validation AUC is compared, epoch by epoch; one of the two may go on for longer. Only the same code on the same kind
    of processor can give the same bits.
    """
    able = [control for control in controls() if control.can_start_alike]
    same = [starts_alike(runs[control.id], runs[control.against]) for control in able]
    return sum(same), sum(len(runs[control.id]) for control in able)


def starts_alike(ours: Sequence[Record], baseline: Sequence[Record]) -> int:
    """How many runs have a baseline of their seed whose first training is the same to the bit, as far as both go."""
    theirs = {record.config.seed: record for record in baseline}
    return sum(_alike(each, theirs[each.config.seed]) for each in ours if each.config.seed in theirs)


def _alike(mine: Record, theirs: Record) -> bool:
    first, second = (record.fits[0].curve["valid_auc"] for record in (mine, theirs))
    return all(x == y for x, y in zip(first, second, strict=False))


def further_steps(runs: Mapping[str, Sequence[Record]]) -> dict[str, float]:
    """Mean weight updates after the first fit, by the names of :data:`TRAINED_ON`; nothing of what has no runs.

    Those of AutoDPQ are its search's and its retrain's; what the search does to alpha is not counted.
    """
    each = {name: [r.steps - r.fits[0].cost["steps"] for r in runs[key]] for key, name in TRAINED_ON.items()}
    return {name: float(np.mean(steps)) for name, steps in each.items() if steps}


def contrasts(runs: Mapping[str, Sequence[Record]]) -> pd.DataFrame:
    """The differences of :data:`CONTRASTS`, in the same columns."""
    return pd.DataFrame(
        [{"contrast": title, "a": a, "b": b, **_effects(runs[a], runs[b])} for title, a, b in CONTRASTS]
    )


def _effects(ours: Sequence[Record], baseline: Sequence[Record], *, alike: bool = False) -> dict[str, float]:
    """The effect on AUC with its tests, the touched samples' with its interval, and the means of the others.

    *Steps* are the mean weight updates of ours, *base steps* those of the baseline. A pair is two runs of one seed on
    one kind of processor, since another kind moves a run as much as many controls do. With ``alike`` their first
    trainings must be equal to the bit; where they are not, other code made one of them. Intervals are of paired
    differences: a seed gives both runs the same order of the data and the same start of the weights that they share.
    Under another threshold other samples are touched, so touched and untouched AUC are then left out.
    """
    made = [{(r.config.seed, r.provenance.cpu): r for r in side} for side in (ours, baseline)]
    common = [pair for pair in made[0] if pair in made[1] and not (alike and not _alike(made[0][pair], made[1][pair]))]
    ours, baseline = ([side[pair] for pair in common] for side in made)
    row = dict.fromkeys(EFFECTS, np.nan) | {"n": len(common)}
    if len(common) < 2:
        return row
    row |= {key: float(np.mean([r.steps for r in side])) for key, side in (("steps", ours), ("base steps", baseline))}
    pairs = {measure: (by_seed(ours, measure), by_seed(baseline, measure)) for measure in COMPARED}
    each = {measure: paired_effect(*pair) for measure, pair in pairs.items()}
    row |= {key: each["auc"][key] for key in ("effect", "low", "high")}
    row |= {"p_paired": each["auc"]["p"], "p_equal_paired": each["auc"]["p_equal"]}
    row |= {"p_welch": effect(*pairs["auc"])["p_welch"]}
    row |= {"logloss": each["logloss"]["effect"]}
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
    text = f"**{row['effect']:+.4f}** ({interval(row['low'], row['high'])}, n = {row['n']:.0f}), {clear}"
    if pd.isna(row["touched auc"]):
        return f"{text}; the samples that a low-frequency feature touches are not recorded apart."
    apart = f"{row['touched auc']:+.4f} ({interval(row['touched low'], row['touched high'])})"
    apart += f", on the others {row['untouched auc']:+.4f}"
    return f"{text}; on the samples that a low-frequency feature touches {apart}."


def on_the_recipe(table: pd.DataFrame) -> str:
    """How far the unstated parts of the base recipe alone move FE, beside the paper's gain; and what is missing."""
    swaps = [control.id for control in controls() if control.swap]
    part = table[table["id"].isin(swaps) & (table["strategy"] == "fe")].dropna(subset="effect")
    whole, none = table["n"] >= table["planned"], table["n"] == 0
    text = f"Of {len(table)} controls {whole.sum()} have all their seeds and {(~whole & ~none).sum()} some of them."
    if none.any():
        text += f" Without a pair that counts, most of them not run: {'; '.join(table[none]['control'])}."
    if part.empty:
        return text
    first = part.loc[part["effect"].abs().sort_values(ascending=False).index].head(2)
    largest = " and ".join(
        f"*{row['control']}*, {row['effect']:+.4f} ({interval(row['low'], row['high'])}, n = {row['n']:.0f})"
        for _, row in first.iterrows()
    )
    return (
        f"Of {len(part)} unstated parts of the base recipe, those that change FE most are {largest}. "
        f"The paper's whole gain over FE is {gain('auc', 'fe'):+.4f}. {text}"
    )
