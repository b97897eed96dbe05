"""AUC against bytes from records: what is a row, its bytes, the paired difference, and the picture's text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from scipy import stats

from autodpq_budget import at_equal_bytes, auc_curve, controls
from autodpq_budget import read_runs as reading
from autodpq_budget.chosen import at_chosen_settings
from autodpq_budget.plan import FROM_ZERO, OTHER_MODELS, OTHER_SHARES
from autodpq_budget.read_runs import BOTH, TEACHER, read_runs
from autodpq_budget.settings import CHOICE_SEED, FORM, WEIGHTS, every_setting, half_tried
from autodpq_eval.expected import kind
from autodpq_lib.config import METHOD_VERSION, RECIPES, STRATEGIES
from autodpq_rivals.methods import METHODS
from autodpq_runs.record import read_record
from autodpq_system.paths import ROOT
from scripts.pages import equal_bytes, smallest_leads


def row(method: str, seed: int, size: int, valid: float, auc: float, width: int = 8, share: float = 0.125) -> dict:
    setting = f"{method}-{width}"
    return {"method": method, "setting": setting, "control": "", "width": width, "options": "", "seed": seed,
            "share": share, "cpu": "one", "told": int(share * 4000), "bytes": size, "valid": valid,
            "auc": auc}  # fmt: skip


#: FE, the compressor of two widths, and two rivals on two seeds.
FOUND = pd.DataFrame(
    [
        row("fe", 1, 4000, 0.8, 0.80, 16, 1.0),
        row("fe", 2, 4000, 0.8, 0.82, 16, 1.0),
        row("budget", 1, 500, 0.7, 0.79),
        row("budget", 2, 480, 0.7, 0.80),
    ]
)
RIVALS = pd.DataFrame(
    [row(*of) for of in (("lsq", 1, 500, 0.6, 0.70), ("lsq", 2, 500, 0.6, 0.74), ("qr", 1, 1, 0.6, 0.9))]
)


def test_differences_are_paired_by_seed() -> None:
    row = at_equal_bytes.table(FOUND).set_index("method").loc["budget"]
    gaps = np.array([0.79 - 0.80, 0.80 - 0.82])
    assert row["difference"] == pytest.approx(gaps.mean())
    assert row["half"] == pytest.approx(stats.t.ppf(0.975, 1) * gaps.std(ddof=1) / np.sqrt(2))
    assert (row["bytes"], row["n"]) == (490, 2)
    assert row["width"] == 8


def chosen(*of: dict) -> pd.DataFrame:
    """Runs of the seed of choice, on which the compressor was told three shares."""
    tried = ((0.125, 8), (0.0625, 8), (0.031, 2))
    told = [row("budget", 11, int(4000 * share), 0.7, 0.8, width, share) for share, width in tried]
    every = [*of, row("fe", 11, 4000, 0.8, 0.8, 16, 1.0), *told, row("lsq", 11, 500, 0.6, 0.7)]
    return pd.DataFrame(every).drop(columns="share")


def setting_of(found: list[pd.DataFrame], choice: pd.DataFrame, share: float) -> set[str]:
    kept = at_chosen_settings(pd.concat(found).drop(columns="share"), choice)
    return set(kept[(kept["method"] == "lsq") & (kept["share"] == share)]["setting"])


def test_a_rival_has_the_setting_that_was_best_on_the_seed_of_choice() -> None:
    """However many seeds another has, and however good it is on them."""
    many = pd.DataFrame([row("lsq", seed, 240, 0.95, 0.95, 4) for seed in range(1, 11)])
    choice = chosen(row("lsq", 11, 240, 0.59, 0.9, 4))
    assert setting_of([FOUND, RIVALS, many], choice, 0.125) == {"lsq-8"}
    assert setting_of([FOUND, RIVALS, many], choice, 0.0625) == {"lsq-4"}
    assert setting_of([FOUND, many], choice, 0.125) == set()  # what was chosen has not run


def test_a_setting_fits_a_share_if_it_does_on_every_seed() -> None:
    two = [pd.DataFrame([row("lsq", seed, size, 0.9, 0.9, 4)]) for seed, size in ((1, 240), (2, 251))]
    choice = chosen(row("lsq", 11, 245, 0.9, 0.9, 4))
    assert setting_of([FOUND, *two], choice, 0.125) == {"lsq-4"}
    assert setting_of([FOUND, *two], choice, 0.0625) == set()
    assert setting_of([FOUND, two[0]], choice, 0.0625) == {"lsq-4"}


def test_the_compressor_is_shown_with_what_it_was_told() -> None:
    """Fewer bytes may be better on validation, where a model overfits; and a share that nobody was told has none."""
    less = [pd.DataFrame([row("budget", seed, 120, 0.9, 0.9, 2, 0.031)]) for seed in (1, 2)]
    kept = at_chosen_settings(pd.concat([FOUND, *less]).drop(columns="share"), chosen()).query("method == 'budget'")
    assert kept.groupby("share")["setting"].first().to_dict() == {0.031: "budget-2", 0.125: "budget-8"}


def test_the_teacher_is_worth_what_pairs_differ_by() -> None:
    """The compressor is taught as it comes, a rival as a control."""
    others = [row("budget", 1, 500, 0.7, 0.75), row("budget", 2, 480, 0.7, 0.77)]
    others += [row("lsq", 1, 500, 0.6, 0.71), row("lsq", 2, 500, 0.6, 0.75)]
    found = pd.concat([FOUND, RIVALS, pd.DataFrame([{**of, "control": TEACHER} for of in others])])
    made = controls.teaching(found).set_index("method")
    assert made["effect"].to_dict() == {"budget": pytest.approx(0.035), "lsq": pytest.approx(0.01)}
    assert made.loc["lsq", ["labels", "taught", "n"]].tolist() == pytest.approx([0.72, 0.73, 2])
    assert set(at_chosen_settings(found.drop(columns="share"), chosen())["control"]) == {""}
    assert controls.teaching(FOUND).empty
    elsewhere = found.assign(cpu=np.where(found["control"] == "", "one", "another"))
    assert controls.teaching(elsewhere).empty
    (row_,) = controls.from_labels(elsewhere, pd.concat([FOUND, RIVALS])).to_dict("records")
    assert np.isnan(row_["effect"])


def test_the_lead_over_rivals_that_are_taught_too_is_over_the_best_of_them() -> None:
    """Of one setting, however many a rival has."""
    taught = [row("lsq", 1, 500, 0.6, 0.78), row("lsq", 2, 500, 0.6, 0.77)]
    taught += [row("mgqe", seed, 500, 0.9, 0.76, width) for seed in (1, 2) for width in (8, 4)]
    taught += [row("mgqe", seed, 2100, 0.9, 0.99, 16) for seed in (1, 2)]  # too large for any share
    every = pd.concat([FOUND, RIVALS, pd.DataFrame([{**of, "control": TEACHER} for of in taught])])
    (made,) = controls.from_teacher(every, pd.concat([FOUND, RIVALS])).to_dict("records")
    assert (made["share"], made["rival"], made["n"]) == (0.125, "lsq", 2)
    assert made["effect"] == pytest.approx(np.mean([0.79 - 0.78, 0.80 - 0.77]))
    assert controls.from_teacher(FOUND, FOUND).empty
    other = every[every["control"] == TEACHER].assign(control=BOTH)
    both = pd.concat([every, other.assign(auc=other["auc"] + 0.01)])
    (coarse,) = controls.from_teacher(both, pd.concat([FOUND, RIVALS]), BOTH).to_dict("records")
    assert coarse["effect"] == pytest.approx(made["effect"] - 0.01)
    assert controls.from_teacher(both, pd.concat([FOUND, RIVALS])).to_dict("records") == [made]
    assert controls.teaching(both)["effect"].tolist() == controls.teaching(every)["effect"].tolist()


def test_the_smallest_lead_is_that_over_the_best_rival_of_a_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of both recipes; a weaker rival of the same budget counts for nothing, larger lead or smaller."""
    own = pd.DataFrame(
        [(0.5, "lsq", 0.80, 0.002), (0.5, "qr", 0.70, -0.009), (0.25, "mpe", 0.75, 0.003)],
        columns=["share", "method", "auc", "lead"],
    ).assign(n=3, lead_half=0.001)
    every = {"tuned": own, "paper": own.assign(lead=own["lead"] + 0.01)}
    monkeypatch.setattr(smallest_leads, "with_own", lambda recipe, control: every[recipe])
    names = "rivals have coarser first-order weights", "rivals have another form"
    own = {name: smallest_leads.CONTROLS[name] for name in names}
    monkeypatch.setattr(smallest_leads, "CONTROLS", own)
    assert smallest_leads.text().endswith(
        " (3 seeds). The compressor's smallest lead over the best rival in any of them is "
        f"+0.0020 ± 0.0010 (`tuned`, 50.0%, trained integers (LSQ)): *{names[0]}*"
    )
    come = [
        {"share": 0.5, "rival": "qr", "n": 10, "n_rival": 10, "lead": -0.001, "lead_half": 0.002},
        {"share": 0.25, "rival": "mpe", "n": 10, "n_rival": 3, "lead": -0.5, "lead_half": 0.002},
    ]
    monkeypatch.setattr(smallest_leads, "comparisons", lambda recipe, _: come if recipe == "tuned" else [])
    first, *_, last = smallest_leads.table().splitlines()[2:]
    assert first.endswith(" | 50.0% to 50.0% | 10 | – | -0.0010 ± 0.0020 (50.0%, QR) |")
    assert last.endswith(
        " | 50.0% to 25.0% | 3 | +0.0120 ± 0.0010 (50.0%, trained integers (LSQ)) | "
        "+0.0020 ± 0.0010 (50.0%, trained integers (LSQ)) |"
    )
    monkeypatch.setattr(smallest_leads, "with_own", lambda recipe, control: pd.DataFrame())
    assert smallest_leads.text() == "No control has run"


