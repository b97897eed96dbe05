"""Pictures and verdicts of the pages: marks and intervals where the rows say, aims that can be missed, one number."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from scipy.stats import t as student

from autodpq_budget.plan import AVERAGED, BEST_ALONE
from autodpq_budget.settings import CHOICE_SEED
from autodpq_eval.batch import TABLE_SEEDS
from autodpq_eval.stats import paired_effect
from autodpq_lib.config import RECIPES
from autodpq_system.paths import ROOT
from benchmarks import after_training, fine_tuning, search_or_choice
from scripts.pages import (
    aims,
    conditions_picture,
    equal_bytes,
    gain,
    hours,
    how_wide,
    own_options,
    readings,
    readings_picture,
    results,
    robust,
    trainings,
    variants,
    weight,
    which_row,
)
from scripts.pages import conditions as pages_of_conditions


@pytest.fixture(autouse=True)
def no_figure_is_left_open() -> Iterator[None]:
    yield
    plt.close("all")


def marks(axis: Axes) -> list[list[float]]:
    """The x of every line but the one at zero."""
    return [list(map(float, line.get_xdata())) for line in axis.lines if list(line.get_xdata()) != [0, 0]]


def test_the_picture_of_the_gain_has_each_interval_beside_its_recipe() -> None:
    ours = {"paper": 0.002, "tuned": -0.003}
    rows = [
        {"over": "fe", "recipe": recipe, "paper": 0.0068, "effect": x, "low": x - 0.001,
         "high": x + 0.002, "n": 10 if recipe == "paper" else 3}
        for recipe, x in ours.items()
    ]  # fmt: skip
    axis = gain.draw(pd.DataFrame(rows)).axes[0]
    assert marks(axis) == [
        [0.0068], pytest.approx([0.001, 0.004]), [0.002], pytest.approx([-0.004, -0.001]), [-0.003]
    ]  # fmt: skip
    assert [text.get_text() for text in axis.texts] == [
        "the paper: +0.0068", "ours, recipe paper: +0.0020", "ours, recipe tuned: −0.0030"
    ]  # fmt: skip
    assert [label.get_text() for label in axis.get_yticklabels()] == ["over FE\n10 and 3 seeds"]


def test_the_picture_of_the_readings_has_a_panel_a_place() -> None:
    rows = [
        {"place": place, "a": "AutoDPQ, text", "b": "FE", "paper": 0.0068, "effect": x, "low": x - 0.001,
         "high": x + 0.002, "n": 3}
        for place, x in zip(readings.PLACES, (0.001, -0.002, 0.003, 0.0), strict=True)
    ]  # fmt: skip
    axes = readings_picture.draw(pd.DataFrame(rows)).axes
    for axis, x in zip(axes, (0.001, -0.002, 0.003, 0.0), strict=True):
        assert marks(axis) == [[0.0068], pytest.approx([x - 0.001, x + 0.002]), [x]]
        assert [text.get_text() for text in axis.texts] == ["the paper", f"text: {x:+.4f}".replace("-", "−")]


def test_the_picture_of_the_conditions_has_a_panel_a_baseline() -> None:
    rows = [
        {"condition": name, "over": over, "effect": x, "low": x - 0.001, "high": x + 0.002}
        for over, shift in (("FE", 0.0), ("Others", 0.01))
        for name, x in (("plain", 0.001 + shift), ("changed", 0.003 + shift))
    ]
    axes = conditions_picture.draw(pd.DataFrame(rows).assign(recipe="paper")).axes
    assert [label.get_text() for label in axes[0].get_yticklabels()] == ["plain", "changed"]
    for axis, shift, claim in zip(axes, (0.0, 0.01), (0.0068, 0.0049), strict=True):
        (points,) = axis.containers
        assert list(points.lines[0].get_xdata()) == pytest.approx([0.001 + shift, 0.003 + shift])
        (bars,) = points.lines[2]
        ends = [[x for x, _ in segment] for segment in bars.get_segments()]
        assert ends == [pytest.approx([x + shift - 0.001, x + shift + 0.002]) for x in (0.001, 0.003)]
        assert [claim] * 2 == pytest.approx(
            next(line.get_xdata() for line in axis.lines if line.get_linestyle() == "--")
        )


def test_equality_after_training_is_corrected_over_the_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four of seven pairs differ from FE by the same; the other three do not differ at all, and come first."""
    plain = {seed: 0.8 + seed / 100 for seed in range(5)}
    aucs = dict.fromkeys((what for pair in after_training.PAIRS for what in pair), plain)
    aucs["FE"] = {seed: auc + (-1) ** seed * 0.00055 for seed, auc in plain.items()}
    monkeypatch.setattr(after_training, "_aucs", lambda: {"tuned": aucs})
    assert 0.05 / 4 < paired_effect(plain, aucs["FE"])["p_equal"] < 0.05
    assert "), open; p = " in after_training.lost("tuned")
    monkeypatch.setattr(after_training, "PAIRS", [(after_training.INT8, "FE")])
    assert "), equal within 0.001; p = " in after_training.lost("tuned")


