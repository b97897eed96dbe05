"""The readings' runs and verdicts."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from autodpq_eval import compared, readings
from autodpq_eval.lead import Lead, lead_between
from autodpq_eval.parts import PLANS
from autodpq_eval.plans import TEN_SEEDS, against_baselines, configure
from autodpq_eval.stats import verdict
from autodpq_lib.config import RunConfig
from autodpq_runs.record import read_record, record_path
from autodpq_system.paths import ROOT
from scripts.pages import leads
from scripts.pages import readings as page

BASELINES = ["FE", "Others", "DPQ (8, 8)", "DPQ (8, 8), text"]
NAMES = [*BASELINES, "AutoDPQ, literal", "AutoDPQ, text", "AutoDPQ, laboratory"]


def test_each_seed_has_all_that_it_is_compared_with() -> None:
    runs = against_baselines("ml-1m", "paper", 3, (8, 8))
    assert list(runs) == NAMES
    assert runs["DPQ (8, 8)"].candidates == [(8, 8)]
    assert [run.reading for run in runs.values()] == [*["literal"] * 3, "text", "literal", "text", "laboratory"]
    assert [run.strategy for run in runs.values()] == ["fe", "others", "grid", "grid", *["autodpq"] * 3]
    assert len({run.name() for run in runs.values()}) == len(NAMES)


def test_on_the_laboratorys_split_all_are_on_it() -> None:
    runs = PLANS["laboratory"]("ml-1m", "paper", [3, 4], ROOT / "results")
    assert [run.seed for run in runs[:14]] == [3] * 7 + [4] * 7
    others = [(run.model, run.strategy) for run in runs[14:]]
    beside = {(m, s): n for m in ("pnn", "dcn") for s, n in (("others", 3), ("random", 6), ("autodpq", 9))}
    first_two = {("deepfm", "fe"): 2, ("deepfm", "others"): 2, ("deepfm", "autodpq"): 6}  # seed 3 stands above
    assert Counter(others) == beside | first_two | {("deepfm", "grid"): 6, ("deepfm", "random"): 6}
    assert {run.split for run in runs} == {"laboratory"}


def test_on_our_split_the_baselines_are_those_of_the_ten_seeds() -> None:
    here, ten = (PLANS[part]("ml-1m", "paper", TEN_SEEDS, ROOT / "results") for part in ("readings", "seeds"))
    assert len({run.name() for run in here}) == len(here) == 70 + 2 * 10 + 2 * 10 + 6 * 3 + 4 * 3
    assert {run.name() for run in here} >= {run.name() for run in ten}


def made(auc: float) -> dict[int, float]:
    return {seed: auc + seed / 1e5 for seed in (1, 2, 3)}


def test_ours_minus_each_baseline_beside_the_papers_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    """The text reading beside the DPQ of its own quantiser, the literal one beside the literal."""
    aucs = dict(zip(NAMES[:6], (0.80, 0.81, 0.82, 0.825, 0.83, 0.84), strict=True))
    monkeypatch.setattr(compared, "more_is_better", lambda records, _: made(records[0]))
    table = readings.comparisons({name: [auc] for name, auc in aucs.items()}).query("metric == 'auc'")
    assert table["b"].tolist() == [*BASELINES[:3], *BASELINES[:2], BASELINES[3]]
    assert table["effect"].tolist() == pytest.approx([0.03, 0.02, 0.01, 0.04, 0.03, 0.015])
    assert table["paper"].tolist() == pytest.approx([0.0068, 0.0049, 0.0036] * 2)


def test_without_its_own_dpq_a_reading_is_not_compared_with_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compared, "more_is_better", lambda records, _: made(records[0]))
    table = readings.comparisons({"DPQ (8, 8)": [0.8], "DPQ (8, 8), text": [], "AutoDPQ, text": [0.8], "FE": [0.8]})
    assert table["b"].tolist() == ["FE", "FE"]


def test_the_confirmation_has_the_new_seeds_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """By hand: the laboratory reading gains 0.004 on seeds 4 to 10, and far more on those that were seen."""

    def records(gain: float, luck: float) -> list[Any]:
        aucs = {seed: 0.8 + seed / 1e3 + gain + luck * (seed < 4) for seed in TEN_SEEDS}
        made = {seed: SimpleNamespace(auc=auc, logloss=1 - auc) for seed, auc in aucs.items()}
        return [SimpleNamespace(config=SimpleNamespace(seed=seed), test=test) for seed, test in made.items()]

    there = {"FE": records(0, 0), "AutoDPQ, text": records(0, 0), "AutoDPQ, laboratory": records(0.004, 0.05)}
    monkeypatch.setattr(page, "runs", lambda _: there)
    monkeypatch.setattr(page.over_trials, "runs", lambda _: dict.fromkeys(("Grid", "Random"), records(0, 0)))
    one = "+0.0040 (+0.0040 to +0.0040), better |"
    over = [("FE", "+0.0068"), ("FE", "+0.0068"), ("Grid", "+0.0036"), ("Random", "+0.0035")]
    said = [f"7 | {name} | {paper} | {one} {one}" for name, paper in over]
    rows = re.sub("; p [^|]* by Welch", "", page.confirmation()).splitlines()[2:]
    assert [line.partition("split | ")[2] for line in rows] == said


def test_the_readings_with_both_stars_are_named() -> None:
    """One reading ahead with both stars, one ahead in AUC alone."""
    row = {"strategy": "fe", "mean": 0.8, "baseline": None, "low": 0.0, "high": 0.0, "p_welch": np.nan, "star": ""}
    row["p_paired"] = np.nan
    ours = row | {"strategy": "autodpq", "mean": 0.801, "baseline": "fe", "p_welch": 0.01, "p_paired": 0.02}
    ours |= {"low": 0.0005, "high": 0.0015}
    tables = {
        name: pd.DataFrame(
            [
                {"metric": metric, **each, "star": star if each is ours else ""}
                for metric, star in (("auc", "*"), ("logloss", logloss))
                for each in (row, ours)
            ]
        )
        for name, logloss in (("one", "*"), ("other", ""))
    }
    assert "Starred in AUC and in logloss in Table 1 on this split, as in the paper: *one*." in readings.starred(tables)
    assert lead_between(tables["one"], "auc") == (
        "+0.0010 (+0.0005 to +0.0015) over FE, p = 0.010 (paired 0.020), starred"
    )


def test_stars_are_counted_where_all_baselines_have_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight cases: of the six of a split with both recipes, and of the other with one; PNN has gaps in one."""

    def of(rows: tuple[str, str, str, str], _: str) -> Lead | None:
        recipe, model, _, split = rows
        if (recipe, split) == ("tuned", "laboratory") or (recipe, model, split) == ("tuned", "pnn", "fixed"):
            return None
        star = "starred" if (model, split) == ("dcn", "fixed") else "against it" if model == "pnn" else "no star"
        gap = -0.002 if model == "pnn" else 0.002
        return Lead(gap, 0.001, 0.003, "Others", 0.006, 0.02, star)

    monkeypatch.setattr(leads, "of_model", lambda *rows: rows)
    monkeypatch.setattr(leads, "over_best", of)
    said = leads.in_short()
    assert "in 8 cases" in said
    lead = "+0.0020 over Others, published +0.0021"
    starred = f"DCN, recipe `paper`, our split: {lead}; DCN, recipe `tuned`, our split: {lead}"
    assert (
        f"by Welch's test in 2 ({starred}) and behind in 2; corrected for their number, ahead in 6 and behind in 2 (["
        in said
    )