@pytest.mark.parametrize("control", [WEIGHTS, FORM])
def test_a_rival_with_own_options_stands_beside_itself_as_it_comes_and_the_compressor(control: str) -> None:
    """In the setting that was best on the seed of choice, not in the one that is best on the others."""
    weights = [row("lsq", 1, 120, 0.5, 0.72, 4), row("lsq", 2, 120, 0.5, 0.75, 4), row("lsq", 1, 110, 0.9, 0.9, 2)]
    tried = [row("lsq", 11, 120, 0.7, 0.7, 4), row("lsq", 11, 110, 0.6, 0.6, 2)]
    own, choice = (pd.DataFrame([{**of, "control": control} for of in rows]) for rows in (weights, tried))
    every, found = pd.concat([FOUND, RIVALS, own]), pd.concat([FOUND, RIVALS]).replace({"share": {0.125: 0.031}})
    rows = controls.with_own(every, found, pd.concat([chosen(), choice]), control)
    (made,) = rows[rows["share"] == 0.031].to_dict("records")
    assert (made["method"], made["share"], made["width"], made["bytes"], made["n"]) == ("lsq", 0.031, 4, 120, 2)
    assert made["effect"] == pytest.approx(np.mean([0.72 - 0.70, 0.75 - 0.74]))
    assert made["lead"] == pytest.approx(np.mean([0.79 - 0.72, 0.80 - 0.75]))
    assert controls.teaching(every).empty


