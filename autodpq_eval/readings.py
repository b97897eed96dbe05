"""AutoDPQ under each reading against FE, Others and DPQ with one pair: differences, and how sure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from autodpq_data.split import Split
from autodpq_eval.batch import TABLE_SEEDS
from autodpq_eval.compared import compared
from autodpq_eval.controls import controls
from autodpq_eval.cost import fe_trainings
from autodpq_eval.layout import LABELS, markdown
from autodpq_eval.lead import gain, lead_between, paper_lead, verdict
from autodpq_eval.measures import by_seed
from autodpq_eval.paper import table_value
from autodpq_eval.plans import PAIR_OF_TABLE_1, TEN_SEEDS, against_baselines
from autodpq_eval.stats import by_ranks
from autodpq_eval.tables import build, collect, read_plans
from autodpq_eval.words import judged
from autodpq_lib.config import READINGS, RECIPES, STRATEGIES, RunConfig
from autodpq_runs.record import Record

OURS = "AutoDPQ"
#: Name in the tables -> the control that has all conventions of the laboratory's public code.
CONVENTIONS = {"FE": "all-fe", "Others": "all-others", f"DPQ {PAIR_OF_TABLE_1}": "all-dpq"}
CONVENTIONS |= {f"{OURS}, laboratory": "all-laboratory"}
#: Records by their names in the tables.
Groups = dict[str, list[Record]]
#: First word of a name in the tables -> strategy of the paper's Table 1 beside it.
PAPER = {"DPQ": "grid"} | {LABELS[name]: name for name in STRATEGIES}


def groups(out: Path, plans: Sequence[Mapping[str, RunConfig]]) -> Groups:
    """Records by the names of the plans, of which there is one a seed; empty where none is done."""
    return read_plans(out, {name: [plan[name] for plan in plans] for name in plans[0]})


def on_ten_seeds(out: Path, recipe: str, split: Split, pair: tuple[int, int] = PAIR_OF_TABLE_1) -> Groups:
    """MovieLens-1M's records below ``out`` of AutoDPQ under each reading and its baselines, DPQ with that pair."""
    plans = [against_baselines("ml-1m", recipe, seed, pair, split=split) for seed in TEN_SEEDS]
    return groups(out, plans)


def means(runs: Mapping[str, Sequence[Record]]) -> pd.DataFrame:
    """A row a name: mean and spread of test AUC and logloss, AUC of the touched samples, Space, and the paper's AUC.

    Cost is AutoDPQ's alone, a median in FE trainings: its pretrain was measured in the same run (:func:`fe_trainings`).
    """
    rows = []
    for name, records in runs.items():
        row: dict[str, object] = {"name": name, "n": len(records)}
        for measure in ("auc", "logloss", "touched auc"):
            each = pd.Series(by_seed(records, measure), dtype=float)
            row |= {measure: each.mean(), f"{measure} sd": each.std()}
        row["space"] = np.mean([r.space.paper for r in records]) if records else np.nan
        costs = [fe_trainings(r, runs["FE"]) for r in records if name.startswith(OURS)]
        row["cost"] = np.median([cost for cost in costs if cost] or [np.nan])
        row["paper"] = table_value("ml-1m", "deepfm", _strategy(name), "auc")
        rows.append(row)
    return pd.DataFrame(rows).set_index("name")


def comparisons(runs: Mapping[str, Sequence[Record]]) -> pd.DataFrame:
    """AutoDPQ under each reading over each baseline that has runs, beside the paper's gap.

    See :func:`~autodpq_eval.compared.compared`.
    """
    every = [(ours, other) for ours in runs if ours.startswith(OURS) for other in compared_with(ours, runs)]
    table = compared(runs, [(ours, other) for ours, other in every if runs[ours] and runs[other]])
    return table.assign(paper=[_gap(*row) for row in table[["metric", "b"]].itertuples(index=False)])


def compared_with(ours: str, names: Collection[str]) -> list[str]:
    """The baselines among the names that AutoDPQ under a reading is compared with: its own DPQ, where it has one."""
    own = ours.removeprefix(OURS)
    return [name + own if name + own in names else name for name in shared_by_all(names)]


def shared_by_all(names: Iterable[str]) -> list[str]:
    """The baselines among the names that are no reading's own."""
    return [name for name in names if not name.endswith(tuple(f", {reading}" for reading in READINGS))]


def on_laboratory_split(out: Path) -> str:
    """:func:`in_short` for MovieLens-1M on the laboratory's split, recipe ``paper``, from the records below ``out``."""
    there = on_ten_seeds(out, "paper", "laboratory")
    missing = [name for name, records in there.items() if not records]
    if missing:
        return f"No runs on the laboratory's split of {', '.join(missing)}."
    tables = {r: build(collect(1, out, "ml-1m", "paper", TABLE_SEEDS, reading=r, split="laboratory")) for r in READINGS}
    return f"{in_short(there, under_conventions(out), tables)}\n"