@pytest.mark.parametrize(
    ("effect", "p", "p_equal", "said"),
    [
        (0.004, 0.01, 0.9, "better"),
        (-0.004, 0.01, 0.9, "worse"),
        (0.0004, 0.01, 0.02, "better, equal within 0.001"),
        (0.0001, 0.7, 0.01, "equal within 0.001"),
        (0.0011, 0.2, 0.6, "open"),
        (0.0, np.nan, np.nan, "missing"),
    ],
)
def test_verdicts_by_hand(effect: float, p: float, p_equal: float, said: str) -> None:
    assert verdict({"effect": effect, "p_paired_holm": p, "p_equal_paired_holm": p_equal}) == said


def test_a_switched_runs_name_says_what_is_switched() -> None:
    def name(**switches: object) -> str:
        return RunConfig(dataset="ml-1m", strategy="autodpq", seed=2, **switches).name()

    assert name() == "deepfm-autodpq-seed2"
    assert name(reading="text", second_order=True).startswith("deepfm-autodpq-seed2-reading-text-second-order-")
    assert name(pretrain=False).startswith("deepfm-autodpq-seed2-no-pretrain-")
    assert name(split="laboratory", threshold=160).startswith("deepfm-autodpq-seed2-threshold-160-split-laboratory-")


@pytest.mark.parametrize("recipe", ["paper", "tuned"])
def test_the_conventions_are_told_with_their_numbers(recipe: str) -> None:
    """From the files, by hand: the mean difference to FE where both have all of them."""
    switches = {"split": "laboratory", "protocol": "laboratory", "fixed_order": True}
    aucs = [
        [
            read_record(
                record_path(ROOT / "results", configure("ml-1m", recipe, name, seed, **own, **switches))
            ).test.auc
            for seed in TEN_SEEDS
        ]
        for name, own in (("autodpq", {"reading": "laboratory"}), ("fe", {}))
    ]
    said = page.conventions()
    assert f"| `{recipe}` | FE | 10 | +0.0068 | {np.subtract(*aucs).mean():+.4f} |" in said


def test_without_runs_on_the_laboratorys_split_that_is_said(tmp_path: Path) -> None:
    assert readings.under_conventions(tmp_path) == {}
    assert readings.on_laboratory_split(tmp_path).startswith("No runs on the laboratory's split of FE, Others, DPQ")
    assert readings.on_laboratory_split(ROOT / "results").startswith(
        "| reading | AUC ↑ | FE trainings ↓ | over FE, the paper +0.0068 |"
    )