def test_the_best_of_another_form_stands_beside_the_best_as_it_comes_on_the_seed_of_choice() -> None:
    """At the budgets of the control; one that has no such setting as it comes stands alone."""
    tried = [row("lsq", 11, 120, 0.65, 0.1, 4), row("lsq", 11, 240, 0.68, 0.1, 6), row("mpe", 11, 240, 0.5, 0.1)]
    usual = [row("lsq", 11, 240, 0.7, 0.9, 2), row("lsq", 11, 240, 0.66, 0.9, 3)]
    choice = pd.concat([chosen(*usual), pd.DataFrame([{**of, "control": FORM} for of in tried])])
    large = pd.DataFrame([{**row("lsq", 1, 260, 0.9, 0.9, 6), "control": FORM}])  # on another seed
    columns = ["share", "method", "width", "valid", "valid_usual"]
    made = controls.tried_in_form(FOUND, choice)[columns]
    expected = [(0.0625, "lsq", 6, 0.68, 0.7), (0.0625, "mpe", 8, 0.5, None), (0.031, "lsq", 4, 0.65, None)]
    pd.testing.assert_frame_equal(made, pd.DataFrame(expected, columns=columns), check_index_type=False)
    less = controls.tried_in_form(pd.concat([FOUND, large]), choice)[columns]
    pd.testing.assert_frame_equal(less[:1], pd.DataFrame([(0.0625, "lsq", 4, 0.65, 0.7)], columns=columns))


