"""The ledger: one row a recipe for every number and claim of the paper's evaluation, with a verdict by fixed rules."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from scipy import stats

from autodpq_eval.effects import effect
from autodpq_eval.facts import kept
from autodpq_eval.figure3 import auc_at, points
from autodpq_eval.paper import FACTS, as_number, table_value, truncated
from autodpq_eval.plans import TEN_SEEDS, configure, controls
from autodpq_eval.stats import LEVEL
from autodpq_eval.tables import read_plan
from autodpq_eval.ten_seeds import holm
from autodpq_lib.config import MODELS, RECIPES, STRATEGIES, RunConfig
from autodpq_lib.record import Record

COLUMNS = [
    "id", "recipe", "kind", "claim", "source", "paper", "ours", "low", "high", "n", "verdict", "records",
]  # fmt: skip
#: A number within this of the paper's counts as reproduced: the level that the paper calls significant.
CLOSE = 0.001
HIGHER_IS_BETTER = {"auc": 1, "auc_at_cost": 1, "logloss": -1, "cost": -1}
NOT_PUBLISHED = "can't be tested: the decision behind it is not published"
NO_AVAZU = "can't be tested: the data can't be redistributed; needs avazu placed by hand"

Row = dict[str, Any]
Facts = Mapping[str, Mapping[str, Any]]
Runs = Mapping[tuple[str, str], Sequence[Record]]


def ledger(out: Path) -> pd.DataFrame:
    """All rows of both recipes, from the MovieLens-1M records and facts below ``out``."""
    rows: list[Row] = []
    facts = kept(out)
    for recipe in RECIPES:
        runs = plain_runs(out, recipe)
        found = [*_numbers(runs, facts), *_plateaus(runs), *_claims(runs, facts)]
        rows += [{"recipe": recipe, **row} for row in _with_verdicts(found)]
    return pd.DataFrame(rows, columns=COLUMNS)


def plain_runs(out: Path, recipe: str) -> Runs:
    """Records by model and strategy, all seeds at hand; and the controls, by ``deepfm`` and their id."""
    plans: dict[tuple[str, str], list[RunConfig]] = {
        (model, strategy): [configure("ml-1m", recipe, strategy, seed, model=model) for seed in TEN_SEEDS]
        for model in MODELS
        for strategy in STRATEGIES
    }
    plans |= {("deepfm", c.id): [c.config("ml-1m", recipe, seed) for seed in TEN_SEEDS] for c in controls()}
    return {key: read_plan(out, plan)[0] for key, plan in plans.items()}


def _numbers(runs: Runs, facts: Facts) -> list[Row]:
    """A row for each number of Tables 1 and 2."""
    published = pd.read_csv(FACTS / "tables.csv", dtype=str)
    return [_number(number, runs, facts) for number in published.to_dict("records")]


def _number(fact: Mapping[str, str], runs: Runs, facts: Facts) -> Row:
    table, dataset, model, strategy, metric = (fact[k] for k in ("table", "dataset", "model", "strategy", "metric"))
    row = {
        "id": f"table{table}-{dataset}-{model}-{strategy}-{metric}",
        "kind": "space" if metric == "space" else "number",
        "claim": f"{metric} of {strategy} on {model}, {dataset}",
        "source": f"Table {table}",
        "paper": fact["value"],
    }
    if dataset != "ml-1m":
        return {**row, "verdict": NO_AVAZU}
    records = runs[model, strategy]
    if metric != "space":
        return row | _mean(_values(runs, model, strategy, metric), records, as_number(fact["value"]))
    return row | _space_number(strategy, fact["value"], records, facts)


def _space_number(strategy: str, paper: str, records: Sequence[Record], facts: Facts) -> Row:
    """Space is compared where the decision is implied: FE and Others have none, Grid's can only be (8, 8)."""
    if not records:
        return {"verdict": "missing"}
    spaces = {record.space.paper for record in records}
    common = {"n": len(records), "records": _names(records)}
    if strategy == "grid":
        spaces = {int(facts["grid_space"]["value"])}
    if strategy in ("random", "autodpq"):
        return {**common, "ours": truncated(int(np.mean(list(spaces)))), "verdict": NOT_PUBLISHED}
    (space,) = spaces
    return {**common, "ours": truncated(space), "verdict": "reproduced" if truncated(space) == paper else "off"}


def _plateaus(runs: Runs) -> list[Row]:
    """A row for the height at which each curve of Figure 3 ends."""
    facts = pd.read_csv(FACTS / "figure3.csv").groupby("strategy")["auc"].last()
    rows = []
    for strategy, paper in facts.items():
        values = _values(runs, "deepfm", strategy, "auc_at_end")
        row = {"id": f"figure3-{strategy}", "kind": "number", "claim": f"the curve of {strategy} ends at this AUC"}
        rows.append(
            {**row, "source": "Figure 3", "paper": f"{paper:.4f}", **_mean(values, runs["deepfm", strategy], paper)}
        )
    return rows


def _claims(runs: Runs, facts: Facts) -> list[Row]:
    """A row for each claim of ``config/paper/claims.yaml``."""
    make = {"comparison": _comparison, "space": _space_claim, "number": _cost, "fact": _fact, "untestable": _untestable}
    rows = []
    for claim in yaml.safe_load((FACTS / "claims.yaml").read_text()):
        row = {key: claim[key] for key in ("id", "kind", "claim", "source")}
        rows.append(row | make[claim["kind"]](claim, runs, facts))
    return rows


