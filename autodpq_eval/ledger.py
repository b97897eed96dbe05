"""The ledger: every number and claim of the paper's evaluation, with a verdict by fixed rules, in each case of ours."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import yaml

from autodpq_eval.cost import PAPER_END
from autodpq_eval.facts import read_facts
from autodpq_eval.figure3 import auc_at, fe_unit, points
from autodpq_eval.paper import FACTS, as_number, curve_value, table_value, truncated
from autodpq_eval.plans import PAIR_OF_TABLE_1, TEN_SEEDS, configure, controls, long_random
from autodpq_eval.stats import BETTER, best_baseline, effect, relative_improvement
from autodpq_eval.tables import TABLES, metric_of, read_plan
from autodpq_eval.ten_seeds import holm
from autodpq_eval.verdicts import on_comparison, on_number, on_space
from autodpq_lib.config import MODELS, READINGS, RECIPES, STRATEGIES, RunConfig
from autodpq_runs.record import Record

COLUMNS = [
    "id", "recipe", "reading", "split", "kind", "claim", "source", "paper", "ours", "low", "high", "n", "verdict",
    "records",
]  # fmt: skip
#: What the tests behind the comparisons say, for those who want to check a verdict.
TESTS = ["id", "recipe", "reading", "split", "ours", "low", "high", "n", "n_base", "p", "p_holm", "p_paired", "verdict"]
NOT_PUBLISHED = "can't be tested: the decision behind it is not published"
NO_AVAZU = "can't be tested: the data can't be redistributed; needs avazu placed by hand"

#: Strategies that have runs on the laboratory's split; its Grid is the one pair of :data:`PAIR_OF_TABLE_1`.
ON_LABORATORY_SPLIT = {"fe", "others", "grid", "autodpq"}

Row = dict[str, Any]
Facts = Mapping[str, Mapping[str, Any]]
Runs = Mapping[tuple[str, str], Sequence[Record]]


class Case(NamedTuple):
    """What a ledger's rows are of, beside the paper."""

    recipe: str
    reading: str = "literal"
    split: str = "fixed"

    def has(self, row: Row) -> bool:
        """Whether a row is of this case: a reading changes AutoDPQ alone, and the laboratory's split has few runs."""
        names, model, metric = row.get("_about", ((), "", ""))
        own = self.reading == "literal" or ("autodpq" in names and set(names) <= set(STRATEGIES))
        there = set(names) <= ON_LABORATORY_SPLIT and model == "deepfm" and metric in ("auc", "logloss")
        return own and (self.split == "fixed" or (bool(names) and there))


#: The recipe of the laboratory's split is that of its code.
CASES = [
    *(Case(recipe, reading) for recipe in RECIPES for reading in READINGS),
    *(Case("paper", reading, "laboratory") for reading in READINGS),
]


def ledger(out: Path) -> pd.DataFrame:
    """The rows of all :data:`CASES`, from the MovieLens-1M records and facts below ``out``; COLUMNS, then TESTS."""
    rows: list[Row] = []
    facts = read_facts(out)
    read = cache(lambda plan: read_plan(out, plan)[0])
    for case in CASES:
        runs = plain_runs(case, read)
        each = [*_numbers(runs, facts), *_improvements(runs), *_plateaus(runs), *_claims(runs, facts)]
        rows += [{**case._asdict(), **row} for row in judged([row for row in each if case.has(row)])]
    return pd.DataFrame(rows, columns=list(dict.fromkeys(COLUMNS + TESTS)))