def starred(tables: Mapping[str, pd.DataFrame]) -> str:
    """Under which readings AutoDPQ beats the best baseline of Table 1 on the laboratory's split."""
    holds = [f"*{reading}*" for reading, table in tables.items() if verdict(table) == "holds here"]
    return (
        "Starred in AUC and in logloss in Table 1 on this split, as in the paper: "
        f"{', '.join(holds) or 'no reading'}. On its three seeds the laboratory reading had been tried before."
    )


def under_conventions(out: Path) -> dict[str, Groups]:
    """Recipe -> the laboratory reading and its baselines under :data:`CONVENTIONS`, where all of these have runs."""
    of, found = {control.id: control for control in controls()}, {}
    for recipe in RECIPES:
        plans = [{n: of[i].config("ml-1m", recipe, seed) for n, i in CONVENTIONS.items()} for seed in TEN_SEEDS]
        found[recipe] = groups(out, plans)
    return {recipe: runs for recipe, runs in found.items() if all(runs.values())}


def in_short(there: Groups, under: Mapping[str, Groups], tables: Mapping[str, pd.DataFrame]) -> str:
    """AUC of AutoDPQ under each reading, and under all conventions by recipe, as Markdown; and what that shows.

    Args:
        there: the runs on the laboratory's split.
        under: those under all conventions, by recipe.
        tables: Table 1 on that split, by reading.
    """
    rows = []
    more = {f", all conventions, `{recipe}`": runs for recipe, runs in under.items()}
    for suffix, runs in {"": there, **more}.items():
        every = means(runs)
        for name, leads in auc_leads(runs).groupby("a", sort=False):
            title, ours = str(name).removeprefix(f"{OURS}, ") + suffix, every.loc[name]
            cells = [f"{ours['auc']:.4f}", f"{ours['cost']:.1f}", *map(judged, leads.to_dict("records"))]
            rows.append([title, *cells, lead_between(tables[title], "auc") if title in tables else "–"])
    head = ["reading", "AUC ↑", "FE trainings ↓"]
    head += [f"over {name}, the paper{_over(name)} {_gap('auc', name):+.4f}" for name in shared_by_all(there)]
    head.append(f"over the best baseline of Table 1, {len(TABLE_SEEDS)} seeds, the paper {paper_lead('auc'):+.4f}")
    said = [_baselines(there), *([_conventions(under)] if under else [])]
    said.append(f"In the last column interval and first p are Welch's, and not corrected. {starred(tables)}")
    return f"{markdown(head, rows)}\n{' '.join(said)}"


def auc_leads(runs: Groups) -> pd.DataFrame:
    """The comparisons of AUC, of each reading FE first, with the differences and intervals by ranks."""
    rows = comparisons(runs).query("metric == 'auc'").reset_index(drop=True)
    ranks = [by_ranks(*(by_seed(runs[row[side]], "auc") for side in "ab")) for _, row in rows.iterrows()]
    return rows.join(pd.DataFrame(ranks))


def _baselines(there: Groups) -> str:
    every = means(there)
    shared = shared_by_all(every.index)
    furthest = (every["auc"] - every["paper"])[shared].abs().max()
    return (
        f"Without other conventions the AUCs of {', '.join(shared)} are within {furthest:.4f} of those of the paper's "
        f"{', '.join(LABELS[_strategy(n)] for n in shared)}; the paper's AutoDPQ has {every['paper'].iloc[-1]:.4f}."
    )


def _conventions(under: Mapping[str, Groups]) -> str:
    """What all conventions are, and what FE and AutoDPQ have under them."""
    every = {recipe: means(runs)["auc"] for recipe, runs in under.items()}
    there = [f"{aucs['FE']:.4f} and {aucs[f'{OURS}, laboratory']:.4f} (`{recipe}`)" for recipe, aucs in every.items()]
    return (
        "*All conventions*: one order of rows in all epochs, patience 2 and the last epoch scored, for the baselines "
        f"too; there FE and AutoDPQ have {', '.join(there)}."
    )


def _gap(metric: str, baseline: str) -> float:
    """The paper's, positive where AutoDPQ is better."""
    return gain(metric, _strategy(baseline))


def _over(name: str) -> str:
    """What the paper's gain is over, where it has no such baseline: that of DPQ (8, 8) is over its Grid."""
    own = LABELS[_strategy(name)]
    return "" if name == own else f" over its {own}"


def _strategy(name: str) -> str:
    """Of the paper's Table 1, beside a name of the tables."""
    return PAPER[re.split(r"[ ,]", name)[0]]