def _comparison(claim: Mapping[str, Any], runs: Runs, _: Facts) -> Row:
    """Ours minus theirs, positive where the claim holds; the verdict follows once all p-values are corrected."""
    model, metric = claim.get("model", "deepfm"), claim["metric"]
    sign = HIGHER_IS_BETTER[metric]
    ours, base = (_values(runs, model, claim[side], metric) for side in ("better", "worse"))
    found = effect(ours, base)
    edges = sorted([sign * found["low"], sign * found["high"]])
    records = [r for side in ("better", "worse") for r in runs[model, claim[side]]]
    paper = _paper_gap(model, metric, claim["better"], claim["worse"])
    row = {"paper": "" if math.isnan(paper) else f"{paper:+.4f}", "n": found["n"], "records": _names(records)}
    if math.isnan(found["p"]):
        return {**row, "verdict": "missing"}
    return {**row, "ours": sign * found["effect"], "low": edges[0], "high": edges[1], "_p": found["p"], "_paper": paper}


def _paper_gap(model: str, metric: str, better: str, worse: str) -> float:
    """The paper's difference, positive where the claim holds; NaN where it gives none."""
    number, printed = (1 if model == "deepfm" else 2), metric.removesuffix("_at_cost")
    ours, base = (table_value(number, "ml-1m", model, name, printed) for name in (better, worse))
    return HIGHER_IS_BETTER[metric] * (ours - base)


def _space_claim(claim: Mapping[str, Any], runs: Runs, _: Facts) -> Row:
    """Mean Space in thousands of units, ours minus theirs: no test, since Space follows from the decision."""
    sides = [runs[claim.get("model", "deepfm"), claim[side]] for side in ("worse", "better")]
    if not all(sides):
        return {"verdict": "missing"}
    saved = float(np.mean([r.space.paper for r in sides[0]]) - np.mean([r.space.paper for r in sides[1]]))
    records = [record for side in sides for record in side]
    verdict = "reproduced" if saved > 0 else "contradicted"
    return {"ours": saved, "n": min(map(len, sides)), "verdict": verdict, "records": _names(records)}


def _cost(claim: Mapping[str, Any], runs: Runs, _: Facts) -> Row:
    strategy, metric = claim["strategy"], claim["metric"]
    values = _values(runs, "deepfm", strategy, metric)
    return {"paper": str(claim["paper"]), **_mean(values, runs["deepfm", strategy], claim["paper"])}


def _fact(claim: Mapping[str, Any], _: Runs, facts: Facts) -> Row:
    fact = facts[claim["fact"]]
    judged = "reproduced" if fact["holds"] else "contradicted"
    return {"paper": claim["paper"], "ours": fact["value"], "verdict": judged}


def _untestable(claim: Mapping[str, Any], _: Runs, __: Facts) -> Row:
    return {"verdict": f"can't be tested: {claim['why']}"}


def _mean(values: Mapping[int, float], records: Sequence[Record], paper: float) -> Row:
    """Mean, 95 % interval over the seeds, and the verdict on a number."""
    if len(values) < 2:
        return {"n": len(values), "verdict": "missing"}
    each = np.array(list(values.values()))
    half = stats.t.ppf(0.975, len(each) - 1) * each.std(ddof=1) / math.sqrt(len(each))
    mean, low, high = each.mean(), each.mean() - half, each.mean() + half
    same = abs(mean - paper) <= CLOSE or low <= paper <= high
    verdict = "reproduced" if same else f"off by {mean - paper:+.4f}"
    return {"ours": mean, "low": low, "high": high, "n": len(each), "verdict": verdict, "records": _names(records)}


def _values(runs: Runs, model: str, name: str, metric: str) -> dict[int, float]:
    """A metric by seed. Costs and what is had at a cost need the FE run of the same seed."""
    records = runs[model, name]
    if metric in ("auc", "logloss"):
        return {record.config.seed: getattr(record.test, metric) for record in records}
    fe = {record.config.seed: record.seconds for record in runs["deepfm", "fe"]}
    if metric == "cost":
        return {r.config.seed: r.seconds / fe[r.config.seed] for r in records if r.config.seed in fe}
    curves = points([*runs["deepfm", "fe"], *records, *(runs["deepfm", "autodpq"] if name != "autodpq" else [])])
    return auc_at(curves, name, None if metric == "auc_at_end" else "autodpq")


def _with_verdicts(rows: Sequence[Row]) -> list[Row]:
    """Judge the comparisons, whose p-values are corrected together."""
    open_rows = [row for row in rows if "_p" in row]
    for row, p in zip(open_rows, holm(np.array([row.pop("_p") for row in open_rows])), strict=True):
        row["verdict"] = verdict(row["ours"], p, row.pop("_paper"))
    return list(rows)


def verdict(ours: float, p: float, paper: float) -> str:
    """Verdict on a comparison, as fixed before any result; ``ours`` and ``paper`` are positive where the claim holds.

    Where the paper gives no size (NaN), or its own numbers contradict the text, half of its size is no hurdle.
    """
    if ours <= 0:
        return "contradicted" if p < LEVEL else "not reproduced"
    if p < LEVEL and not ours < paper / 2:
        return "reproduced"
    return "direction only"


def _names(records: Sequence[Record]) -> str:
    return " ".join(dict.fromkeys(record.config.name() for record in records))


def as_csv(table: pd.DataFrame) -> str:
    """The ledger as data, six significant digits."""
    shown = table.assign(ours=table["ours"].map(lambda x: f"{x:.6g}" if isinstance(x, float | int) else x))
    return str(shown.to_csv(index=False, float_format="%.6g").replace(",nan,", ",,"))


def counts(table: pd.DataFrame) -> pd.DataFrame:
    """Number of rows by verdict and recipe."""
    verdicts = table["verdict"].str.replace(r"^off by.*", "off", regex=True).str.replace(r":.*", "", regex=True)
    return pd.crosstab(verdicts, table["recipe"])