def test_decisions_are_counted_as_equal_after_the_correction() -> None:
    each = {"effect": 0.0, "low": -0.0003, "high": 0.0003, "p_equal": 0.03}
    assert "; 1 differences are shown" in search_or_choice._counted([each])
    assert "; 0 differences are shown" in search_or_choice._counted([each] * 2)


def test_decisions_are_held_against_random_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """By hand, n = 3: trained, 0.001, 0.002 and 0.003 apart, so +- 4.303 * 0.001 / sqrt(3); stored, 0.0004."""
    rows = [
        {"recipe": "paper", "reading": "text", "what": what, "seed": seed, "bits": 8, "stored": 0.8 + sign * 0.0004,
         "trained": 0.81 + sign * 0.001 * seed}
        for what, sign in (("AutoDPQ", 1), ("random", 0), ("choice", -50)) for seed in (1, 2, 3)
    ]  # fmt: skip
    monkeypatch.setattr(search_or_choice, "read_measures", lambda _: {"rows": rows})
    said = search_or_choice.over_random()
    assert "is +0.0020 to +0.0020" in said
    assert "3 seeds each, one random draw a seed). Of 1 intervals 0 show a gain; the widest is ± 0.0025." in said
    assert " 0 of 1 tests of equivalence rule out a difference of 0.001." in said
    assert said.endswith(" differs by at most 0.0004.")
    assert "nearly AutoDPQ's own (1 for `paper`, text, seed 1, 1 for `paper`, text, seed 2," in search_or_choice.table()


def test_seeds_agree_from_nine_in_ten_on(monkeypatch: pytest.MonkeyPatch) -> None:
    shares = {"paper": [0.9, 0.8], "tuned": [0.5, 0.89]}
    monkeypatch.setattr(results.committed, "runs_of_controls", lambda recipe: {"autodpq": recipe})
    monkeypatch.setattr(results, "agreement", lambda recipe: pd.DataFrame({"share": shares[recipe]}, ["movie", "zip"]))
    assert results._agreed("literal") == "movie (literal, `paper`)"


def test_what_takes_the_hours_is_told_with_what_both_share(monkeypatch: pytest.MonkeyPatch) -> None:
    """By hand: 2 of 10 hours on the seed of choice, 5 by DHE, 1 of them on that seed."""
    rows = [("dhe", CHOICE_SEED, 1), ("dhe", 1, 4), ("lsq", CHOICE_SEED, 1), ("lsq", 2, 4)]
    runs = pd.DataFrame(rows, columns=["strategy", "seed", "seconds"]).assign(dataset="ml-1m", recipe="paper")
    monkeypatch.setattr(hours, "records", lambda _: runs.assign(seconds=runs["seconds"] * 3600))
    said = (
        "4 hours on 2 cores, missed: the settings on the seed of choice alone take 2.0 core-hours; DHE, whose net runs "
        "at every look-up, takes 5.0 of all 10.0, 1.0 of them on that seed.\n"
    )
    assert said in hours.hours()
    monkeypatch.setattr(hours, "records", lambda _: runs.assign(seconds=1))
    assert "4 hours on 2 cores, kept so far.\n" in hours.hours()


