"""Effects of controls against hand computation."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from scipy.stats import t as student

from autodpq_eval.effects import CONTRASTS, contrasts, control_effects, effect, forest, in_words, on_the_recipe
from autodpq_eval.plans import controls
from autodpq_lib.config import STRATEGIES

OURS = {1: 0.812, 2: 0.815, 3: 0.811}
BASE = {1: 0.810, 2: 0.811, 3: 0.8105}


def test_effect_and_interval_by_hand() -> None:
    mean = {name: sum(v.values()) / 3 for name, v in (("a", OURS), ("b", BASE))}
    var = {name: sum((x - mean[name]) ** 2 for x in v.values()) / 2 / 3 for name, v in (("a", OURS), ("b", BASE))}
    se = math.sqrt(var["a"] + var["b"])
    freedom = (var["a"] + var["b"]) ** 2 / (var["a"] ** 2 / 2 + var["b"] ** 2 / 2)
    half = student.ppf(0.975, freedom) * se
    found = effect(OURS, BASE)
    assert found["effect"] == pytest.approx(mean["a"] - mean["b"], abs=1e-12)
    assert (found["low"], found["high"]) == pytest.approx((found["effect"] - half, found["effect"] + half), abs=1e-12)
    assert found["p"] == pytest.approx(2 * student.sf(found["effect"] / se, freedom), abs=1e-9)


def test_all_runs_count_and_a_single_run_has_no_interval() -> None:
    assert effect({1: 0.5, 4: 0.9, 5: 0.7}, {1: 0.4, 2: 0.2})["effect"] == pytest.approx(0.4)
    assert effect({1: 0.5, 4: 0.9, 5: 0.7}, {1: 0.4, 2: 0.2})["n"] == 2
    assert math.isnan(effect({1: 0.5}, {1: 0.4, 2: 0.3})["low"])
    assert math.isnan(effect({}, {1: 0.4})["effect"])


def test_every_contrast_names_runs_that_exist() -> None:
    known = {control.id for control in controls()} | set(STRATEGIES)
    assert {name for _, a, b in CONTRASTS for name in (a, b)} <= known


def test_nothing_done_yet_shows_as_missing() -> None:
    none = {name: [] for name in [*STRATEGIES, *(control.id for control in controls())]}
    assert control_effects(none)["effect"].isna().all()
    assert contrasts(none)["n"].eq(0).all()


def test_forest_draws_each_control_once() -> None:
    rows = [{"control": f"c{n}", "strategy": s, **effect(OURS, BASE)} for n, s in enumerate(("fe", "autodpq", "fe"))]
    figure = forest(pd.DataFrame(rows), "title")
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == [f"c{n}  (n = 3)" for n in (2, 1, 0)]


def test_contrasts_in_words_carry_their_numbers() -> None:
    row = {"contrast": "A over B", **effect(OURS, BASE), "touched auc": 0.01, "untouched auc": -0.002}
    text = in_words(pd.DataFrame([row, {**row, "low": float("nan")}]))
    assert text.startswith("- A over B: **+0.0022** (-0.00")
    assert "n = 3), not clear of zero; on the samples that a low-frequency feature touches +0.0100" in text
    assert text.endswith("A over B: runs are missing.")


def test_the_recipes_largest_part_stands_beside_the_papers_gain() -> None:
    rows = [{"id": c.id, "control": c.title, "effect": 0.001 if c.swap else 0.9} for c in controls()]
    rows[-1]["effect"] = -0.005
    text = on_the_recipe(pd.DataFrame(rows))
    assert "*FE, the other recipe's first-order scale*: -0.0050" in text
    assert "+0.0068" in text
