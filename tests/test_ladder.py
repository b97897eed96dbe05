"""The ladder of pretrain lengths: its runs, its rows and its picture."""

from __future__ import annotations

from math import nan

import pandas as pd
import pytest

from autodpq_eval.ladder import added, draw
from autodpq_eval.ladder import table as steps_of
from autodpq_eval.plans import LADDER_SEEDS, LENGTHS, PARTS, all_together, configure, ladder, ladder_run
from autodpq_eval.tables import read_plan
from autodpq_system.paths import ROOT

BASE = ("fe", "others")


def test_each_length_and_part_is_a_run_of_its_own() -> None:
    runs = [run.name() for run in ladder("ml-1m", "paper")]
    assert len(set(runs)) == len(runs) == len(LADDER_SEEDS) * (1 + len(LENGTHS) * len(PARTS))


@pytest.mark.parametrize(("epochs", "limit", "pretrain"), [(0, None, False), (4, 4, True), (None, None, True)])
def test_a_length_is_none_some_epochs_or_convergence(epochs: int | None, limit: int | None, pretrain: bool) -> None:
    run = ladder_run("ml-1m", "paper", epochs, "compression", 2)
    assert (run.pretrain, run.pretrain_epochs, run.quantise) == (pretrain, limit, False)


def test_the_last_step_is_the_plain_run() -> None:
    assert ladder_run("ml-1m", "paper", None, "", 3) == configure("ml-1m", "paper", "autodpq", 3)


def test_all_together_has_every_condition_in_every_strategy_that_knows_it() -> None:
    runs = all_together("ml-1m", "paper", 1)
    assert {run.patience for run in runs.values()} == {1}
    assert (runs["autodpq"].threshold, runs["others"].threshold) == (160, 160)
    assert runs["autodpq"].alpha_every == 10


def test_what_a_part_adds_is_paired_at_its_length() -> None:
    found, table = added(ROOT / "results", "paper"), steps_of(ROOT / "results", "paper")
    over_fe = table.set_index(["without", "pretrain"])["effect"]
    row = found.set_index(["part", "pretrain"]).loc["compression", "0"]
    assert row["effect"] == pytest.approx(over_fe["nothing", "0"] - over_fe["compression", "0"])
    assert row["low"] < row["effect"] < row["high"]


def test_the_ladder_stands_on_either_baseline() -> None:
    both = [steps_of(ROOT / "results", "paper", over).set_index(["without", "pretrain"])["effect"] for over in BASE]
    gap = both[0] - both[1]
    aucs = [read_plan(ROOT / "results", [configure("ml-1m", "paper", n, s) for s in LADDER_SEEDS])[0] for n in BASE]
    fe, others = (sum(record.test.auc for record in each) / len(each) for each in aucs)
    assert gap.tolist() == pytest.approx([others - fe] * len(gap))


def test_the_picture_has_a_line_a_part_at_the_places_of_its_lengths() -> None:
    rows = [
        {"recipe": "paper", "without": part, "pretrain": place, "effect": 0.001 * x, "low": 0.0, "high": 0.004}
        for part in ("nothing", "compression")
        for x, place in enumerate(("0", "2", "to convergence"))
    ]
    axis = draw(pd.DataFrame(rows)).axes[0]
    (first, second) = (group.lines[0] for group in axis.containers)
    assert [round(x) for x in first.get_xdata()] == [round(x) for x in second.get_xdata()] == list(range(6))
    assert list(first.get_ydata()) == pytest.approx([0, nan, 0.001, nan, nan, 0.002], nan_ok=True)