def test_an_aim_can_be_missed() -> None:
    """By a compressor that is clearly worse than its rival, and by an interval that reaches beyond what was allowed."""
    worse = {"share": 0.031, "n_rival": 10, "n": 10, "lead": -0.01, "p_holm": 0.0001}
    assert [aims._beaten("tuned", worse | {"lead": lead}) for lead in (-0.01, 0.01)] == ["missed", "met"]
    assert aims._beaten("tuned", worse | {"share": 0.5}) == ""  # nothing was aimed at there
    for share, limit in ((0.125, 0.0005), (0.031, 0.0025)):
        row = {"share": share, "difference": 0.0002 - limit}
        halves = (0.0001, 0.0003, math.nan)
        assert [aims._met("tuned", row | {"half": half}) for half in halves] == ["met", "missed", "unfinished"]
        assert aims._met("tuned", row | {"difference": 0.0004, "half": 0.0003}) == "better"


def test_rows_of_the_aims_have_both_tests_of_equivalence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aims, "found", lambda _: None)
    monkeypatch.setattr(aims, "full_bytes", lambda _: 1000)
    row = {"share": 0.125, "n": 10, "difference": 0.0, "half": 0.0001, "p_equal": 0.1, "p_equal_holm": 0.2}
    row |= {"p_as_fe_holm": 0.03, "p_as_rival_holm": 0.04, "p_holm": 0.5, "lead": 0.001, "lead_half": 0.002}
    row |= {"rival": "lsq", "rivals": 3, "n_rival": 10, "rival_bytes": 100}
    row |= {"rival_of_all": "qr", "lead_of_all": 0.003, "lead_half_of_all": 0.001}
    assert aims._against_fe("tuned", row)[-2:] == ["0.200", "0.030"]
    whole = ["+0.0010 ± 0.0020", "0.500", "missed", "0.040", "QR, +0.0030 ± 0.0010"]
    assert aims._against_rivals("tuned", row)[4:] == whole
    assert aims._against_rivals("tuned", row | {"n_rival": 9})[5:8] == ["unfinished", "", "unfinished"]
    assert aims._against_rivals("tuned", row | {"rival": ""})[1:] == 8 * ["–"]


def test_a_claim_reproduces_if_every_case_has_run_and_does() -> None:
    verdicts = {"a": ["reproduced", "reproduced"], "b": ["reproduced", "off"], "c": ["reproduced", "missing"]}
    rows = [{"id": name, "claim": f"{name}!", "verdict": each} for name, every in verdicts.items() for each in every]
    assert robust.reproduced(pd.DataFrame(rows)) == {"a!": 2}


def test_what_the_literal_reading_reproduces_too_is_no_other_readings_alone() -> None:
    """Another recipe or split is another case."""
    keys = ["id", "recipe", "split", "reading", "verdict"]
    rows = [
        ("a", "paper", "fixed", "literal", "reproduced"),
        ("a", "paper", "fixed", "laboratory", "reproduced"),
        ("a", "paper", "laboratory", "laboratory", "reproduced"),
        ("a", "tuned", "fixed", "literal", "direction only"),
        ("a", "tuned", "fixed", "text", "reproduced"),
    ]
    alone = robust.not_literally(pd.DataFrame(rows, columns=keys))
    assert alone.index.tolist() == [2, 4]


def test_seeds_that_an_interval_hangs_on_are_each_needed() -> None:
    assert pages_of_conditions.seeds("8") == "seed 8"
    assert pages_of_conditions.seeds("5, 6") == "seeds 5 and 6"


