"""AutoDPQ under each reading against FE, Others and DPQ with one pair: differences, and how sure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from autodpq_eval.controls import controls
from autodpq_eval.figure3 import fe_unit
from autodpq_eval.layout import judged, markdown
from autodpq_eval.measures import by_seed, more_is_better
from autodpq_eval.paper import table_value
from autodpq_eval.plans import PAIR_OF_TABLE_1, TEN_SEEDS, against_baselines
from autodpq_eval.stats import BETTER, by_ranks, common, corrected, effect
from autodpq_eval.tables import read_plans
from autodpq_lib.config import READINGS, RECIPES, RunConfig
from autodpq_runs.record import Record

OURS = "AutoDPQ"
#: Name in the tables -> the control that has all conventions of the laboratory's public code.
CONVENTIONS = {"FE": "all-fe", "Others": "all-others", f"DPQ {PAIR_OF_TABLE_1}": "all-dpq"}
CONVENTIONS |= {f"{OURS}, laboratory": "all-laboratory"}
#: Records by their names in the tables.
Groups = dict[str, list[Record]]
#: First word of a name in the tables -> strategy of the paper's Table 1 beside it.
PAPER = {"FE": "fe", "Others": "others", "DPQ": "grid", "Random": "random", "AutoDPQ": "autodpq"}


def groups(out: Path, plans: Sequence[Mapping[str, RunConfig]]) -> Groups:
    """Records by the names of the plans, of which there is one a seed; empty where none is done."""
    return read_plans(out, {name: [plan[name] for plan in plans] for name in plans[0]})


def means(runs: Mapping[str, Sequence[Record]]) -> pd.DataFrame:
    """A row a name: mean and spread of test AUC and logloss, AUC of the touched samples, Space, and the paper's AUC.

    Cost is AutoDPQ's alone, in FE trainings: its pretrain was measured in the same run, see :func:`fe_unit`.
    """
    rows = []
    for name, records in runs.items():
        row: dict[str, object] = {"name": name, "n": len(records)}
        for measure in ("auc", "logloss", "touched auc"):
            each = pd.Series(by_seed(records, measure), dtype=float)
            row |= {measure: each.mean(), f"{measure} sd": each.std()}
        row["space"] = np.mean([r.space.paper for r in records]) if records else np.nan
        units = {r.config.seed: fe_unit(r, runs["FE"], "seconds") for r in records if name.startswith(OURS)}
        row["cost"] = np.mean([r.seconds / unit for r in records if (unit := units.get(r.config.seed))] or [np.nan])
        row["paper"] = _paper("auc", name)
        rows.append(row)
    return pd.DataFrame(rows).set_index("name")


def comparisons(runs: Mapping[str, Sequence[Record]]) -> pd.DataFrame:
    """AutoDPQ under each reading against each baseline that has runs: positive where AutoDPQ is better.

    Intervals and p-values by Welch and paired, and the two one-sided tests of equivalence within
    :data:`~autodpq_eval.stats.MARGIN`; p-values corrected by Holm over the table. Only seeds that both sides have
    count, so that pairs are pairs.
    """
    rows = []
    every = [(ours, other) for ours in runs if ours.startswith(OURS) for other in compared_with(ours, runs)]
    for metric, (ours, baseline) in product(("auc", "logloss"), every):
        if runs[ours] and runs[baseline]:
            a, b = common(*(more_is_better(runs[name], metric) for name in (ours, baseline)))
            gap = BETTER[metric] * (_paper(metric, ours) - _paper(metric, baseline))
            row: dict[str, object] = {"metric": metric, "a": ours, "b": baseline, "paper": gap}
            rows.append(row | effect(a, b))
    return corrected(rows)


def compared_with(ours: str, names: Collection[str]) -> list[str]:
    """The baselines among the names that AutoDPQ under a reading is compared with: its own DPQ, where it has one."""
    own = ours.removeprefix(OURS)
    return [name + own if name + own in names else name for name in shared_by_all(names)]


def shared_by_all(names: Iterable[str]) -> list[str]:
    """The baselines among the names that are no reading's own."""
    return [name for name in names if not name.endswith(tuple(f", {reading}" for reading in READINGS))]


