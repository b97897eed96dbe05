"""The compressor as a strategy of the batch: recorded, with its actual bytes, and loaded again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from math import ceil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
import torch
from conftest import DyingCheckpoints, KilledError, restored, small_config, small_run

from autodpq_budget import chosen as chosen_module
from autodpq_budget import other_model, plan, read_runs, settings
from autodpq_budget.batch import register_all
from autodpq_budget.chosen import chosen
from autodpq_budget.distil import Distilling
from autodpq_budget.other_model import on_another_model
from autodpq_budget.other_width import TAUGHT, TEACHER_DIM, like
from autodpq_budget.sensitivity import sensitivities
from autodpq_budget.strategy import COMPRESSOR, register_budget
from autodpq_budget.taught import learn
from autodpq_budget.teacher import teacher_of
from autodpq_data.schema import Schema
from autodpq_eval.batch import NOTEBOOKS
from autodpq_eval.parts import PLANS
from autodpq_eval.plans import configure
from autodpq_eval.request import Request
from autodpq_lib.config import METHOD_VERSION, OUTSIDE, RunConfig
from autodpq_lib.models.build import EMBEDDING, final_model, full_model
from autodpq_lib.space import model_bytes
from autodpq_lib.strategies import STRATEGY
from autodpq_lib.training.fit import UNSCORED
from autodpq_lib.training.metrics import Metrics, evaluate
from autodpq_lib.training.run import Run
from autodpq_rivals.budget import rest_bytes
from autodpq_rivals.budget import settings as settings_of
from autodpq_rivals.methods import METHODS
from autodpq_rivals.strategies import register_rivals, train_and_store
from autodpq_runs.explore import load_run
from autodpq_runs.finish import finish
from autodpq_runs.kept import weights
from autodpq_runs.record import Record
from autodpq_runs.run_paths import weights_path


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    with restored(EMBEDDING, STRATEGY, NOTEBOOKS, PLANS):
        register_rivals(learn)
        register_budget()
        yield


@pytest.mark.parametrize("model", ["deepfm", "pnn", "dcn"])
def test_a_run_is_recorded_with_its_bytes_and_comes_back(
    model: str, tmp_path: Path, schema: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = small_config(strategy=COMPRESSOR, options={"bytes": 250}, embedding_dim=8, model=model)
    run = small_run(tmp_path / "work", schema, config)
    for place in ("autodpq_runs.finish", "autodpq_runs.explore"):
        monkeypatch.setattr(f"{place}.load_samples", lambda *_: run.valid)
        monkeypatch.setattr(f"{place}.load_schema", lambda *_: schema)
    *full, compressed = STRATEGY[COMPRESSOR](run)
    assert len(compressed.curve) > 1
    assert sorted(fit.name for fit in full) == ["full-taught", "full-teacher"]
    assert all(fit.stage in UNSCORED for fit in full)
    record = finish(run, [*full, compressed], tmp_path / "out")
    loaded = load_run(record)
    assert evaluate(loaded.model, loaded.test) == record.test
    tables = record.space.model_bytes - rest_bytes(config, 3)
    assert tables == model_bytes(loaded.model) - rest_bytes(config, 3)
    parts = [loaded.model.embedding, loaded.model.first_order] if model == "deepfm" else [loaded.model.embedding]
    stored = sum(array.nbytes for part in parts for array in part.stored().values())
    assert tables == stored + 4 * len(loaded.model.embedding.groups) <= 250


def test_at_the_teachers_width_the_teacher_itself_is_compressed(tmp_path: Path, schema: Schema) -> None:
    config = small_config(strategy=COMPRESSOR, options={"bytes": 400}, embedding_dim=TEACHER_DIM)
    fits = STRATEGY[COMPRESSOR](small_run(tmp_path, schema, config))
    assert [fit.name for fit in fits] == ["full-teacher", "compress"]


def test_a_teacher_that_is_whole_on_this_machine_is_taken(
    tmp_path: Path, schema: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = small_run(tmp_path / "fe", schema, like(small_config(), "fe", TEACHER_DIM))
    monkeypatch.setattr("autodpq_runs.finish.load_samples", lambda *_: run.valid)
    monkeypatch.setattr("autodpq_runs.finish.load_schema", lambda *_: schema)
    path = weights_path(finish(run, STRATEGY["fe"](run), tmp_path / "out").identity)
    expected, whole = {name: tensor.clone() for name, tensor in weights(path).items()}, path.read_bytes()
    for trained, content in enumerate([whole, whole[:-9]]):
        path.write_bytes(content)
        model, fits = teacher_of(small_run(tmp_path / f"{trained}", schema, run.config))
        assert len(fits) == trained
        assert all(torch.equal(tensor, expected[name]) for name, tensor in model.state_dict().items())


def test_the_compressor_may_learn_from_labels_and_a_rival_from_its_teacher(
    tmp_path: Path, schema: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autodpq_budget.fine_tune.recode", lambda *_: pytest.fail("codes moved"))
    ours = small_config(strategy=COMPRESSOR, options={"bytes": 250, "taught": False}, embedding_dim=8)
    fits = STRATEGY[COMPRESSOR](small_run(tmp_path / "a", schema, ours))
    assert [fit.name for fit in fits] == ["full-labels", "compress"]
    theirs = small_config(strategy="lsq", options={"bits": 3, "taught": True}, embedding_dim=8)
    taught = STRATEGY["lsq"](small_run(tmp_path / "b", schema, theirs))
    assert [fit.name for fit in taught] == ["full-teacher", "train", "store"]
    plain = STRATEGY["lsq"](small_run(tmp_path / "c", schema, theirs.model_copy(update={"options": {"bits": 3}})))
    assert [fit.name for fit in plain] == ["train", "store"]
    assert not torch.equal(plain[-1].weights["embedding.rows.table"], taught[-1].weights["embedding.rows.table"])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "found none"),
        ({"byts": 3}, "found byts"),
        ({"bytes": 3, "tought": True}, "found bytes, tought"),
    ],
)
def test_other_options_are_refused_before_anything_is_trained(
    tmp_path: Path, schema: Schema, options: dict[str, object], says: str
) -> None:
    with pytest.raises(ValueError, match=f"options of budget: expected bytes, and at most taught, {says}"):
        STRATEGY[COMPRESSOR](small_run(tmp_path, schema, small_config(strategy=COMPRESSOR, options=options)))


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        (COMPRESSOR, {"bytes": True}, "budget: bytes: expected a whole number above 0, found True"),
        (COMPRESSOR, {"bytes": 2000.9}, r"budget: bytes: expected a whole number above 0, found 2000\.9"),
        (COMPRESSOR, {"bytes": -1}, "budget: bytes: expected a whole number above 0, found -1"),
        (COMPRESSOR, {"bytes": 20}, r"budget: bytes: expected at least \d+ at X = \d+, found 20"),
        (COMPRESSOR, {"bytes": 300, "taught": 1}, "budget: taught: expected true or false, found 1"),
        (TAUGHT, {"bytes": 300}, "taught: expected none, found bytes"),
        ("int-b", {"bits": 0}, "int-b: bits: expected greater than or equal to 1, found 0"),
        ("int-b", {"bits": 40}, "int-b: bits: expected less than 16, found 40"),
        ("int-b", {"bits": 4, "taught": True}, "int-b: expected some of bits, first_order_bits, found taught"),
        (
            "mpe",
            {"price": 1e-3, "taught": False},
            "mpe: expected some of price, .*, found taught",
        ),
        ("lsq", {"bits": 4, "taught": 1}, "lsq: taught: expected a valid boolean, found 1"),
    ],
)
def test_options_that_cannot_be_are_refused_before_anything_is_trained(
    name: str, options: dict[str, object], says: str, tmp_path: Path, schema: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Run, "fit", lambda *_, **__: pytest.fail("trained"))
    with pytest.raises(ValueError, match=f"options of {says}"):
        STRATEGY[name](small_run(tmp_path, schema, small_config(strategy=name, options=options)))


def test_a_rival_that_nobody_teaches_is_not_said_to_be_taught(tmp_path: Path, schema: Schema) -> None:
    run = small_run(tmp_path, schema, small_config(strategy="lsq", options={"bits": 4, "taught": True}))
    with pytest.raises(ValueError, match="options of lsq: taught: expected false without a teacher, found True"):
        train_and_store(run)


@pytest.mark.parametrize(
    ("strategy", "taught", "control"),
    [
        ("lsq", None, ""),
        ("lsq", False, ""),
        ("lsq", True, "teacher"),
        ("budget", True, ""),
        ("budget", False, "teacher"),
    ],
)
def test_a_control_is_what_is_taught_otherwise_than_its_method(
    strategy: str, taught: bool | None, control: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_runs, "table_bytes", lambda *_: 1)
    options = {"bits": 4} if strategy == "lsq" else {"bytes": 500}
    config = small_config(strategy=strategy, options=options | ({} if taught is None else {"taught": taught}))
    metrics, kind = Metrics(auc=0.8, logloss=0.5), SimpleNamespace(cpu="one")
    record = Record.model_construct(valid=metrics, test=metrics, identity="", config=config, provenance=kind)
    assert read_runs._row(record)["control"] == control


def test_what_only_other_strategies_read_is_not_asked_of_fe() -> None:
    control = small_config(strategy="autodpq", quantise=False, search_until="settled", threshold=7)
    assert like(control, "fe", 8) == like(small_config(threshold=7), "fe", 8)


def test_of_a_data_set_s_subspaces_those_stay_that_divide_x(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autodpq_data.settings.CONFIG", tmp_path)
    table = {"path": "x", "label": "y", "fields": ["a", "b"]}
    (tmp_path / "wide.yaml").write_text(json.dumps({"embedding_dim": 32, "subspaces": [16, 32], "table": table}))
    config = RunConfig(dataset="wide", strategy="fe")
    found = {dim: like(config, "taught", dim).subspaces for dim in (32, 16, 8, 6, 4)}
    assert found == {32: (16, 32), 16: (16,), 8: (1,), 6: (1,), 4: (1,)}
    usual = small_config(subspaces=(2, 4, 8), strategy="fe")
    assert [like(usual, "fe", dim).subspaces for dim in (16, 8, 4)] == [(2, 4, 8), (2, 4, 8), (1,)]  # as records say


VQ = {"centroids": 16, "subspaces": 2, "shared": False, "tied": False, "normed": False}


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("lsq", {}, "expected bits, found none"),
        ("lsq", {"taught": True}, "expected bits"),
        ("lsq", {"bits": 0}, "bits: expected greater than or equal to 1, found 0"),
        ("lsq", {"bits": 2.5}, "bits: expected a valid integer, found 2.5"),
        ("double-hash", {"kept": -1, "shared": 4}, "kept: expected greater than or equal to 0, found -1"),
        ("dpq-vq", VQ | {"tied": 0.5}, "tied: expected a valid boolean, found 0.5"),
        ("lsq", {"bits": True}, "bits: expected a valid integer, found True"),
        ("lsq", {"bits": 2, "table": 1}, "expected some of bits, by_field, .*, taught, found table"),
        ("mgqe", {"centroids": 2, "subspaces": 2}, "centroids: expected greater than or equal to 4, found 2"),
        ("mpe", {"price": -1.0}, "price: expected greater than or equal to 0, found -1.0"),
        ("dpq-vq", VQ | {"subspaces": 3}, "subspaces: expected a divisor of embedding_dim 16, found 3"),
    ],
)
def test_a_rival_says_which_option_it_lacks_or_cannot_have(
    tmp_path: Path, schema: Schema, name: str, options: dict[str, object], expected: str
) -> None:
    with pytest.raises(ValueError, match=f"options of {name}: {expected}"):
        STRATEGY[name](small_run(tmp_path, schema, small_config(strategy=name, options=options)))


def test_a_table_that_is_not_trained_has_sensitivities_too(tmp_path: Path, schema: Schema) -> None:
    run = small_run(tmp_path, schema, small_config(strategy="int-b", options={"bits": 4}, embedding_dim=8))
    model = final_model(run.config, schema, None)
    model.load_state_dict(STRATEGY["int-b"](run)[-1].weights)
    assert sensitivities(model, run.train)["embedding"].min() > 0


def test_an_interrupted_run_goes_on_to_the_same_bits(tmp_path: Path, schema: Schema) -> None:
    """Wherever it is killed: in the teacher's training, in the taught FE's, or while it trains on."""
    config = small_config(strategy=COMPRESSOR, options={"bytes": 250}, embedding_dim=8)
    fits = STRATEGY[COMPRESSOR](small_run(tmp_path / "whole", schema, config))
    for lives in range(1, sum(len(fit.curve) for fit in fits) + 1):
        run = small_run(tmp_path / f"{lives}", schema, config)
        with pytest.raises(KilledError):
            STRATEGY[COMPRESSOR](replace(run, checkpoints=DyingCheckpoints(run.checkpoints.folder, lives)))
        again = STRATEGY[COMPRESSOR](run)
        for fit, other in zip(fits, again, strict=True):
            assert all(torch.equal(fit.weights[name], other.weights[name]) for name in fit.weights)


def test_a_teacher_drops_nothing_and_learns_nothing(tmp_path: Path, schema: Schema) -> None:
    """In recipe ``paper`` it has dropout and BatchNorm; its targets are those of evaluation mode."""
    config = small_config(strategy="fe", recipe="paper")
    run, teacher = small_run(tmp_path, schema, config), full_model(config, schema).train()
    before = {name: tensor.clone() for name, tensor in teacher.state_dict().items()}
    Distilling(full_model(config, schema), run, teacher).round(0)
    assert not any(module.training for module in teacher.modules())
    assert all(torch.equal(before[name], tensor) for name, tensor in teacher.state_dict().items())


# The batch at equal bytes.


@pytest.fixture
def all_done(schema: Schema, monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[float, int]]:
    """The tiny data set in the place of a prepared one, and records, name -> validation AUC and bytes of tables."""
    aucs: dict[str, tuple[float, int]] = {}

    def made(run: RunConfig) -> Record:
        metrics, kind = Metrics(auc=aucs[run.name()][0], logloss=0.5), SimpleNamespace(cpu="one")
        return Record.model_construct(valid=metrics, test=metrics, identity=run.name(), config=run, provenance=kind)

    def read(_: Path, plans: dict[Any, list[RunConfig]]) -> dict[Any, list[Record]]:
        return {key: [made(run) for run in runs if run.name() in aucs] for key, runs in plans.items()}

    def table(_: Path, dataset: str, recipe: str, seeds: list[int]) -> pd.DataFrame:
        own = (settings.own_settings(dataset, recipe, control) for control in settings.CONTROL_OPTIONS)
        tried = [settings.every_setting(dataset, recipe), *own]
        every = [run for each in tried for of in each.values() for run in of] if 11 in seeds else []
        fe = [configure(dataset, recipe, "fe", seed) for seed in seeds]
        aucs.update({run.name(): (0.8, 4 * 17 * schema.num_features) for run in fe})
        records = [made(run) for run in dict.fromkeys([*fe, *every]) if run.name() in aucs]
        return pd.DataFrame([read_runs._row(record) for record in records])

    for module in (settings, other_model):
        monkeypatch.setattr(module, "load_schema", lambda *_: schema)
    for name in ("every_setting", "own_settings"):  # once for all plans of a test
        once = cache(getattr(settings, name))
        for module in (settings, plan):
            monkeypatch.setattr(module, name, once)
    monkeypatch.setattr(chosen_module, "read_plans", read)
    for module in (chosen_module, other_model):
        monkeypatch.setattr(module, "read_runs", table)
    monkeypatch.setattr(read_runs, "table_bytes", lambda record, _: aucs[record.identity][1])
    return aucs


def test_what_is_done_is_taken_and_not_trained(tmp_path: Path, schema: Schema, monkeypatch: pytest.MonkeyPatch) -> None:
    """To the bits of what would be trained."""
    config = small_config(strategy=COMPRESSOR, options={"bytes": 250}, embedding_dim=8)
    run = small_run(tmp_path / "a", schema, config)
    trained = STRATEGY[COMPRESSOR](run)[-1].weights
    monkeypatch.setattr("autodpq_runs.finish.load_samples", lambda *_: run.valid)
    monkeypatch.setattr("autodpq_runs.finish.load_schema", lambda *_: schema)
    for strategy, dim in (("fe", TEACHER_DIM), (TAUGHT, 8)):
        part = small_run(tmp_path / strategy, schema, like(config, strategy, dim))
        finish(part, STRATEGY[strategy](part), tmp_path / "out")
    (found,) = STRATEGY[COMPRESSOR](small_run(tmp_path / "b", schema, config))
    assert all(torch.equal(trained[name], found.weights[name]) for name in trained)


def test_every_setting_fits_its_budget(all_done: dict[str, tuple[float, int]], schema: Schema) -> None:
    """As its model has it; but what MPE has in the end its search decides."""
    found = settings.every_setting("ml-100k", "tuned")
    assert {method for _, method in found} > {"merge", "double-hash"}
    for (share, method), runs in found.items():
        assert len(runs) <= (10 if method == "mpe" else 6)
        assert {run.strategy for run in runs} == {method}
        for run in runs if method not in ("mpe", COMPRESSOR) else []:
            tables = model_bytes(final_model(run, schema, None)) - rest_bytes(run, len(schema.fields))
            assert tables <= settings.room(settings.budget_of(schema, 1), share), run.name()


def test_a_scale_a_field_costs_a_rival_no_whole_bit(schema: Schema, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = (6000, 3000, 1000)
    large = replace(schema, sizes=sizes, counts=torch.ones(sum(sizes), dtype=torch.int64))
    monkeypatch.setattr(settings, "load_schema", lambda *_: large)
    found = settings.every_setting("ml-100k", "tuned")
    for share, bits in ((0.125, 4), (0.0625, 2)):
        wide = [run.options["bits"] for run in found[share, "lsq"] if run.embedding_dim == 16]
        assert max(wide) == bits
        assert int(found[share, COMPRESSOR][0].options["bytes"]) == int(share * 4 * sum(sizes) * 17)


def test_the_best_setting_on_the_seed_of_choice_is_run_on_the_others(
    all_done: dict[str, tuple[float, int]], schema: Schema, tmp_path: Path
) -> None:
    """Every method runs as it was chosen; on seeds 4 to 10 the compressor and the best three rivals alone."""
    with pytest.raises(
        ValueError,
        match=r"ml-100k/tuned/records: expected those of seed 11, which choose settings, found none; first make ",
    ):
        plan.budget_plan("ml-100k", "tuned", [1], out=tmp_path)
    every = settings.every_setting("ml-100k", "tuned")
    first = plan.budget_plan("ml-100k", "tuned", [11], out=tmp_path)
    assert [(run.strategy, run.embedding_dim) for run in first[:4]] == [("fe", 16), *((TAUGHT, x) for x in (8, 4, 2))]
    own = (settings.own_settings("ml-100k", "tuned", control) for control in settings.CONTROL_OPTIONS)
    assert set(first[4:]) == {run for tried in (every, *own) for runs in tried.values() for run in runs}
    for n, (key, runs) in enumerate(every.items()):
        for m, run in enumerate(runs):
            all_done[run.name()] = (0.9 - 0.01 * n + 0.001 * m, settings.budget_of(schema, key[0]))
    many = plan.budget_plan("ml-100k", "tuned", [1, 2], out=tmp_path)
    top = [max(runs, key=lambda run: all_done[run.name()][0]) for runs in every.values()]
    controls = [run for run in many if "taught" in run.options]
    assert {run.options["taught"] for run in controls if run.strategy == COMPRESSOR} == {False}
    assert {run.options["taught"] for run in controls if run.strategy != COMPRESSOR} == {True}
    for once_more in ([run for run in many if run.split_seed], [run for run in many if run.average]):
        assert {run.strategy for run in once_more} >= {"fe", TAUGHT, COMPRESSOR}
        assert [run.embedding_dim for run in once_more if run.strategy == "fe"] == [TEACHER_DIM] * 2
    assert not [run for run in many if run.first_order_sd is not None], "the recipe starts them there"
    averaged = {run.model_copy(update={"average": 0.0}) for run in many if run.average}
    assert averaged >= {run.model_copy(update={"seed": 1}) for run in top}
    many = [run for run in many if run not in controls and not run.split_seed and not run.average]
    assert len([run for run in many if run.model == "deepfm"]) == 2 * (2 + len(set(top)))  # FE, and one that it teaches
    elsewhere = [run.strategy for run in many if run.model == "pnn" and run.strategy not in METHODS]
    assert elsewhere == 2 * ["fe", TAUGHT, *[COMPRESSOR] * 3]
    assert not [run for run in many if run in controls or any(key.startswith("first_order") for key in run.options)]
    last = [run.model_copy(update={"seed": 4}) for run in top]
    few = plan.budget_plan("ml-100k", "tuned", [4], out=tmp_path)
    assert set(few[2:]) <= set(last)
    for share in settings.SHARES:
        methods = sum(share == s for s, _ in every)
        assert sum(run in few for (s, _), run in zip(every, last, strict=True) if s == share) == min(methods, 4)
    another = plan.budget_plan("ml-100k", "tuned", [14], out=tmp_path)
    assert {run.model_copy(update={"seed": 14}) for run in top} <= set(another)


def test_a_method_that_does_not_feel_a_switch_is_not_run_again() -> None:
    own = [(COMPRESSOR, {"bytes": 1000}), ("lsq", {"bits": 4}), ("qr", {"collisions": 2})]
    runs = {name: configure("ml-100k", "paper", name, 11, options=options) for name, options in own}
    found = {(0.5, name): (run, 0.8) for name, run in runs.items()}
    again = {run.strategy: run for run in plan.varied(found, 1, plan.FROM_ZERO)}
    assert {name: again[name].first_order_sd for name in again} == {"fe": 0.0, COMPRESSOR: 0.0, "lsq": None, "qr": 0.0}
    assert again["lsq"] == runs["lsq"].model_copy(update={"seed": 1})


@pytest.mark.parametrize("control", settings.CONTROL_OPTIONS)
def test_a_control_of_own_options_runs_as_it_was_chosen(
    control: str, all_done: dict[str, tuple[float, int]], schema: Schema, tmp_path: Path
) -> None:
    every = settings.own_settings("ml-100k", "tuned", control)
    for tried in (settings.every_setting("ml-100k", "tuned"), every):
        for (share, _), runs in tried.items():
            sizes = settings.budget_of(schema, share)
            all_done |= {run.name(): (0.5 + 0.01 * n, sizes) for n, run in enumerate(runs)}
    assert {method for _, method in every} <= {*settings.CONTROL_OPTIONS[control]}
    for (share, method), runs in every.items():
        fe = configure("ml-100k", "tuned", "fe", 11)
        room = settings.room(settings.budget_of(schema, 1), share)
        for own in settings.CONTROL_OPTIONS[control][method]:
            fits = settings_of(method, fe, schema, room, own=own)
            made = {run.embedding_dim: run.options for run in runs if own.items() <= run.options.items()}
            assert made == {x: max((s for s in fits if s.dim == x), key=lambda s: s.bytes).options for x in made}
            assert set(made) == {s.dim for s in fits}
    tried = {run for runs in every.values() for run in runs}
    assert all(
        any(own.items() <= run.options.items() for own in settings.CONTROL_OPTIONS[control][run.strategy])
        for run in tried
    )
    best = {run.model_copy(update={"seed": 2}) for run, _ in chosen(every, tmp_path, control).values()}
    made = {seed: set(plan.budget_plan("ml-100k", "tuned", [seed], out=tmp_path)) for seed in (2, 4)}
    taught = {run.model_copy(update={"options": run.options | {"taught": True}}) for run in best}
    assert best
    assert best <= made[2]
    assert taught <= made[2] if control == settings.WEIGHTS else taught.isdisjoint(made[2])
    assert not best & {run.model_copy(update={"seed": 2}) for run in made[4]}


def test_on_avazu_the_compressor_is_alone(all_done: dict[str, tuple[float, int]], tmp_path: Path) -> None:
    runs = plan.budget_plan("avazu-sample", "tuned", [1, 2], out=tmp_path)
    assert [run.strategy for run in runs] == 2 * ["fe", *[COMPRESSOR] * len(settings.SHARES)]
    assert {run.embedding_dim for run in runs} == {TEACHER_DIM}


def test_another_model_has_a_share_of_its_own_fe(all_done: dict[str, tuple[float, int]], tmp_path: Path) -> None:
    """At the shares that were chosen for on DeepFM."""
    found = {
        (share, COMPRESSOR): (settings.every_setting("ml-100k", "tuned")[share, COMPRESSOR][0], 0.8)
        for share in (0.031, 0.008)
    }
    made = on_another_model(found, "pnn", tmp_path)
    told = [(run.model, run.options) for run, _ in made.values()]
    assert told == [("pnn", {"bytes": int(share * 4 * 14 * 16)}) for share in (0.031, 0.008)]


def test_a_rival_runs_on_another_model_with_the_best_setting_that_fits_there(
    schema: Schema, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """On DeepFM 14 codes of three bits, a step and c take 10 bytes, and the first-order weights 10 more.

    What is too large on a seed that is reported, as MPE may be, does not fit.
    """
    plain = RunConfig(dataset="ml-100k", strategy="lsq", seed=11, embedding_dim=1, subspaces=(1,), options={"bits": 1})
    tried = {bits: plain.model_copy(update={"options": {"bits": bits}}) for bits in (1, 2, 3, 4)}
    tried[5] = plain.model_copy(update={"options": {"bits": 1}, "embedding_dim": 2})
    sizes = {bits: 2 * (4 + ceil(14 * bits / 8)) for bits in tried} | {5: 16}
    runs = [(bits, 11, size) for bits, size in sizes.items()] + [(5, 3, 17)]
    rows = [
        {"method": "lsq", "control": "", "run": tried[of], "setting": of, "seed": seed, "bytes": size, "valid": of / 10}
        for of, seed, size in runs
    ]
    monkeypatch.setattr(other_model, "load_schema", lambda *_: schema)
    monkeypatch.setattr(other_model, "read_runs", lambda *_: pd.DataFrame(rows))
    share = 10 / (4 * 14 * 16)
    moved = on_another_model({(share, "lsq"): (tried[1], 0.1)}, "pnn", tmp_path)
    assert moved == {(share, "lsq"): (tried[3].model_copy(update={"model": "pnn"}), 0.3)}


def test_versions_are_those_of_the_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in OUTSIDE:
        monkeypatch.setitem(METHOD_VERSION, name, 7)
    register_rivals(learn)
    register_budget()
    assert {METHOD_VERSION[name] for name in OUTSIDE} == {7}


@pytest.mark.parametrize("reading", ["text", "laboratory"])
def test_what_a_run_starts_from_has_no_reading(reading: str) -> None:
    config = RunConfig(dataset="ml-100k", strategy="autodpq", reading=reading, threshold=20)
    fe = like(config, "fe", 8)
    assert (fe.reading, fe.threshold, fe.embedding_dim) == ("literal", 20, 8)


def test_what_came_out_too_large_is_not_chosen(
    all_done: dict[str, tuple[float, int]], schema: Schema, tmp_path: Path
) -> None:
    every = settings.every_setting("ml-100k", "tuned")
    key, (first, *more) = next((key, runs) for key, runs in every.items() if len(runs) > 1)
    room = settings.budget_of(schema, key[0])
    all_done |= {run.name(): (0.6, room) for run in more} | {first.name(): (0.9, room + 1)}
    assert chosen(every, tmp_path)[key][0] in more


def test_of_no_settings_none_is_chosen(tmp_path: Path) -> None:
    """As of the controls on a data set so small that none fits."""
    assert chosen({}, tmp_path) == {}


def test_a_rival_may_have_the_setting_of_a_smaller_share(
    all_done: dict[str, tuple[float, int]], schema: Schema, tmp_path: Path
) -> None:
    every = settings.every_setting("ml-100k", "tuned")
    for n, (key, runs) in enumerate(every.items()):
        size = settings.budget_of(schema, key[0])
        all_done.update({run.name(): (0.5 + 0.01 * n, size) for run in runs})
    found = chosen(every, tmp_path)
    smallest = min(share for share, method in every if method == "lsq")
    assert {found[share, method][0] for share, method in found if method == "lsq"} == {found[smallest, "lsq"][0]}
    assert len({run.options["bytes"] for (_, method), (run, _) in found.items() if method == COMPRESSOR}) == len(
        settings.SHARES
    )


def test_the_batch_knows_the_part_and_the_notebook() -> None:
    register_all()
    assert Request.model_validate({"part": "budget"}).part == "budget"
    assert {NOTEBOOKS[name] for name in OUTSIDE} == {"14_at_equal_bytes"}
    assert set(OUTSIDE) <= set(STRATEGY)
