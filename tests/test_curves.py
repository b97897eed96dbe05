"""Which epochs of the curves count for the time line, by hand."""

from __future__ import annotations

import pytest

from autodpq_runs.curves import FitLog, improvements


def log(name: str, *aucs: float) -> FitLog:
    """A fit of epochs of 2 seconds and 10 steps each."""
    n = len(aucs)
    curve = {"seconds": [2.0] * n, "steps": [10.0] * n}
    return FitLog(name=name, decision=None, curve=curve | {"valid_auc": list(aucs), "valid_logloss": [0.5] * n})


FITS = [
    log("pretrain", 0.70, 0.72, 0.71),
    log("search", 0.90, 0.95),
    log("trial-000", 0.71, 0.70),
    log("trial-001", 0.70, 0.72, 0.73),
    log("trial-002", 0.69, 0.74, 0.72),
]


@pytest.mark.parametrize(
    ("scored", "expected"),
    [
        ("best", "pretrain 0, pretrain 1, trial-000 0, trial-001 1, trial-001 2, trial-002 1"),
        ("last", "pretrain 2, trial-000 1, trial-001 2"),
    ],
)
def test_the_best_so_far_of_each_stage_count_and_no_mixture(scored: str, expected: str) -> None:
    assert ", ".join(f"{each.fit} {each.epoch}" for each in improvements(FITS, scored)) == expected


def test_costs_are_those_of_the_whole_run_up_to_there() -> None:
    last = list(improvements(FITS, "best"))[-1]
    assert (last.stage, last.seconds, last.steps) == ("trial", 24.0, 120)
    assert (last.valid.auc, last.valid.logloss) == (0.74, 0.5)


@pytest.mark.parametrize(("column", "most"), [("seconds", 1e9), ("steps", 1e12)])
def test_a_cost_that_no_run_can_have_is_refused(column: str, most: float) -> None:
    curve = log("fit", 0.5, 0.6).curve | {column: [1.0, most * 1.01]}
    with pytest.raises(ValueError, match=f"curve.{column}: expected numbers from 0 to {most}"):
        FitLog(name="fit", decision=None, curve=curve)