def test_a_width_that_has_not_run_has_a_dash(monkeypatch: pytest.MonkeyPatch) -> None:
    ran = pd.DataFrame({"width": [16, 8], "valid": [0.81, 0.80]})
    monkeypatch.setattr(equal_bytes, "told", lambda *_: ran)
    assert how_wide._by_width("tuned", 0.5) == ["`tuned`, 50.0%", "**0.8100**", "0.8000", "–", "–"]


def test_stages_of_fine_tuning_are_held_against_fe_and_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        {"seed": seed, "share": 0.031, "X": 8, "FE": 0.8 + seed / 100}
        | {way: 0.8 + seed / 100 + gain for way, gain in zip(fine_tuning.WAYS, (-0.004, -0.003, -0.001), strict=True)}
        for seed in (1, 2)
    ]
    monkeypatch.setattr(fine_tuning, "read_measures", lambda _: {"rows": rows})
    *_, line = fine_tuning.table().strip().splitlines()
    numbers = ["-0.0040 ± 0.0000", "-0.0030 ± 0.0000", "-0.0010 ± 0.0000", "+0.0020 ± 0.0000"]
    assert line == f"| 3.1% | 8 | {' | '.join(numbers)} |"


def test_why_an_aim_was_missed_is_what_happened(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rival is as good as FE, is ahead, or the lead varies too much."""
    row = {"share": 0.031, "n": 10, "n_rival": 10, "difference": 0.0, "half": 0.0, "rival": "lsq", "p_holm": 0.5}
    monkeypatch.setattr(aims, "found", lambda _: None)
    said = []
    for own, lead in ((0.001, 0.001), (-0.009, -0.002), (-0.009, 0.001)):
        rival = {"method": "lsq", "share": 0.031, "difference": own, "half": 0.002}
        monkeypatch.setattr(aims.at_equal_bytes, "table", lambda _, rival=rival: pd.DataFrame([rival]))
        said += aims._reasons("tuned", row | {"lead": lead, "lead_half": 0.003})
    assert [each.partition("missed: ")[2] for each in said] == [
        "the best rival itself is not shown to be worse than FE (+0.0010 ± 0.0020).",
        "the rival's lead is +0.0020 ± 0.0030.",
        "the lead is +0.0010 ± 0.0030: it varies too much for so many pairs.",
    ]


def test_a_gain_that_is_shown_to_be_smaller_than_the_papers_says_so() -> None:
    row = {"paper": "+0.0068", "ours": 0.0034, "high": 0.0046}
    assert robust.size(row) == "50% of the paper's size, and shown to be smaller"
    assert robust.size(row | {"high": 0.0069}) == "50% of the paper's size"
    assert robust.size(row | {"paper": ""}) == "the paper gives no size"


def test_where_a_rival_is_ahead_and_of_how_many_it_is_the_best(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        {"share": 0.25, "rival": "lsq", "rivals": 4, "p_holm": 0.026, "lead": -0.0021, "lead_half": 0.0013},
        {"share": 0.125, "rival": "lsq", "rivals": 4, "p_holm": 0.069, "lead": -0.0017, "lead_half": 0.0014},
        {"share": 0.016, "rival": "lsq", "rivals": 3, "p_holm": 0.001, "lead": 0.0079, "lead_half": 0.0009},
    ]
    rows = [row | {"n": 10, "n_rival": 10, "p_as_rival_holm": 0.5} for row in rows]
    rows.append(rows[0] | {"share": 0.008, "n_rival": 9})  # which budget.md calls unfinished
    monkeypatch.setattr(which_row, "comparisons", lambda recipe: rows)
    monkeypatch.setattr(which_row, "_waiting", lambda recipe: "")
    assert which_row.ahead("paper") == (
        "In recipe `paper` the best rival is ahead of the compressor by the paired test at 25.0% (trained integers "
        "(LSQ), the best of 4 rivals with as many seeds), by +0.0021 ± 0.0013. At 12.5% neither is shown to be ahead, "
        "nor are the two shown to be equal within 0.001."
    )
    rows[1]["p_as_rival_holm"] = 0.01
    assert which_row.ahead("paper").endswith("to be ahead; the two are shown to be equal within 0.001 at 12.5%.")
    rows[:1] = []
    assert which_row.ahead("tuned").startswith("In recipe `tuned` the best rival is nowhere shown to be ahead of ")


def test_pairs_that_tie_have_a_share_each() -> None:
    rows = [{"most frequent": pairs, "share": 0.5} for pairs in ("(8, 2)", "(8, 2) and (16, 2)")]
    assert [results._share(pd.Series(row)) for row in rows] == ["(8, 2) 50%", "(8, 2) and (16, 2) each 50%"]


def test_what_is_reproduced_in_a_wide_interval_alone_is_counted_apart() -> None:
    """Table 2's rows on DeepFM repeat Table 1's, and are not counted."""
    numbers = [
        ("a-auc", "0.8100", 0.8105, 0.80, 0.82),
        ("b-auc", "0.8100", 0.8130, 0.809, 0.817),
        ("c-auc", "0.8100", 0.8140, 0.808, 0.820),
        ("autodpq-cost", "2.2", 2.1, 1.8, 2.4),
        ("table2-ml-1m-deepfm-fe-auc", "0.8100", 0.8130, 0.80, 0.83),
    ]
    keys = ["id", "paper", "ours", "low", "high"]
    rows = pd.DataFrame(numbers, columns=keys).assign(kind="number", verdict="reproduced", records="x")
    rows = rows.assign(recipe="paper", reading="literal", split="fixed")
    only = pd.DataFrame({"id": ["x", "y"], "low": [-0.1, 0.1], "high": [0.2, 0.2], "verdict": "direction only"})
    said = weight.text(pd.concat([rows, rows.assign(verdict="off by +0.1"), only.assign(kind="comparison")]))
    assert said == (
        "Of the 4 numbers that are *reproduced*, 1 are within 0.001 of the paper's; the other 3 (costs: 1) only "
        "have an interval wide enough to hold it, whose half has a median of 0.0050, costs apart. Of the 2 "
        "comparisons *direction only*, 1 have a 95 % interval, not corrected, that holds zero: these show nothing.\n"
    )


def test_readmes_gain_over_fe_is_that_of_the_records() -> None:
    """From the files, by hand: one number that no function of the pages has made."""
    folder = ROOT / "results/ml-1m/paper/records"
    aucs = {
        name: np.array([
            json.loads((folder / f"deepfm-{name}-seed{seed}.json").read_text())["test"]["auc"] for seed in range(1, 11)
        ])
        for name in ("autodpq", "fe")
    }  # fmt: skip
    gaps = aucs["autodpq"] - aucs["fe"]
    half = student.ppf(0.975, 9) * gaps.std(ddof=1) / 10**0.5
    said = f"{gaps.mean():+.4f} ({gaps.mean() - half:+.4f} to {gaps.mean() + half:+.4f}), better"
    assert said in (ROOT / "README.md").read_text(encoding="utf-8")


def test_make_budget_runs_the_seeds_that_the_page_reads() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for recipe in RECIPES:
        seeds = [[int(n) for n in text.split()] for text in re.findall(rf'"{recipe} ([\d ]+)"', makefile)]
        assert seeds == [[CHOICE_SEED], [*TABLE_SEEDS], [*BEST_ALONE]]


def test_a_rival_is_named_as_ahead_where_its_interval_is_clear_of_zero() -> None:
    leads = {"paper": [("lsq", -0.002, 0.001), ("mgqe", -0.002, 0.003)], "tuned": [("qr", 0.002, 0.001)]}
    keys = ("rival", "lead", "lead_half", "share")
    rows = [
        (f"`{recipe}`", dict(zip(keys, (*each, 0.25), strict=True)) | {"n": 3, "n_rival": 3})
        for recipe, of in leads.items()
        for each in of
    ]
    rows.append(("`tuned`", rows[0][1] | {"n_rival": 2}))  # the table calls it unfinished
    assert variants._ahead(rows).endswith("not corrected: trained integers (LSQ) at 25.0% (`paper`), +0.0020 ± 0.0010.")


@pytest.mark.parametrize(("size", "there"), [(500, True), (501, False)])
def test_a_switch_leaves_a_method_its_setting_if_that_fits(
    size: int, there: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Setting a was the best one, but exceeds the share on a seed that is reported; so b stands for it."""
    columns = ["method", "setting", "told", "seed", "bytes", "valid"]
    both = [("fe", "fe", None, 1, 1000, 0.9), ("budget", "ours", 500, 1, 480, 0.9)]

    def frame(*more: tuple[str, str, None, int, int, float]) -> pd.DataFrame:
        return pd.DataFrame([*both, *more], columns=columns).assign(control="", cpu="one")

    tried = frame(("mpe", "a", None, 11, 490, 0.9), ("mpe", "b", None, 11, 400, 0.8))
    usual = frame(("mpe", "a", None, 1, 600, 0.9), ("mpe", "b", None, 1, 400, 0.8))
    averaged = frame(("mpe", "b", None, 1, size, 0.8))
    monkeypatch.setattr(equal_bytes, "every_run", lambda *_, **switches: averaged if switches else usual)
    monkeypatch.setattr(equal_bytes, "choice_runs", lambda _: tried)
    monkeypatch.setattr(equal_bytes, "wholly_tried", lambda rows, _: rows)
    found = equal_bytes.found.__wrapped__("tuned", average=0.9)
    assert found.query("method == 'mpe' and share == 0.5")["setting"].tolist() == ["b"] * there


def test_what_a_switch_is_worth_is_paired_by_seed_and_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """By hand: 0.01 and 0.03 apart, so 0.02 and 12.706 * 0.01; what has not run with the switch has a dash."""
    plain = [("fe", 1.0, 1, 0.80), ("fe", 1.0, 2, 0.80), ("qr", 0.5, 1, 0.70), ("qr", 0.5, 2, 0.75)]
    frame = pd.DataFrame(plain, columns=["method", "share", "seed", "auc"])
    frame = frame.assign(cpu="one", setting="a", width=8, options="collisions 4")
    moved = frame.assign(auc=frame["auc"] + frame["seed"].map({1: 0.01, 2: 0.03}))
    monkeypatch.setattr(variants, "found", lambda _, **switches: moved if switches else frame)
    said = variants._worth("Averaged", average=0.9)
    assert "| FE | +0.0200 ± 0.1271 | – |" in said
    assert "| QR | – | +0.0200 ± 0.1271 | – |" in said
    assert "Not run" not in said
    monkeypatch.setattr(variants, "found", lambda _, **switches: moved[:2] if switches else frame)
    assert "\nNot run this way yet on all seeds: QR.\n" in variants._worth("Averaged", average=0.9)


def test_a_budget_at_which_a_switch_lacks_a_seed_is_named() -> None:
    rows = [("fe", 1.0, 1), ("fe", 1.0, 2), *(("qr", share, seed) for share in (0.5, 0.25) for seed in (1, 2))]
    plain = pd.DataFrame(rows, columns=["method", "share", "seed"]).assign(cpu="one", auc=0.7)
    assert variants._lacking(plain, plain) == ""
    assert variants._lacking(plain, plain[:-1]) == "\nNot run this way yet on all seeds: QR at 25.0%.\n"


def test_a_training_that_was_stopped_at_chance_is_named_once() -> None:
    """At two budgets the same run; another of the same setting learnt."""
    rows = [("qr", "a", 1, 0.5, 0.51), ("qr", "a", 1, 0.25, 0.51), ("qr", "a", 2, 0.5, 0.75)]
    runs = pd.DataFrame(rows, columns=["method", "setting", "seed", "share", "auc"]).assign(width=8, options="x 4")
    said = "\nStopped before they learnt, with an AUC below 0.6: QR, X = 8, x 4, seed 1.\n"
    assert variants._at_chance(runs) == said
    assert variants._at_chance(runs[2:]) == ""


def test_what_a_control_lacks_is_named_by_rival_and_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = pd.DataFrame({"share": [0.5], "method": ["lsq"]})
    monkeypatch.setattr(own_options, "planned", lambda *_: [(0.5, "lsq"), (0.25, "lsq"), (0.5, "qr")])
    monkeypatch.setattr(own_options, "with_own", lambda *_: rows)
    assert own_options._not_run("paper", "form") == (
        "No setting that fits, or not run on these seeds, in recipe `paper`: trained integers (LSQ) at 25.0%, QR at "
        "50.0%."
    )
    monkeypatch.setattr(own_options, "planned", lambda *_: [(0.5, "lsq")])
    assert own_options._not_run("paper", "form") == ""


def test_a_best_rival_is_named_where_it_has_all_seeds() -> None:
    row = pd.Series({"n": 3, "n_rival": 2, "rival": "qr", "lead": 0.001, "lead_half": 0.002})
    assert variants._best_rival(row) == ["unfinished", "", ""]
    assert variants._best_rival(pd.Series({**row, "n_rival": 3})) == ["QR", "3", "+0.0010 ± 0.0020"]


def test_how_trainings_of_rivals_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """By hand: one of two QR reaches 5 epochs; MPE's second training is 0.03 below its search, and 0.01 above it."""

    def run(strategy: str, **fits: list[float]) -> Any:
        logs = [SimpleNamespace(name=n, epochs=len(auc), curve={"valid_auc": auc}) for n, auc in fits.items()]
        limits = SimpleNamespace(train=SimpleNamespace(rounds=5))
        return SimpleNamespace(config=SimpleNamespace(strategy=strategy, recipe="tuned", limits=limits), fits=logs)

    runs = [run("qr", train=[0.5] * 5, store=[0.5]), run("qr", train=[0.5] * 4, store=[0.5] * 5)]
    runs += [run("mpe", search=[0.8, 0.7], train=[0.77]), run("mpe", search=[0.6], train=[0.5, 0.61])]
    monkeypatch.setattr(trainings, "_of_rivals", lambda recipe: runs if recipe == "tuned" else [])
    assert trainings.ended() == (
        "These reached the limit of epochs (averaged weights and other forms not counted): QR in 1 of 2 runs. The best "
        "validation AUC of MPE's last training is below that of the search before it in 1 of 2 runs of recipe `tuned`, "
        "in the mean of all by 0.0100.\n"
    )


def test_runs_of_the_compressor_that_kept_what_they_began_with(monkeypatch: pytest.MonkeyPatch) -> None:
    """By hand: of two runs at a half one kept it, of one at a quarter none; a control and a rival do not count."""
    rows = [("a", "budget", "", 500), ("b", "budget", "", 500), ("b", "budget", "", 250)]
    rows += [("a", "budget", "teacher", 500), ("a", "lsq", "", 500)]
    found = pd.DataFrame(rows, columns=["run", "method", "control", "told"])
    curves = {"a": [0.8, 0.7], "b": [0.8, 0.9]}
    records = {
        run: SimpleNamespace(
            fits=[SimpleNamespace(curve={"valid_auc": [0.0]}), SimpleNamespace(curve={"valid_auc": auc})]
        )
        for run, auc in curves.items()
    }
    monkeypatch.setattr(trainings, "full_bytes", lambda _: 1000.0)
    monkeypatch.setattr(trainings, "choice_runs", lambda _: None)
    monkeypatch.setattr(trainings, "every_run", lambda _, **switches: found if switches else found[2:])
    monkeypatch.setattr(trainings, "record_path", lambda _, run: run)
    monkeypatch.setattr(trainings, "read_record", records.__getitem__)
    assert trainings._by_budget("tuned", AVERAGED) == "1 of 2 at 50.0%"
    assert trainings._by_budget("tuned", {}) == "none"
    monkeypatch.setattr(trainings, "every_run", lambda _, **switches: found[:0])
    assert trainings._by_budget("tuned", {}) == ""