def as_printed(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of the literal reading on our split."""
    return table[(table["reading"] == "literal") & (table["split"] == "fixed")]


def plain_runs(case: Case, read: Callable[[tuple[RunConfig, ...]], list[Record]]) -> Runs:
    """Records by model and strategy, all seeds at hand; the controls by their id; Figure 3's long Random and its FE."""
    plans: dict[tuple[str, str], list[RunConfig]] = {
        (model, strategy): [_configured(case, strategy, seed, model) for seed in TEN_SEEDS]
        for model in MODELS
        for strategy in STRATEGIES
    }
    plans |= {("deepfm", c.id): [c.config("ml-1m", case.recipe, seed) for seed in TEN_SEEDS] for c in controls()}
    for run in long_random("ml-1m", case.recipe, list(TEN_SEEDS)):
        plans.setdefault(("deepfm", f"long {run.strategy}"), []).append(run)
    return {key: read(tuple(plan)) for key, plan in plans.items()}


def _configured(case: Case, strategy: str, seed: int, model: str) -> RunConfig:
    switches: dict[str, Any] = {"model": model, "split": case.split}
    if strategy == "autodpq":
        switches["reading"] = case.reading
    if strategy == "grid" and case.split == "laboratory":
        switches |= {"centroids": PAIR_OF_TABLE_1[:1], "subspaces": PAIR_OF_TABLE_1[1:]}
    return configure("ml-1m", case.recipe, strategy, seed, **switches)


def _numbers(runs: Runs, facts: Facts) -> list[Row]:
    """A row for each number of Tables 1 and 2."""
    published = pd.read_csv(FACTS / "tables.csv", dtype=str)
    return [_number(number, runs, facts) for number in published.to_dict("records")]


def _number(number: Mapping[str, str], runs: Runs, facts: Facts) -> Row:
    table, dataset, model, strategy, metric = (number[k] for k in ("table", "dataset", "model", "strategy", "metric"))
    row = {
        "id": f"table{table}-{dataset}-{model}-{strategy}-{metric}",
        "kind": "space" if metric == "space" else "number",
        "claim": f"{metric} of {strategy} on {model}, {dataset}",
        "source": f"Table {table}",
        "paper": number["value"],
        "_about": ((strategy,) if dataset == "ml-1m" else (), model, metric),
    }
    if metric == "space":
        return row | _space(dataset, strategy, number["value"], runs[model, strategy], facts)
    if dataset != "ml-1m":
        return {**row, "verdict": NO_AVAZU}
    found = on_number(_values(runs, model, strategy, metric), as_number(number["value"]))
    return row | found | {"records": _names(runs[model, strategy])}


def _space(dataset: str, strategy: str, paper: str, records: Sequence[Record], facts: Facts) -> Row:
    """Space is judged where it is implied: FE and Others; FE and Grid on Avazu. Who chose a pair chose its Space."""
    if dataset != "ml-1m":
        fact = {"fe": "avazu_fe_space", "grid": "avazu_grid_least"}.get(strategy)
        return {**on_space(int(facts[fact]["value"]), paper)} if fact else {"verdict": NO_AVAZU}
    if not records:
        return {"verdict": "missing"}
    mean = int(np.mean([record.space.paper for record in records]))
    common = {"n": len(records), "records": _names(records)}
    judgement = on_space(mean, paper) if strategy in ("fe", "others") else {"verdict": NOT_PUBLISHED}
    return {**common, "ours": truncated(mean), **judgement}


def _improvements(runs: Runs) -> list[Row]:
    """Rel.Improv. of Table 1, against the best baseline of each metric."""
    rows: list[Row] = []
    for metric in ("auc", "logloss"):
        printed = {name: table_value(1, "ml-1m", "deepfm", name, metric) for name in TABLES[1][1]}
        theirs = printed.pop("autodpq")
        paper = relative_improvement(theirs, printed[best_baseline(printed, metric)], metric)
        baselines = {name: _values(runs, "deepfm", name, metric) for name in TABLES[1][1] if name != "autodpq"}
        row: Row = {"id": f"table1-ml-1m-rel-improv-{metric}", "kind": "number", "claim": f"Rel.Improv. in {metric}"}
        row |= {"source": "Table 1", "paper": f"{paper:.4f}", "_about": (tuple(STRATEGIES), "deepfm", metric)}
        ours = _values(runs, "deepfm", "autodpq", metric)
        if not ours or not all(baselines.values()):
            rows.append({**row, "verdict": "missing"})
            continue
        best = best_baseline({name: float(np.mean(list(v.values()))) for name, v in baselines.items()}, metric)
        base = baselines[best]
        each = {s: relative_improvement(ours[s], base[s], metric) for s in sorted(set(ours) & set(base))}
        records = [*runs["deepfm", best], *runs["deepfm", "autodpq"]]
        rows.append({**row, **on_number(each, paper), "records": _names(records)})
    return rows


def _plateaus(runs: Runs) -> list[Row]:
    """A row for the height at which each curve of Figure 3 ends."""
    rows = []
    for strategy, paper in pd.read_csv(FACTS / "figure3.csv").groupby("strategy")["auc"].last().items():
        row: Row = {"id": f"figure3-{strategy}", "kind": "number", "claim": f"the curve of {strategy} ends at this AUC"}
        row |= {"source": "Figure 3", "paper": f"{paper:.4f}", "records": _names(_curve_runs(runs, str(strategy)))}
        row["_about"] = (strategy,), "deepfm", "auc_at_end"
        rows.append(row | on_number(_values(runs, "deepfm", str(strategy), "auc_at_end"), float(paper)))
    return rows


def _claims(runs: Runs, facts: Facts) -> list[Row]:
    """A row for each claim of ``config/paper/claims.yaml``."""
    make = {"comparison": _comparison, "number": _cost, "fact": _fact, "untestable": _untestable}
    rows = []
    for claim in yaml.safe_load((FACTS / "claims.yaml").read_text()):
        row = {key: claim[key] for key in ("id", "kind", "claim", "source")}
        rows.append(row | make[claim["kind"]](claim, runs, facts))
    return rows


def _comparison(claim: Mapping[str, Any], runs: Runs, _: Facts) -> Row:
    """Ours minus theirs, positive where the claim holds; judged once all p-values are corrected together."""
    model, metric = claim.get("model", "deepfm"), claim["metric"]
    sign = BETTER[metric]
    if metric == "cost":
        runs = _of_one_code(runs, claim["better"], claim["worse"])
    ours, baseline = (_values(runs, model, claim[side], metric) for side in ("better", "worse"))
    difference = effect(ours, baseline)
    if math.isnan(difference["p"]) and min(len(ours), len(baseline)) > 1:  # no spread at all on either side
        difference |= {"p": 0.0, "low": difference["effect"], "high": difference["effect"]}
    low, high = sorted([sign * difference["low"], sign * difference["high"]])
    paper = _paper_gap(model, metric, claim["better"], claim["worse"])
    return {
        "paper": "" if math.isnan(paper) else f"{paper:+.6g}",
        "records": _names([r for side in ("better", "worse") for r in runs[model, claim[side]]]),
        **difference,
        "ours": sign * difference["effect"],
        "low": low,
        "high": high,
        "_paper": paper,
        "_about": ((claim["better"], claim["worse"]), model, metric),
    }


def _of_one_code(runs: Runs, *names: str) -> Runs:
    """The runs of the seeds whose records, FE's among them, are of one commit on one kind of processor.

    Seconds of two versions of the code, or of two machines, can't be compared.
    """
    made: dict[int, set[tuple[str | None, str]]] = defaultdict(set)
    for record in (r for name in ("fe", *names) for r in runs["deepfm", name]):
        made[record.config.seed].add((record.provenance.git_commit, record.provenance.cpu))
    return {key: [r for r in each if len(made[r.config.seed]) == 1] for key, each in runs.items()}


def _paper_gap(model: str, metric: str, better: str, worse: str) -> float:
    """The paper's difference, positive where the claim holds; NaN where it gives none."""
    if metric == "auc_at_cost":
        return curve_value(better, PAPER_END) - curve_value(worse, PAPER_END)
    number = 1 if model == "deepfm" else 2
    ours, theirs = (table_value(number, "ml-1m", model, name, metric) for name in (better, worse))
    return BETTER[metric] * (ours - theirs)


def _cost(claim: Mapping[str, Any], runs: Runs, _: Facts) -> Row:
    records = runs["deepfm", claim["strategy"]]
    found = on_number(_values(runs, "deepfm", claim["strategy"], claim["metric"]), claim["paper"])
    about = (claim["strategy"],), "deepfm", claim["metric"]
    return {"paper": str(claim["paper"]), "records": _names(records), "_about": about, **found}


def _fact(claim: Mapping[str, Any], _: Runs, facts: Facts) -> Row:
    fact = facts[claim["fact"]]
    verdict = "reproduced" if fact["holds"] else "contradicted"
    return {"paper": claim["paper"], "ours": fact["value"], "verdict": verdict}


def _untestable(claim: Mapping[str, Any], _: Runs, __: Facts) -> Row:
    return {"verdict": f"can't be tested: {claim['why']}"}


def judged(rows: Sequence[Row]) -> list[Row]:
    """Judge the comparisons, whose p-values are corrected together; a missing one counts as p = 1 in the family."""
    compared = [row for row in rows if "_paper" in row]
    adjusted = holm(np.array([1.0 if math.isnan(row["p"]) else row["p"] for row in compared]))
    for row, p in zip(compared, adjusted, strict=True):
        missing = math.isnan(row["p"])
        row["p_holm"] = math.nan if missing else p
        row["verdict"] = "missing" if missing else on_comparison(row["ours"], p, row["_paper"])
    return list(rows)


def _values(runs: Runs, model: str, name: str, metric: str) -> dict[int, float]:
    """A metric by seed: of Tables 1 and 2; cost in FE trainings; AUC at the end of the curve, or where AutoDPQ ends."""
    if metric in BETTER and metric not in ("cost", "auc_at_cost"):
        return {record.config.seed: metric_of(record, metric) for record in runs[model, name]}
    records, fe = _curve_runs(runs, name), [*runs["deepfm", "fe"], *runs["deepfm", "long fe"]]
    if metric == "cost":
        units = {r.config.seed: fe_unit(r, fe, "seconds") for r in records}
        return {r.config.seed: r.seconds / unit for r in records if (unit := units[r.config.seed])}
    others = [] if name == "autodpq" else runs["deepfm", "autodpq"]
    curves = points([*(fe if name != "fe" else []), *records, *others])
    return auc_at(curves, name, None if metric == "auc_at_end" else "autodpq")


def _curve_runs(runs: Runs, name: str) -> Sequence[Record]:
    """The runs whose curve is drawn: of Random the long ones, if every seed of Table 1 has one and its FE."""
    seeds = {key: {r.config.seed for r in runs["deepfm", key]} for key in ("random", "long random", "long fe")}
    whole = seeds["random"] <= seeds["long random"] & seeds["long fe"]
    return runs["deepfm", "long random"] if name == "random" and whole and seeds["random"] else runs["deepfm", name]


def _names(records: Sequence[Record]) -> str:
    return " ".join(dict.fromkeys(record.config.name() for record in records))


def as_csv(table: pd.DataFrame) -> str:
    """The ledger as data, six significant digits."""
    return _csv(table[COLUMNS])


def comparisons_as_csv(table: pd.DataFrame) -> str:
    """The tests behind the comparisons, as data."""
    return _csv(table.loc[table["kind"] == "comparison", TESTS])


def _csv(table: pd.DataFrame) -> str:
    def text(value: object) -> object:
        if isinstance(value, float):
            return "" if math.isnan(value) else f"{value:.6g}"
        return value

    return str(table.map(text).to_csv(index=False))


def counts(table: pd.DataFrame) -> pd.DataFrame:
    """Number of rows by kind, verdict and case; what Table 2 repeats of Table 1 is left out; facts have no case."""
    shown = table[~table["id"].str.startswith("table2-ml-1m-deepfm")]
    verdicts = shown["verdict"].str.replace(r"^off by.*", "off", regex=True).str.replace(r":.*", "", regex=True)
    cases = shown.apply(_titled, axis=1).where(shown["kind"] != "fact", "any")
    once = ~(shown["kind"].eq("fact") & shown.duplicated("id"))
    each = pd.crosstab([shown["kind"][once], verdicts[once]], cases[once]).rename_axis(
        index=["kind", "verdict"], columns=None
    )
    return each[list(dict.fromkeys(["any", *cases]))]


def _titled(row: Mapping[str, str]) -> str:
    """A case in a few words: ``paper``, ``paper, text``, ``laboratory's split, text``."""
    place = row["recipe"] if row["split"] == "fixed" else f"{row['split']}'s split"
    return place if row["reading"] == "literal" else f"{place}, {row['reading']}"
