"""Which runs the parts of the evaluation consist of."""

from __future__ import annotations

import os
from itertools import product
from pathlib import Path

import pytest
from pydantic import ValidationError

from autodpq_budget.settings import CHOICE_SEED
from autodpq_eval.batch import log_folder
from autodpq_eval.best_pair import best_pair
from autodpq_eval.controls import Control, control_runs, controls
from autodpq_eval.parts import PLANS
from autodpq_eval.plans import TEN_SEEDS, configure, tables, tables_under_readings
from autodpq_eval.request import Request
from autodpq_lib.config import READINGS, RECIPES
from autodpq_runs.record import read_record
from autodpq_system import paths
from autodpq_system.paths import ROOT, runs_root
from scripts import replicate
from scripts.report import notebooks_of


def kinds(runs: list) -> set[tuple[str, str]]:
    return {(run.model, run.strategy) for run in runs}


def test_tables_1_and_2_share_their_runs() -> None:
    runs = tables("ml-1m", "paper", [1, 2, 3])
    assert len(runs) == len(set(runs)) == 3 * (5 + 3 + 3)
    assert ("pnn", "grid") not in kinds(runs)
    assert kinds(tables("ml-100k", "tuned", [1])) == {
        ("deepfm", s) for s in ("fe", "others", "grid", "random", "autodpq")
    }


def test_models_and_strategies_that_are_named_are_all_run() -> None:
    assert kinds(tables("ml-100k", "tuned", [1], ["dcn"], ["fe", "grid"])) == {("dcn", "fe"), ("dcn", "grid")}


@pytest.mark.parametrize("recipe", ["paper", "tuned"])
def test_each_control_changes_something_and_has_a_record_of_its_own(recipe: str) -> None:
    each = [(control, seed) for control in controls() for seed in TEN_SEEDS if seed <= control.seeds]
    names = [control.config("ml-1m", recipe, seed).name() for control, seed in each]
    plain = {control.reference("ml-1m", recipe, seed).name() for control, seed in each}
    assert len(set(names)) == len(names)
    assert not plain & set(names)
    runs = [run.name() for run in control_runs("ml-1m", recipe)]
    assert len(set(runs)) == len(runs)
    assert set(runs) == plain | set(names)