def test_the_best_rival_has_most_seeds_and_the_lead_is_paired() -> None:
    (made,) = at_equal_bytes.comparisons(pd.concat([FOUND, RIVALS]), 0.0005).to_dict("records")
    lead = np.array([0.09, 0.06])
    assert (made["rival"], made["n_rival"]) == ("lsq", 2)
    assert made["lead"] == pytest.approx(lead.mean())
    assert made["p"] == made["p_holm"] == pytest.approx(stats.ttest_1samp(lead, 0).pvalue)


def test_equivalence_is_tested_within_the_aim_and_within_the_usual_margin() -> None:
    """With FE within both, with the best rival within the latter; corrected over the shares that are tested."""
    rng = np.random.default_rng(1)
    names, seeds = {"fe": 1.0, "budget": 0.5, "lsq": 0.5}, range(1, 6)
    runs = [row(name, seed, 1, 0.6, 0.7 + rng.normal(0, 3e-4)) for name in names for seed in seeds]
    half = pd.DataFrame(runs).assign(share=lambda each: each["method"].map(names))
    shift = {"fe": 0, "budget": 2e-4, "lsq": 5e-4}
    quarter = half[half["method"] != "fe"].assign(share=0.25, auc=lambda each: each["auc"] + each["method"].map(shift))
    made = at_equal_bytes.comparisons(pd.concat([half, quarter]), 0.0005, [0.25]).set_index("share")
    fe, ours, rival = (np.array([each["auc"] for each in runs if each["method"] == name]) for name in names)

    def tost(differences: np.ndarray, margin: float) -> float:
        low = stats.ttest_1samp(differences, -margin, alternative="greater").pvalue
        return max(low, stats.ttest_1samp(differences, margin, alternative="less").pvalue)

    assert np.isnan(made["p_equal"][0.5])
    assert made["p_equal_holm"][0.25] == pytest.approx(tost(ours + 2e-4 - fe, 0.0005))
    assert made["p_as_fe"].tolist() == pytest.approx([tost(ours - fe, 0.001), tost(ours + 2e-4 - fe, 0.001)])
    assert made["p_as_rival"].tolist() == pytest.approx([tost(ours - rival, 0.001), tost(ours - rival - 3e-4, 0.001)])
    for name in ("p_as_fe", "p_as_rival"):
        worst, best = made[name].max(), made[name].min()
        assert sorted(made[f"{name}_holm"]) == pytest.approx([min(2 * best, 1), min(max(2 * best, worst), 1)])


def test_seeds_that_the_compressor_lacks_make_no_rival_the_best() -> None:
    more = pd.DataFrame([row("qr", seed, 1, 0.6, 0.65) for seed in (2, 3, 4)])
    (made,) = at_equal_bytes.comparisons(pd.concat([FOUND, RIVALS, more]), 0.0005).to_dict("records")
    assert (made["rival"], made["n_rival"]) == ("qr", 2)
    (made,) = at_equal_bytes.comparisons(pd.concat([FOUND, RIVALS, more[1:]]), 0.0005).to_dict("records")
    assert (made["rival"], made["n_rival"]) == ("lsq", 2)


