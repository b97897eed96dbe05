"""The readings' runs and verdicts."""

from __future__ import annotations

import numpy as np
import pytest

from autodpq_eval.plans import on_laboratory_split, plan
from autodpq_eval.readings import BASELINES, verdict
from autodpq_lib.config import RunConfig
from autodpq_system.paths import ROOT


def test_each_seed_has_all_that_it_is_compared_with_on_the_laboratorys_split() -> None:
    runs = plan("readings", "ml-1m", "paper", [3, 4], out=ROOT / "results")
    assert [run.seed for run in runs] == [3] * 6 + [4] * 6
    assert {run.split for run in runs} == {"laboratory"}
    names = on_laboratory_split("ml-1m", "paper", 3)
    assert set(names) == {*BASELINES, "AutoDPQ, literal", "AutoDPQ, text", "AutoDPQ, laboratory"}
    assert names["DPQ (8, 8)"].candidates == [(8, 8)]
    assert {names[f"AutoDPQ, {reading}"].reading for reading in ("literal", "text", "laboratory")} == {
        "literal",
        "text",
        "laboratory",
    }
    assert len({run.name() for run in runs}) == len(runs)


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
    assert verdict({"effect": effect, "p_paired_holm": p, "p_equal_paired": p_equal}) == said


def test_a_switched_runs_name_says_what_is_switched() -> None:
    def name(**switches: object) -> str:
        return RunConfig(dataset="ml-1m", strategy="autodpq", seed=2, **switches).name()

    assert name() == "deepfm-autodpq-seed2"
    assert name(reading="text", second_order=True).startswith("deepfm-autodpq-seed2-reading-text-second-order-")
    assert name(pretrain=False).startswith("deepfm-autodpq-seed2-no-pretrain-")
    assert name(split="laboratory", threshold=160).startswith("deepfm-autodpq-seed2-threshold-160-split-laboratory-")
