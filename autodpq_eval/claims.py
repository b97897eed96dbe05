"""A row for each number, plateau and claim of the paper's evaluation, from runs; the ledger judges them together."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import yaml

from autodpq_eval.batch import TABLE_SEEDS
from autodpq_eval.cost import PAPER_END, fe_trainings
from autodpq_eval.figure3 import auc_at, points
from autodpq_eval.lead import gain
from autodpq_eval.measures import by_seed
from autodpq_eval.paper import FACTS, as_number, curve_value, numbers, published, table_value, truncated
from autodpq_eval.stats import BETTER, best_baseline, effect, no_worse, relative_improvement
from autodpq_eval.tables import TABLES
from autodpq_eval.verdicts import on_number, on_space
from autodpq_lib.config import STRATEGIES
from autodpq_runs.record import Record

NOT_PUBLISHED = "can't be tested: the decision behind it is not published"
NO_AVAZU = "can't be tested: the data can't be redistributed; needs avazu placed by hand"

#: What a curve of Figure 3 tells.
OF_CURVES = ("auc_at_end", "auc_at_cost")
#: What is measured in seconds.
OF_COST = ("cost", "auc_at_cost")
#: Columns of the ledger; ``_about``: strategies, model and metric; ``_paper``: the gap that a comparison claims.
Row = dict[str, Any]
Facts = Mapping[str, Mapping[str, Any]]
#: Records by model and strategy, or id of a control.
Runs = Mapping[tuple[str, str], Sequence[Record]]


def rows(runs: Runs, facts: Facts) -> list[Row]:
    """All of them; comparisons still lack their verdict, since their p-values are corrected together."""
    every = [_number(number, runs, facts) for number in numbers().to_dict("records")]
    return [*every, *_improvements(runs), *_plateaus(runs), *_claims(runs, facts)]


def _number(number: Mapping[str, str], runs: Runs, facts: Facts) -> Row:
    """The row of a number of Table 1 or 2."""
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
    """Judged where Space follows without a decision: FE and Others; on Avazu FE, and the least that Grid can have."""
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
        printed = {name: table_value("ml-1m", "deepfm", name, metric) for name in TABLES[1][1]}
        theirs = printed.pop("autodpq")
        paper = relative_improvement(theirs, printed[best_baseline(printed, metric)], metric)
        row: Row = {"id": f"table1-ml-1m-rel-improv-{metric}", "kind": "number", "claim": f"Rel.Improv. in {metric}"}
        row |= {"source": "Table 1", "paper": f"{paper:.4f}", "_about": (tuple(STRATEGIES), "deepfm", metric)}
        rows.append(row | _improvement(runs, metric, paper))
    return rows


def _improvement(runs: Runs, metric: str, paper: float) -> Row:
    """AutoDPQ over the best baseline, a mean over the seeds that all strategies have; Table 1 has a ratio of means."""
    values = {name: _values(runs, "deepfm", name, metric) for name in TABLES[1][1]}
    if not (seeds := set.intersection(*map(set, values.values()))):
        return {"verdict": "missing"}
    means = {name: float(np.mean([each[seed] for seed in seeds])) for name, each in values.items() if name != "autodpq"}
    best = best_baseline(means, metric)
    each = {s: relative_improvement(values["autodpq"][s], values[best][s], metric) for s in sorted(seeds)}
    records = [r for name in (best, "autodpq") for r in runs["deepfm", name] if r.config.seed in seeds]
    return on_number(each, paper) | {"records": _names(records)}


def _plateaus(runs: Runs) -> list[Row]:
    """A row for the height at which each curve of Figure 3 ends."""
    rows = []
    for strategy, paper in published().groupby("strategy")["auc"].last().items():
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
    if metric in OF_COST:
        runs = _of_one_code(runs, claim["better"], claim["worse"])
    ours, baseline = (_values(runs, model, claim[side], metric) for side in ("better", "worse"))
    counts = {"n": len(ours), "n_base": len(baseline)}
    whole = min(counts.values()) >= len(TABLE_SEEDS)  # a missing run is no number
    difference = (effect(ours, baseline) if whole else effect({}, {})) | counts
    if claim.get("no_worse"):
        difference["p_no_worse"] = no_worse(ours, baseline) if whole else math.nan
    if metric not in ("auc", "logloss"):  # which alone are measured in units of the margin
        del difference["p_equal_paired"]
    low, high = sorted([sign * difference["low"], sign * difference["high"]])
    paper = _paper_gap(model, metric, claim["better"], claim["worse"])
    return {
        "paper": "" if math.isnan(paper) else f"{paper:+.6g}",
        "records": _names([r for side in ("better", "worse") for r in _behind(runs, model, claim[side], metric)]),
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
    keys = [("deepfm", name) for name in ("fe", *names)]
    for record in (r for key in keys for r in runs.get(key, ())):
        made[record.config.seed].add((record.provenance.git_commit, record.provenance.cpu))
    return {**runs, **{key: [r for r in runs.get(key, ()) if len(made[r.config.seed]) == 1] for key in keys}}


def _paper_gap(model: str, metric: str, better: str, worse: str) -> float:
    """The paper's difference, positive where the claim holds; NaN where it gives none."""
    if metric == "auc_at_cost":
        return curve_value(better, PAPER_END) - curve_value(worse, PAPER_END)
    return gain(metric, worse, model, better)


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


def _values(runs: Runs, model: str, name: str, metric: str) -> dict[int, float]:
    """A metric by seed: of Tables 1 and 2; cost in FE trainings; AUC at the end of the curve, or where AutoDPQ ends."""
    records, fe = _behind(runs, model, name, metric), [*runs["deepfm", "fe"], *runs["deepfm", "long fe"]]
    if metric not in ("cost", *OF_CURVES):
        return by_seed(records, metric)
    if metric == "cost":
        costs = {r.config.seed: fe_trainings(r, fe, runs["deepfm", "autodpq"]) for r in records}
        return {seed: cost for seed, cost in costs.items() if cost is not None}
    others = [] if name == "autodpq" else runs["deepfm", "autodpq"]
    curves = points([*(fe if name != "fe" else []), *records, *others])
    return auc_at(curves, name, None if metric == "auc_at_end" else "autodpq")


def _behind(runs: Runs, model: str, name: str, metric: str) -> Sequence[Record]:
    """The runs that a metric is of."""
    return _curve_runs(runs, name) if metric == "auc_at_end" else runs[model, name]


def _curve_runs(runs: Runs, name: str) -> Sequence[Record]:
    """The runs whose curve is drawn: of Random the long ones, if every seed of Table 1 has one and its FE."""
    seeds = {key: {r.config.seed for r in runs["deepfm", key]} for key in ("random", "long random", "long fe")}
    of_table = seeds["random"] & {*TABLE_SEEDS}
    whole = of_table and of_table <= seeds["long random"] & seeds["long fe"]
    return runs["deepfm", "long random"] if name == "random" and whole else runs["deepfm", name]


def _names(records: Sequence[Record]) -> str:
    return " ".join(dict.fromkeys(record.config.name() for record in records))