def test_a_rival_of_another_processor_is_not_the_best() -> None:
    """It could not be paired."""
    elsewhere = pd.DataFrame([row("mgqe", seed, 500, 0.6, 0.9) | {"cpu": "two"} for seed in (1, 2)])
    (made,) = at_equal_bytes.comparisons(pd.concat([FOUND, RIVALS, elsewhere]), 0.0005).to_dict("records")
    assert (made["rival"], made["n_rival"]) == ("lsq", 2)
    taught = pd.concat([RIVALS[:2], elsewhere]).assign(control=TEACHER)
    (made,) = controls.from_teacher(pd.concat([FOUND, RIVALS, taught]), FOUND).to_dict("records")
    assert (made["rival"], made["n"]) == ("lsq", 2)


def test_the_nearest_rival_is_that_of_the_seeds_that_every_rival_has(monkeypatch: pytest.MonkeyPatch) -> None:
    for seed, name in ((1, "qr"), (2, "lsq")):
        monkeypatch.setattr(at_equal_bytes, "TABLE_SEEDS", (seed,))
        (made,) = at_equal_bytes.comparisons(pd.concat([FOUND, RIVALS]), 0.0005).to_dict("records")
        assert made["rival_of_all"] == name


def test_committed_runs_keep_to_their_budget() -> None:
    found = read_runs(ROOT / "results", "ml-1m", "tuned", [1])
    assert (found.loc[found["method"] == "fe", "bytes"] == 4 * 13_560 * 17).all()
    told = found[found["told"].notna()]
    assert "budget" in set(told["method"])
    assert (told["bytes"] <= told["told"]).all()
    choice = read_runs(ROOT / "results", "ml-1m", "tuned", [CHOICE_SEED]).set_index("setting")["bytes"]
    planned = every_setting("ml-1m", "tuned")
    for share, method in [key for key in planned if key[1] not in ("budget", "mpe")]:
        sizes = choice.reindex([kind(run) for run in planned[share, method]]).dropna()
        assert (sizes <= 1.001 * share * 4 * 13_560 * 17).all(), (share, method)


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("model", OTHER_MODELS)
def test_committed_runs_on_other_models_keep_to_their_budget(recipe: str, model: str) -> None:
    """MPE's bytes are known after its search alone."""
    found = equal_bytes.found(recipe, model)
    at_a_share = found[found["share"] < 1]
    assert {*at_a_share["share"]} == {*OTHER_SHARES}
    assert {"budget", "lsq", "dpq-vq", "mgqe"} <= {*at_a_share["method"]}
    assert (at_a_share["bytes"] <= 1.001 * at_a_share["share"] * 4 * 13_560 * 16).all()


@pytest.mark.parametrize("changed", [{"average": 0.999}, {"split_seed": 1}])
def test_a_setting_is_the_same_under_a_switch(changed: dict[str, Any]) -> None:
    """With these all methods run once more as they were chosen."""
    path = next((ROOT / "results/ml-1m/tuned/records").glob("deepfm-lsq-seed1-*.json"))
    record = read_record(path)
    other = record.model_copy(update={"config": record.config.model_copy(update=changed)})
    assert reading._row(other)["setting"] == reading._row(record)["setting"]


@pytest.mark.parametrize(
    ("own", "alone", "both"),
    [
        ({}, "", TEACHER),
        ({"first_order_bits": 1}, WEIGHTS, BOTH),
        ({"by_field": True}, FORM, f"{TEACHER} and {FORM}"),
    ],
)
def test_a_run_is_the_control_of_what_it_has_more(own: dict[str, Any], alone: str, both: str) -> None:
    """A teacher makes no other setting, options of its own do."""
    path = next((ROOT / "results/ml-1m/tuned/records").glob("deepfm-lsq-seed1-*.json"))
    record = read_record(path)
    config = record.config.model_copy(update={"options": {"bits": 3, **own}})
    found = [config, config.model_copy(update={"options": {**config.options, "taught": True}})]
    plain, taught = (reading._row(record.model_copy(update={"config": each})) for each in found)
    assert (plain["control"], taught["control"]) == (alone, both)
    assert plain["setting"] == taught["setting"]
    assert plain["options"] == taught["options"]