def test_a_project_in_a_folder_with_braces_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its prepared data would be a wildcard of Snakemake."""
    monkeypatch.delenv("AUTODPQ_RUNS")
    monkeypatch.setattr(paths, "ROOT", tmp_path / "a{b}")
    with pytest.raises(ValidationError, match=r"project or AUTODPQ_RUNS: expected a folder without braces .*a{b}"):
        Request()
    monkeypatch.setenv("AUTODPQ_RUNS", str(tmp_path))
    Request()


def test_each_title_is_of_one_control() -> None:
    titles = [control.title for control in controls()]
    assert sorted(titles) == sorted(set(titles))


def test_what_changes_a_run_from_its_first_step_can_not_start_as_its_reference() -> None:
    able = {control.id for control in controls() if control.can_start_alike}
    assert {"fe-extra", "autodpq-160", "no-compression", "fe-impatient", "protocol-autodpq", "text-inner"} <= able
    changed = {"others-160", "no-pretrain", "grid-pretrain", "fe-average", "order-fe", "fe-split", "fe-dropout"}
    assert not able & changed


def test_controls_of_one_reference_name_it_alike() -> None:
    named: dict[str, set[str]] = {}
    for control in controls():
        named.setdefault(control.against, set()).add(control.reference("ml-1m", "paper", 1).name())
    assert all(len(names) == 1 for names in named.values())
    assert len(set().union(*named.values())) == len(named)
    assert named["fe"] == {configure("ml-1m", "paper", "fe", 1).name()}


def test_a_control_takes_one_part_of_the_other_recipe() -> None:
    control = Control(id="x", group="", strategy="fe", title="", swap="dropout")
    changed = control.config("ml-1m", "tuned", 1)
    assert changed.base_model == RECIPES["tuned"].model_copy(update={"dropout": 0.2})
    assert control.config("ml-1m", "paper", 1).base_model.dropout == 0.0


def test_the_split_moves_with_the_seed_where_a_control_says_so() -> None:
    control = Control(id="x", group="", strategy="fe", title="", switches={"split_seed": "seed"})
    assert [control.config("ml-1m", "tuned", seed).split_seed for seed in (1, 2)] == [1, 2]


@pytest.mark.parametrize("recipe", ["paper", "tuned"])
def test_ten_seeds_take_grids_best_pair_on_validation(recipe: str) -> None:
    grid = [
        read_record(p) for p in sorted((ROOT / "results/ml-1m" / recipe / "records").glob("deepfm-grid-seed[123].json"))
    ]
    means = {}
    for log in grid[0].fits:
        pair = log.decision["user"]
        scores = [max(f.curve["valid_auc"]) for r in grid for f in r.fits if f.decision["user"] == pair]
        means[pair] = sum(scores) / len(scores)
    assert best_pair(grid) == max(means, key=means.get)
    runs = PLANS["seeds"]("ml-1m", recipe, [1, 2, 3], ROOT / "results")
    assert len(runs) == 40
    assert {run.candidates[0] for run in runs if run.strategy == "grid"} == {best_pair(grid)}


def test_ten_seeds_without_grid_is_a_clear_refusal(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected Grid's records of Table 1, found none"):
        PLANS["seeds"]("ml-1m", "tuned", [1], tmp_path)


def test_a_name_of_a_switch_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="extra_trainning"):
        configure("ml-1m", "tuned", "fe", 1, extra_trainning=True)


def test_only_movielens_1m_has_models_of_table_2_under_the_readings() -> None:
    runs = {name: tables_under_readings(name, "tuned", [1]) for name in ("ml-100k", "ml-1m")}
    assert {run.model for run in runs["ml-100k"]} == {"deepfm"}
    assert {run.model for run in runs["ml-1m"]} == {"deepfm", "pnn", "dcn"}


def test_a_part_with_other_seeds_leaves_tables_1_and_2_to_theirs() -> None:
    tables = {part: Request(part=part, seeds=(4, 5)).table_seeds for part in ("tables", "budget", "readings")}
    assert tables == {"tables": (4, 5), "budget": (1, 2, 3), "readings": (1, 2, 3)}
    found = notebooks_of(Request(part="readings", seeds=(4, 5)))
    assert found["12_report"]["seeds"] == [1, 2, 3]


def test_each_folder_of_records_has_logs_of_its_own(tmp_path: Path) -> None:
    places = {log_folder(out, "ml-1m", "tuned") for out in (Path("results"), Path("runs/mine"), tmp_path)}
    assert len(places) == 3
    assert all(place.is_relative_to(runs_root() / "logs") and ".." not in place.parts for place in places)


@pytest.mark.parametrize("part", ["controls", "gain", "seeds"])
def test_a_part_that_names_its_seeds_takes_no_others(part: str) -> None:
    with pytest.raises(ValidationError, match=f"seeds: expected none with part {part}, which has its own, found 4 5"):
        Request(part=part, seeds=(4, 5))
    assert Request(part=part).seeds == (1, 2, 3)


@pytest.mark.parametrize("part", ["controls", "gain", "laboratory"])
def test_what_there_is_for_ml_1m_alone_is_refused_elsewhere(part: str) -> None:
    with pytest.raises(ValidationError, match=f"dataset: expected ml-1m with part {part}, found flights"):
        Request(part=part, dataset="flights")
    assert "10_controls" not in notebooks_of(Request(part="seeds", dataset="flights"))


def test_notebook_13_goes_with_the_runs_that_it_draws(tmp_path: Path) -> None:
    found = notebooks_of(Request(part="budget", dataset="ml-1m", seeds=(1, 2), out=tmp_path))["13_one_byte_budget"]
    assert ROOT / found["found_in"] == ROOT / found["records_in"] == ROOT / os.path.relpath(tmp_path, ROOT)
    with_it = [
        (dataset, seeds)
        for dataset, seeds in product(("ml-1m", "ml-100k"), ((CHOICE_SEED,), (1, 2)))
        if "13_one_byte_budget" in notebooks_of(Request(part="budget", dataset=dataset, seeds=seeds))
    ]
    assert with_it == [("ml-1m", (1, 2))]


@pytest.mark.parametrize("recipe", RECIPES)
def test_table_2_on_the_laboratorys_split_has_all_readings_and_random_in_its_codes_recipe(recipe: str) -> None:
    runs = [run for run in Request(part="laboratory", recipe=recipe).plan() if run.model != "deepfm"]
    kinds = {("others", "literal"), *(("autodpq", reading) for reading in READINGS)}
    if recipe == "paper":
        kinds |= {("random", "literal"), ("random", "text")}
    assert {(run.strategy, run.reading) for run in runs} == kinds
    assert {(run.model, run.seed) for run in runs} == set(product(["pnn", "dcn"], [1, 2, 3]))
    assert {run.split for run in runs} == {"laboratory"}


def test_snakemake_keeps_its_things_elsewhere_where_there_is_no_home(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert replicate._cache() == {}
    (tmp_path / "file").touch()
    monkeypatch.setenv("HOME", str(tmp_path / "file"))
    assert replicate._cache() == {"XDG_CACHE_HOME": str(runs_root() / "work" / "cache")}


def test_a_persons_home_is_known_where_the_shell_does_not_put_it_in(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert (ROOT / Request(out="~/mine").out).resolve() == tmp_path / "mine"