def on_laboratory_split(out: Path) -> str:
    """:func:`in_short` for MovieLens-1M on the laboratory's split, recipe ``paper``, from the records below ``out``."""
    plans = [against_baselines("ml-1m", "paper", seed, PAIR_OF_TABLE_1, split="laboratory") for seed in TEN_SEEDS]
    there = groups(out, plans)
    missing = [name for name, records in there.items() if not records]
    if missing:
        return f"No runs on the laboratory's split of {', '.join(missing)}."
    return in_short(means(there), comparisons(there)) + under_conventions(out)


def under_conventions(out: Path) -> str:
    """The laboratory reading on the laboratory's split under :data:`CONVENTIONS`, too, in each recipe; or nothing."""
    told = " ".join(filter(None, (_under_conventions(out, recipe) for recipe in RECIPES)))
    if not told:
        return ""
    return (
        "With the other conventions of the laboratory's code as well, one order of rows in all epochs, patience 2 and "
        f"the last epoch scored, the laboratory reading's differences are these. {told} *By ranks* is an estimate that "
        "one odd seed hardly moves.\n"
    )


def _under_conventions(out: Path, recipe: str) -> str:
    of = {control.id: control for control in controls()}
    found = groups(out, [{n: of[i].config("ml-1m", recipe, s) for n, i in CONVENTIONS.items()} for s in TEN_SEEDS])
    if not all(found.values()):
        return ""
    rows = comparisons(found).query("metric == 'auc'")
    aucs, said = {name: by_seed(each, "auc") for name, each in found.items()}, []
    for _, row in rows.iterrows():
        centre = by_ranks(aucs[row["a"]], aucs[row["b"]])["centre"]
        said.append(f"over {row['b']} {judged(row)}, by ranks {centre:+.4f} (the paper {row['paper']:+.4f})")
    return f"Recipe `{recipe}`, {rows['n'].min()} seeds: {'; '.join(said)}."


def in_short(every: pd.DataFrame, against: pd.DataFrame) -> str:
    """What :func:`means` and :func:`comparisons` show of AUC, as a Markdown table and a sentence on the baselines."""
    theirs, leads = every.loc[shared_by_all(every.index)], against.query("metric == 'auc'")
    gaps = theirs["auc"] - theirs["paper"]
    paper = leads[leads["b"].isin(theirs.index)].drop_duplicates("b").set_index("b")["paper"]
    head = ["reading", "AUC ↑", "FE trainings ↓"]
    rows = [
        [str(name).rsplit(maxsplit=1)[-1], f"{row['auc']:.4f}", f"{row['cost']:.1f}"]
        + [judged(each) for _, each in leads.query("a == @name").iterrows()]
        for name, row in every[every.index.str.startswith(OURS)].iterrows()
    ]
    head += [f"over {name}, the paper {gap:+.4f}" for name, gap in paper.items()]
    said = f"{', '.join(theirs.index)} lie {gaps.min():+.4f} to {gaps.max():+.4f} from the paper's AUC"
    said += f"; the paper's AutoDPQ has {every['paper'].iloc[-1]:.4f}. {_largest(leads[leads['b'] == 'FE'])}"
    return f"{markdown(head, rows)}\n{said}\n"


def _largest(over_fe: pd.DataFrame) -> str:
    best = over_fe.loc[over_fe["effect"].idxmax()]
    gains = f"{best['effect']:+.4f}, where the paper has {best['paper']:+.4f}"
    return f"The largest gain over FE is that of the {best['a'].rsplit(maxsplit=1)[-1]} reading, {gains}."


def _paper(metric: str, name: str) -> float:
    return table_value("ml-1m", "deepfm", PAPER[re.split(r"[ ,]", name)[0]], metric)