def test_without_fe_nothing_is_at_equal_bytes() -> None:
    alone = FOUND[FOUND["method"] == "budget"].drop(columns="share")
    assert at_chosen_settings(alone, chosen()).empty
    assert controls.from_labels(FOUND.iloc[:0], at_chosen_settings(alone, chosen())).empty


def test_a_switch_that_a_method_does_not_feel_leaves_its_runs() -> None:
    plain, near_zero = (read_runs(ROOT / "results", "ml-1m", "paper", [1], switches=each) for each in ({}, FROM_ZERO))
    for method, same in (("lsq", True), ("qr", False)):
        before, after = (set(runs.loc[runs["method"] == method, "run"]) for runs in (plain, near_zero))
        assert after and (before >= after) == same, method


def test_no_records_are_no_rows(tmp_path: Path) -> None:
    none = read_runs(tmp_path, "ml-1m", "tuned", [1])
    assert none.empty
    assert set(at_chosen_settings(FOUND.drop(columns="share"), none)["method"]) == {"fe", "budget"}


def test_a_stale_record_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "lsq" in set(read_runs(ROOT / "results", "ml-1m", "tuned", [1])["method"])
    monkeypatch.setitem(METHOD_VERSION, "lsq", METHOD_VERSION["lsq"] + 1)
    assert "lsq" not in set(read_runs(ROOT / "results", "ml-1m", "tuned", [1])["method"])


def test_runs_on_another_processor_than_fes_are_no_pairs() -> None:
    elsewhere = FOUND.assign(cpu=np.where(FOUND["method"] == "fe", "one", "another"))
    row = at_equal_bytes.table(elsewhere).set_index("method").loc["budget"]
    assert row["auc"] == pytest.approx(0.795)
    assert row[["difference", "half", "place"]].isna().all()


def test_the_picture_has_all_methods() -> None:
    names = [*STRATEGIES, "budget", *METHODS]
    every = [row(name, 1, 100 + n, 0.7, 0.78, share=0.125 if n > 4 else 1.0) for n, name in enumerate(names)]
    figure = auc_curve.draw(at_equal_bytes.table(pd.DataFrame(every)), "title")
    _, labels = figure.axes[0].get_legend_handles_labels()
    assert len(labels) == len(names) == len({*labels})
    plt.close(figure)


def test_the_picture_has_a_text() -> None:
    figure = auc_curve.draw(at_equal_bytes.table(FOUND), "title")
    assert "the compressor 490 bytes 0.7950" in figure.get_label()
    plt.close(figure)


def test_a_mark_below_the_edge_has_no_bar() -> None:
    figure = auc_curve.draw(at_equal_bytes.table(pd.concat([FOUND, RIVALS])), "title")
    found = []
    for axis in figure.axes:
        middles = np.array([bar[:, 1].mean() for bars in axis.collections for bar in bars.get_segments() if len(bar)])
        found.append(middles[np.isfinite(middles)])
        assert (found[-1] >= axis.get_ylim()[0]).all()
    assert np.concatenate(found).size
    plt.close(figure)


@pytest.mark.parametrize(
    ("missing", "expected"),
    [
        ((0.25, "dhe"), [(0.25, "dhe")]),
        ((0.125, "dhe"), [(0.25, "dhe"), (0.125, "dhe")]),
        ((0.125, "budget"), [(0.125, "budget")]),
        ((0.5, "mpe"), []),
    ],
)
def test_a_method_counts_where_all_its_settings_there_were_tried(
    missing: tuple[float, str], expected: list[tuple[float, str]]
) -> None:
    """A rival's are those of every smaller share, too; the compressor's are told their share."""
    planned: Any = {(0.25, "dhe"): [1, 2], (0.25, "budget"): [3], (0.125, "dhe"): [4], (0.125, "budget"): [5]}
    done = {key: runs[1:] if key == missing else runs for key, runs in planned.items()}
    assert half_tried(planned, done) == expected
