"""Under which conditions AutoDPQ gains what: the parts that choose, by hand, and the table on the committed records."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from autodpq_eval.conditions import best_on_test, hangs_on, must_be_so, stopped_at, table
from autodpq_eval.lead import gain
from autodpq_system.paths import ROOT
from scripts.pages import conditions as conditions_page
from scripts.pages import needs


def made(*aucs: float, stage: str = "fit") -> list[Any]:
    timeline = [SimpleNamespace(test=SimpleNamespace(auc=auc), stage=stage) for auc in aucs]
    return [SimpleNamespace(config=SimpleNamespace(seed=4), timeline=timeline)]


def test_the_best_epoch_on_test_need_not_be_the_last() -> None:
    assert best_on_test(made(0.80, 0.82, 0.81)) == {4: 0.82}


def test_the_pretrain_is_no_epoch_of_autodpq() -> None:
    (run,) = made(0.80, 0.83, stage="pretrain")
    run.timeline += made(0.81, 0.82, stage="retrain")[0].timeline
    assert best_on_test([run]) == {4: 0.82}


@pytest.mark.parametrize(("level", "stopped"), [(0.8079, 0.807), (0.79, 0.80), (0.9, 0.812)])
def test_a_run_is_stopped_where_its_auc_is_nearest(level: float, stopped: float) -> None:
    assert stopped_at(made(0.80, 0.807, 0.81, 0.812), level) == {4: stopped}


def test_an_interval_hangs_on_a_seed_without_which_it_does_not_hold_the_gap() -> None:
    base = dict.fromkeys(range(1, 8), 0.0)
    wild = {1: 0.001, 2: 0.0012, 3: 0.0008, 4: 0.001, 5: 0.0011, 6: 0.02, 7: 0.0009}
    assert hangs_on(wild, base, 0.0068) == [6]  # which alone widens it
    assert hangs_on({**wild, 8: 0.03}, base, 0.0068) == [6]  # one without a pair takes no part
    assert hangs_on({**wild, 6: 0.001}, base, 0.0068) == []  # it does not hold it at all
    assert hangs_on({seed: 0.004 + seed / 1e3 for seed in base}, base, 0.0068) == []  # it holds it without any
    assert hangs_on({1: 0.001, 2: 0.01}, base, 0.0068) == []  # one seed has no interval that could miss it
    both = dict(enumerate((0.001, 0.002, 0.003, 0.004, 0.006, 0.006), 1))
    assert hangs_on(both, base, 0.0057) == [5, 6]


def test_the_papers_gain_is_table_1s() -> None:
    assert gain("auc", "fe") == pytest.approx(0.0068)
    assert gain("auc", "others") == pytest.approx(0.0049)


def test_what_the_test_split_chose_is_marked_and_what_is_missing_is_left_out() -> None:
    rows = table(ROOT / "results", "paper")
    chosen = rows.loc[rows["on test"], "condition"]
    assert chosen.str.contains("chosen on test|stopped at the paper's AUC").all()
    assert not rows.loc[~rows["on test"], "condition"].str.contains("chosen on test|stopped").any()
    assert rows[["effect", "low", "high"]].notna().all(axis=None)
    ten = rows[rows["n"] == 10]
    assert ten[["seeds 1 to 5", "seeds 6 to 10"]].mean(axis=1).tolist() == pytest.approx(ten["effect"].tolist())


def test_what_must_be_so_is_told_by_the_nearest_that_no_single_seed_decides() -> None:
    """Three conditions: as it is run, a nearer one, and the nearest, which is one failed run's."""
    row = {"recipe": "paper", "over": "FE", "on test": False, "paper": 0.0068, "hangs on": ""}
    row |= {"effect": 0.002, "centre": 0.001, "low": 0.001, "high": 0.003}
    levels = {
        "plain": (0.8179, 0.8147),
        "near": (0.8089, 0.8127),
        "failed": (0.8079, 0.8147),
        "chosen": (0.8079, 0.8147),
    }
    rows = [row | {"condition": name, "base": fe, "ours": ours} for name, (fe, ours) in levels.items()]
    rows[2] |= {"hangs on": "8", "centre": 0.004, "high": 0.02}
    rows[3] |= {"on test": True}
    said = must_be_so(pd.DataFrame(rows))
    assert "Under *plain* (`paper`) FE is off by +0.0100 and AutoDPQ by +0.0000." in said
    assert "is *near* (`paper`): FE is off by +0.0010, AutoDPQ by -0.0020." in said
    assert (
        "whichever seed is left out: none.\n- The largest gain by ranks is that of *failed* (`paper`), +0.0020" in said
    )


def test_a_gain_is_told_without_the_seed_that_its_interval_hangs_on() -> None:
    row = {"hangs on": "8", "kept": 0.0041, "kept half": 0.0012}
    assert needs._only(pd.Series(row)) == " (without seed 8: +0.0041 ± 0.0012)"
    assert needs._only(pd.Series(row | {"hangs on": ""})) == ""


def test_gains_are_told_by_half_of_the_seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two conditions over FE, of which one gains less on the later seeds; the other rows are not of the kind."""
    row = {"over": "FE", "recipe": "paper", "on test": False, "hangs on": "", "split": "fixed", "reading": ""}
    row |= {"seeds 1 to 5": 0.003, "seeds 6 to 10": 0.001}
    more = [
        {"condition": "b", "seeds 6 to 10": 0.004},
        {"split": "laboratory"},
        {"reading": "text"},
        {"over": "Others"},
        {"hangs on": "8"},
    ]
    rows = pd.DataFrame([{"condition": "a", **row, **changed} for changed in ({}, *more, {"recipe": "tuned"})])
    monkeypatch.setattr(conditions_page, "data", lambda: rows)
    said = "*a* +0.0030 and +0.0010; *b* +0.0030 and +0.0040. In 1 of 2 the second is smaller."
    assert needs._by_half().endswith(said)
