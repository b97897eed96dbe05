"""Effects of controls against hand computation."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from scipy.stats import t as student
from scipy.stats import ttest_rel

from autodpq_eval.controls import controls
from autodpq_eval.effects import (
    CONTRASTS,
    contrasts,
    control_effects,
    further_steps,
    in_words,
    on_the_recipe,
    runs_of_controls,
    same_starts,
    starts_alike,
)
from autodpq_eval.forest import forest, forest_in_words
from autodpq_eval.plans import tables
from autodpq_eval.stats import effect
from autodpq_eval.tables import read_plan
from autodpq_lib.config import STRATEGIES
from autodpq_runs.record import Record
from autodpq_system.paths import ROOT

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
    assert found["p_welch"] == pytest.approx(2 * student.sf(found["effect"] / se, freedom), abs=1e-9)


def test_all_runs_count_and_a_single_run_has_no_interval() -> None:
    assert effect({1: 0.5, 4: 0.9, 5: 0.7}, {1: 0.4, 2: 0.2})["effect"] == pytest.approx(0.4)
    assert [effect({1: 0.5, 4: 0.9, 5: 0.7}, {1: 0.4, 2: 0.2})[key] for key in ("n", "n_base")] == [3, 2]
    assert math.isnan(effect({1: 0.5}, {1: 0.4, 2: 0.3})["low"])
    assert math.isnan(effect({}, {1: 0.4})["effect"])


def test_the_paired_test_is_of_the_seeds_that_both_have() -> None:
    found = effect(OURS, BASE)
    interval = ttest_rel(list(OURS.values()), list(BASE.values())).confidence_interval(0.95)
    assert [found["low_paired"], found["high_paired"]] == pytest.approx(list(interval))
    assert found["p_paired"] == pytest.approx(ttest_rel(list(OURS.values()), list(BASE.values())).pvalue)
    other = {1: 0.81, 2: 0.82, 4: 0.80}
    both = sorted(OURS.keys() & other.keys())
    found, expected = effect(OURS, other), ttest_rel([OURS[k] for k in both], [other[k] for k in both])
    assert found["p_paired"] == pytest.approx(expected.pvalue)
    assert math.isnan(effect(OURS, {8: 0.81, 9: 0.82})["p_paired"])


@pytest.fixture(scope="module")
def plain() -> dict[str, list[Record]]:
    records, _ = read_plan(ROOT / "results", tables("ml-1m", "tuned", [1, 2, 3], ["deepfm"], ["fe", "others"]))
    of = {name: [r for r in records if r.config.strategy == name] for name in STRATEGIES}
    none: dict[str, list[Record]] = {c.id: [] for c in controls()}
    return none | {c.against: of[c.strategy] for c in controls()} | of


def test_an_effect_is_the_difference_of_means_on_each_measure(plain: dict[str, list[Record]]) -> None:
    row = control_effects({**plain, "others-10": plain["fe"]}).set_index("id").loc["others-10"]
    for column, value in (("effect", lambda r: r.test.auc), ("touched auc", lambda r: r.test_parts["touched"].auc)):
        means = [sum(value(r) for r in plain[name]) / 3 for name in ("fe", "others")]
        assert row[column] == pytest.approx(means[0] - means[1], abs=1e-12)


def test_a_seed_that_one_side_lacks_counts_on_neither(plain: dict[str, list[Record]]) -> None:
    row = control_effects({**plain, "others-10": plain["fe"][:2]}).set_index("id").loc["others-10"]
    gaps = [a.test.auc - b.test.auc for a, b in zip(plain["fe"][:2], plain["others"][:2], strict=True)]
    assert (row["n"], row["planned"]) == (2, 10)
    assert row["effect"] == pytest.approx(sum(gaps) / 2, abs=1e-12)
    alone = control_effects({**plain, "others-10": plain["fe"][:1]}).set_index("id").loc["others-10"]
    assert math.isnan(alone["effect"])


def test_parts_of_other_thresholds_are_not_compared(plain: dict[str, list[Record]]) -> None:
    moved = [r.model_copy(update={"config": r.config.model_copy(update={"threshold": 10})}) for r in plain["others"]]
    row = control_effects({**plain, "others-10": moved}).set_index("id").loc["others-10"]
    assert row["effect"] == 0
    assert math.isnan(row["touched auc"])


def test_a_redrawn_split_is_compared_within_itself_alone(plain: dict[str, list[Record]]) -> None:
    assert not control_effects(plain)["id"].str.endswith("-split").any()
    assert sum("split redrawn" in title for title, _, _ in CONTRASTS) == 4


def test_runs_that_begin_as_their_reference_are_counted(plain: dict[str, list[Record]]) -> None:
    first, second = plain["others"][:2]
    moved = second.model_copy(update={"fits": [second.fits[0].model_copy(update={"curve": first.fits[0].curve})]})
    assert same_starts({**plain, "others-extra": [first, moved]}) == (1, 2)
    assert same_starts({**plain, "others-10": [first, moved]}) == (0, 0), "another threshold, another start"


def test_pairs_that_could_start_alike_and_do_not_are_none(plain: dict[str, list[Record]]) -> None:
    """Else other code would pass for an effect; another threshold is another start, so there all pairs count."""
    first, second, third = plain["others"]
    fit = second.fits[0]
    curve = fit.curve | {"valid_auc": [x + 1e-9 for x in fit.curve["valid_auc"]]}
    other = second.model_copy(update={"fits": [fit.model_copy(update={"curve": curve})]})
    found = control_effects({**plain, "others-extra": [first, other, third], "others-10": [first, other, third]})
    assert found.set_index("id")["n"][["others-extra", "others-10"]].tolist() == [2, 3]


@pytest.mark.parametrize("recipe", ["paper", "tuned"])
def test_no_run_starts_as_its_reference_that_is_said_to_be_unable(recipe: str) -> None:
    runs = runs_of_controls(ROOT / "results", "ml-1m", recipe)
    alike = {True: 0, False: 0}
    for control in controls():
        if "split_seed" not in control.switches:
            alike[control.can_start_alike] += starts_alike(runs[control.id], runs[control.against])
    assert alike[True] > 0
    assert alike[False] == 0


def test_steps_of_both_sides_are_their_means(plain: dict[str, list[Record]]) -> None:
    row = control_effects({**plain, "others-10": plain["fe"]}).set_index("id").loc["others-10"]
    for column, name in (("steps", "fe"), ("base steps", "others")):
        assert row[column] == pytest.approx(sum(r.steps for r in plain[name]) / 3)


def test_further_steps_are_those_after_the_first_fit(plain: dict[str, list[Record]]) -> None:
    first, second, _ = plain["fe"]
    longer = first.model_copy(update={"fits": [*first.fits, *second.fits]})
    assert further_steps({**plain, "fe-extra": [longer, second]}) == {"FE": second.steps / 2}
    assert further_steps({**plain, "autodpq": [longer]}) == {"AutoDPQ": second.steps}


def test_extra_training_machinery_and_compression_lead_from_fe_to_autodpq() -> None:
    (_, last, first), *parts = CONTRASTS[:4]
    assert [base for _, _, base in parts] == [first, *(ours for _, ours, _ in parts[:-1])]
    assert parts[-1][1] == last


def test_the_laboratorys_conventions_are_gains_on_its_split() -> None:
    told = {title: (a, b) for title, a, b in CONTRASTS if "laboratory's split" in title}
    of = {control.id: control for control in controls()}
    for title, pair in told.items():
        switches = [of[name].switches if name in of else {"split": "laboratory"} for name in pair]
        own = {"reading", "pretrain", "centroids", "subspaces"}
        kept = [{key: value for key, value in each.items() if key not in own} for each in switches]
        assert kept[0] == kept[1]
        assert kept[0]["split"] == "laboratory"
        assert ("laboratory reading" in title) == ("reading" in switches[0])
        assert ("without a pretrain" in title) == ("pretrain" in switches[0])
        assert ("one order" in title) == ("fixed_order" in switches[0])
        assert ("patience 2" in title) == ("protocol" in switches[0])


def test_every_contrast_names_runs_that_exist() -> None:
    known = {name for control in controls() for name in (control.id, control.against)} | set(STRATEGIES)
    assert {name for _, a, b in CONTRASTS for name in (a, b)} <= known


def test_nothing_done_yet_shows_as_missing() -> None:
    of_controls = [name for control in controls() for name in (control.id, control.against)]
    none: dict[str, list[Record]] = {name: [] for name in [*STRATEGIES, *of_controls]}
    assert control_effects(none)["effect"].isna().all()
    assert contrasts(none)["n"].eq(0).all()


def test_forest_draws_each_control_once() -> None:
    made = zip(("fe", "autodpq", "fe"), ("one group", "one group", "another"), strict=True)
    rows = [{"control": f"c{n}", "strategy": s, "group": g, **effect(OURS, BASE)} for n, (s, g) in enumerate(made)]
    figure = forest(pd.DataFrame(rows), "title")
    axis = figure.axes[0]
    assert [label.get_text() for label in axis.get_yticklabels()] == [f"c{n}  (n = 3)" for n in (0, 1, 2)]
    assert figure.get_label() == forest_in_words(pd.DataFrame(rows), "title")
    heads = {text.get_text(): text.get_position()[1] for text in axis.texts}
    places = axis.get_yticks()
    assert heads["one group"] > places[0] > places[1] > heads["another"] > places[2]
    assert pytest.approx(0.0068) in [line.get_xdata()[0] for line in axis.lines if line.get_linestyle() == "--"]
    clear = pd.DataFrame(rows).assign(effect=0.003, low=0.002, high=0.004)
    assert forest(clear, "title").axes[0].get_xlim()[0] < -0.001  # the band around zero is in view


def test_a_forest_in_words_names_what_is_clear_of_zero() -> None:
    rows = [{"control": name, "effect": 0.0, "low": low, "high": 0.002} for name, low in (("a", 0.001), ("b", -0.001))]
    text = forest_in_words(pd.DataFrame([*rows, {"control": "c", "effect": math.nan}]), "title")
    assert text.startswith("title: a mark and an interval for each of 2 controls")
    assert text.endswith("Clear of zero: a.")


def test_contrasts_in_words_carry_their_numbers() -> None:
    row = {"contrast": "A over B", **effect(OURS, BASE), "untouched auc": -0.002}
    row |= {"touched auc": 0.01, "touched low": -0.01, "touched high": 0.03}
    text = in_words(pd.DataFrame([row, {**row, "low": float("nan")}]))
    assert text.startswith("- A over B: **+0.0022** (-0.00")
    assert "n = 3), not clear of zero; on the samples that a low-frequency feature touches +0.0100 (-0.0100 to" in text
    assert "on the others -0.0020." in text
    assert text.endswith("A over B: runs are missing.")


def test_the_recipes_largest_part_stands_beside_the_papers_gain() -> None:
    rows = [
        {
            "id": c.id,
            "control": c.title,
            "strategy": c.strategy,
            "effect": 0.001 if c.swap and c.strategy == "fe" else 0.9,
            "low": -0.0062,
            "high": -0.0038,
        }
        for c in controls()
    ]
    counts = {"n": 5, "planned": 5}
    rows[-1]["effect"] = -0.005
    few, none = {**rows[0], "n": 3, "planned": 10}, {**rows[1], "n": 0, "planned": 10}
    text = on_the_recipe(pd.DataFrame([few, none, *({**row, **counts} for row in rows[2:])]))
    total, missing = len(controls()), controls()[1].title
    assert text.endswith(
        f"Of {total} controls {total - 2} have all their seeds and 1 some of them. Without a pair that counts, most of "
        f"them not run: {missing}."
    )
    assert "*FE, first-order weights as in the other recipe*, -0.0050 (-0.0062 to -0.0038, n = 5)" in text
    assert "+0.0068" in text


def test_a_contrast_is_the_first_minus_the_second(plain: dict[str, list[Record]]) -> None:
    made = contrasts({**plain, "autodpq": plain["others"]}).set_index("contrast")
    gap = sum(r.test.auc for r in plain["others"]) / 3 - sum(r.test.auc for r in plain["fe"]) / 3
    assert made.loc["AutoDPQ over FE: the whole gain", "effect"] == pytest.approx(gap)
    assert all(title.startswith("AutoDPQ") == ("autodpq" in first) for title, first, _ in CONTRASTS)


def test_runs_of_two_processors_are_no_pair(plain: dict[str, list[Record]]) -> None:
    """A processor alone moves a run by as much as many a control."""

    def elsewhere(record: Record) -> Record:
        provenance = record.provenance.model_copy(update={"cpu": "another"})
        return record.model_copy(update={"provenance": provenance})

    first, *rest = plain["others"]
    made = contrasts({**plain, "autodpq": [elsewhere(first), *rest]}).set_index("contrast")
    assert made.loc["AutoDPQ over FE: the whole gain", "n"] == 2
