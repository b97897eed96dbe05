"""From stages to record: what counts as the result, the time line, and resuming by trial."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import DyingCheckpoints, KilledError, small_config, small_run
from safetensors.torch import save_file

from autodpq_data.prepared import Samples, load_samples
from autodpq_data.schema import Schema
from autodpq_lib.config import METHOD_VERSION, RunConfig
from autodpq_lib.strategies import STRATEGY
from autodpq_lib.training.metrics import evaluate
from autodpq_lib.training.run import Run
from autodpq_runs import provenance
from autodpq_runs.explore import find_records, load_or_train, load_run, records
from autodpq_runs.finish import finish
from autodpq_runs.kept import weights
from autodpq_runs.open import open_run, scratch_run
from autodpq_runs.record import Record, read_record, record_path, write_record
from autodpq_runs.run_paths import logits_path, weights_path
from autodpq_system.atomic import _machine
from autodpq_system.paths import ROOT, runs_root


@pytest.fixture(autouse=True)
def tiny_test_part(monkeypatch: pytest.MonkeyPatch, tmp_path: object, schema: Schema) -> Samples:
    run = small_run(tmp_path, schema, small_config())
    monkeypatch.setattr("autodpq_runs.finish.load_samples", lambda *_: run.valid)
    monkeypatch.setattr("autodpq_runs.finish.load_schema", lambda *_: schema)
    monkeypatch.setattr("autodpq_runs.explore.load_samples", lambda *_: run.valid)
    monkeypatch.setattr("autodpq_runs.explore.load_schema", lambda *_: schema)
    return run.valid


def make(strategy: str, folder: object, schema: Schema) -> Record:
    run = small_run(folder / "work", schema, small_config(strategy=strategy))
    return finish(run, STRATEGY[strategy](run), folder / "out")


@pytest.mark.parametrize("strategy", ["fe", "others", "grid", "autodpq"])
def test_the_result_is_the_best_of_the_last_stage(strategy: str, tmp_path: object, schema: Schema) -> None:
    record = make(strategy, tmp_path, schema)
    stage = record.timeline[-1].stage
    last = [log for log in record.fits if log.name.startswith(stage)]
    assert record.valid.auc == max(auc for log in last for auc in log.curve["valid_auc"])
    # Here the test part is the validation part, so the scores of the kept weights must be the curve's.
    assert all(point.test.auc == pytest.approx(point.valid.auc, abs=1e-12) for point in record.timeline)


def test_time_line_rises_within_a_stage_and_counts_everything(tmp_path: object, schema: Schema) -> None:
    record = make("autodpq", tmp_path, schema)
    assert [log.name for log in record.fits] == ["pretrain", "search", "retrain"]
    assert {point.stage for point in record.timeline} == {"pretrain", "retrain"}
    for stage in ("pretrain", "retrain"):
        aucs = [point.valid.auc for point in record.timeline if point.stage == stage]
        assert aucs == sorted(set(aucs))
    before = sum(sum(log.curve["steps"]) for log in record.fits[:2])
    first = next(point for point in record.timeline if point.stage == "retrain")
    assert first.steps == before + record.fits[2].curve["steps"][0]
    assert record.steps == sum(sum(log.curve["steps"]) for log in record.fits)


@pytest.mark.parametrize("strategy", ["fe", "others", "grid", "autodpq"])
def test_load_run_gives_the_model_back(strategy: str, tmp_path: object, schema: Schema) -> None:
    record = make(strategy, tmp_path, schema)
    loaded = load_run(record_path(tmp_path / "out", record.config))
    assert evaluate(loaded.model, loaded.test) == record.test
    assert loaded.record == record


def test_the_model_of_another_training_is_not_loaded(tmp_path: Path, schema: Schema) -> None:
    record = make("fe", tmp_path, schema)
    other = record.model_copy(update={"test": record.test.model_copy(update={"auc": record.test.auc + 1e-3})})
    with pytest.raises(ValueError, match="the model on this machine is of another training; load that one's record"):
        load_run(other)


def test_the_model_of_another_decision_is_not_loaded(tmp_path: Path, schema: Schema) -> None:
    record = make("autodpq", tmp_path, schema)
    other = record.model_copy(update={"decision": dict.fromkeys(record.decision or {}, (64, 1))})
    with pytest.raises(ValueError, match="decision: expected that of the model on this machine, found another"):
        load_run(other)


def test_what_is_there_is_loaded_and_what_is_not_is_trained(
    tmp_path: Path, schema: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []

    def open_small(config: RunConfig) -> Run:
        opened.append(config)
        return small_run(tmp_path / "work", schema, config)

    monkeypatch.setattr("autodpq_runs.train.open_run", open_small)
    config = small_config(strategy="fe")
    first, again = (load_or_train(config, tmp_path / "out", tmp_path / "out") for _ in range(2))
    assert opened == [config]
    assert again.record == first.record
    assert torch.equal(again.model.embedding.table, first.model.embedding.table)
    weights_path(first.record.identity).unlink()
    load_or_train(config, tmp_path / "out", tmp_path / "out")
    assert opened == [config, config]


def test_a_run_of_another_yaml_is_not_taken_for_it(
    tmp_path: Path, schema: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record's name does not tell what the data set's YAML says."""
    record = make("fe", tmp_path, schema)
    changed = record.config.model_copy(update={"batch_size": record.config.batch_size * 2})
    monkeypatch.setattr("autodpq_runs.explore.record_path", lambda out, _: record_path(out, record.config))
    monkeypatch.setattr("autodpq_runs.train.open_run", lambda config: small_run(tmp_path / "w", schema, config))
    assert load_or_train(changed, tmp_path / "out", tmp_path / "again").record.config == changed


def test_a_strategy_that_is_not_registered_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    config = small_config(strategy="fe").model_copy(update={"strategy": "unheard"})
    with pytest.raises(ValueError, match=r"strategy: expected one of .*, found unheard; .*register_all\(\)"):
        load_or_train(config, tmp_path, tmp_path)
    assert not list(runs_root().rglob("origin.pt"))


def test_no_records_have_the_columns_of_records(tmp_path: Path, schema: Schema) -> None:
    assert records(tmp_path / "none").empty
    make("fe", tmp_path, schema)
    assert {*records(tmp_path / "none").columns} <= {*records(tmp_path / "out").columns}


def cut(end: int) -> Callable[[bytes], bytes]:
    return lambda whole: whole[:end]


def with_another_weight(whole: bytes) -> bytes:
    """A bit of the last one is flipped."""
    return whole[:-2] + bytes([whole[-2] ^ 1]) + whole[-1:]


DAMAGES = {"model": (weights_path, cut(-9), "a model's tensors"), "predictions": (logits_path, cut(-9), "predictions")}
DAMAGES |= {f"no {name}": (path, cut(-(2**30)), said) for name, (path, _, said) in DAMAGES.items()}
DAMAGES |= {"a weight": (weights_path, with_another_weight, "a model's tensors")}


@pytest.mark.parametrize(("kept", "damage", "said"), DAMAGES.values(), ids=DAMAGES)
def test_what_was_damaged_is_named_and_made_again(
    kept: Callable[[str], Path],
    damage: Callable[[bytes], bytes],
    said: str,
    tmp_path: Path,
    schema: Schema,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    record = make("fe", tmp_path, schema)
    path = kept(record.identity)
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    with pytest.raises(
        ValueError, match=f"{path.name}: expected {said}, found a damaged file: .+; run it again"
    ) as told:
        load_run(record)
    assert "\n" not in str(told.value)
    monkeypatch.setattr("autodpq_runs.train.open_run", lambda config: small_run(tmp_path / "w", schema, config))
    assert load_or_train(record.config, tmp_path / "out", tmp_path / "out").record.test == record.test
    assert path.read_bytes() == whole


def test_weights_without_a_digest_as_older_runs_left_them_are_read(tmp_path: Path) -> None:
    save_file({"x": torch.ones(3)}, tmp_path / "m.safetensors")
    assert weights(tmp_path / "m.safetensors")["x"].tolist() == [1, 1, 1]


def test_a_run_is_found_where_it_would_be_written(
    tmp_path: Path, schema: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autodpq_runs.train.open_run", lambda _: pytest.fail("trained again"))
    record = make("fe", tmp_path, schema)
    assert load_or_train(record.config, tmp_path / "nowhere", tmp_path / "out").record == record


def test_a_run_of_other_data_or_method_is_not_loaded(
    tmp_path: object, schema: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = make("fe", tmp_path, schema)
    monkeypatch.setattr("autodpq_runs.explore.load_schema", lambda *_: replace(schema, fingerprint="another"))
    with pytest.raises(
        ValueError, match=r"fe-seed1.*: made from data fingerprint, which are another now; run it again"
    ):
        load_run(record)
    monkeypatch.setitem(METHOD_VERSION, "fe", 99)
    with pytest.raises(ValueError, match=r"method version .* of fe, now 99; run it again"):
        load_run(record)


def test_a_run_whose_data_have_changed_on_the_way_leaves_nothing(
    tmp_path: Path, schema: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autodpq_runs.finish.load_schema", lambda *_: replace(schema, fingerprint="another"))
    with pytest.raises(ValueError, match="made from data fingerprint, which are another now; run it again"):
        make("fe", tmp_path, schema)
    assert not (tmp_path / "out").exists()


def test_load_run_without_a_model_says_so(tmp_path: object, schema: Schema) -> None:
    record = make("fe", tmp_path, schema)
    weights_path(record.identity).unlink()
    with pytest.raises(
        FileNotFoundError,
        match=r"the model of deepfm-fe-seed1-.* is not on this machine; run it again with OUT=runs/mine",
    ):
        load_run(record)


def test_a_gpu_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch, schema: Schema) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("autodpq_runs.open.load_schema", lambda *_: schema)
    with pytest.raises(ValueError, match="device: expected cpu, for torch finds no GPU on this machine, found cuda"):
        scratch_run(small_config(device="cuda"))


def test_predictions_lie_beside_the_model(tmp_path: object, schema: Schema, tiny_test_part: Samples) -> None:
    record = make("others", tmp_path, schema)
    logits = np.load(logits_path(record.identity))
    assert logits.dtype == np.float32
    loss = torch.nn.functional.binary_cross_entropy_with_logits(torch.from_numpy(logits), tiny_test_part.labels)
    assert record.test.logloss == pytest.approx(float(loss), abs=1e-6)


def test_records_lists_every_record(tmp_path: object, schema: Schema) -> None:
    made = [make(strategy, tmp_path, schema) for strategy in ("fe", "grid")]
    table = records(tmp_path / "out").set_index("strategy")
    assert list(table.index) == ["fe", "grid"]
    assert table.loc["grid", "test_auc"] == made[1].test.auc
    assert table["stale"].str.startswith("made from data fingerprint, which are ").all()  # not the data of this machine
    assert len(find_records(str(tmp_path / "out"))) == 2


def test_a_relative_folder_of_records_is_the_project_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As that of ``load_or_train`` and of ``make`` is: notebooks work elsewhere."""
    monkeypatch.chdir(tmp_path)
    assert find_records("results/avazu-standin") == find_records(ROOT / "results" / "avazu-standin") != []


def test_a_strategy_that_is_not_registered_is_named(
    tmp_path: Path, schema: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = make("fe", tmp_path, schema)
    monkeypatch.delitem(STRATEGY, "fe")
    with pytest.raises(ValueError, match=r"strategy: expected one of .*, found fe; .*register_all"):
        load_run(record_path(tmp_path / "out", record.config))


def test_finished_trials_are_not_repeated(tmp_path: object, schema: Schema, monkeypatch: pytest.MonkeyPatch) -> None:
    straight = make("grid", tmp_path / "straight", schema)
    original, started = Run.fit, []

    def dying(run: Run, name: str, *rest: object, **options: object) -> object:
        started.append(name)
        if started == ["trial-000", "trial-001"]:
            raise KeyboardInterrupt
        return original(run, name, *rest, **options)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Run, "fit", dying)
        make("grid", tmp_path / "killed", schema)
    trained = []
    monkeypatch.setattr("autodpq_lib.training.trainer.Trainer.round", _counting(trained))
    resumed = make("grid", tmp_path / "killed", schema)
    assert resumed.valid == straight.valid
    assert resumed.decision == straight.decision
    assert len(trained) == sum(log.epochs for log in straight.fits[1:])


@pytest.mark.parametrize("lives", range(1, 7))
def test_autodpq_killed_at_any_epoch_ends_in_the_same_bits(lives: int, tmp_path: object, schema: Schema) -> None:
    """Two epochs each of pretrain, search and retrain: killed between and inside the steps."""
    straight = make("autodpq", tmp_path / "straight", schema)
    run = small_run(tmp_path / "killed" / "work", schema, small_config())
    dying = DyingCheckpoints(run.checkpoints.folder, lives)
    with pytest.raises(KilledError):
        STRATEGY["autodpq"](replace(run, checkpoints=dying))
    resumed = make("autodpq", tmp_path / "killed", schema)
    assert (resumed.valid, resumed.test, resumed.decision) == (straight.valid, straight.test, straight.decision)
    assert [log.curve["train_loss"] for log in resumed.fits] == [log.curve["train_loss"] for log in straight.fits]


def _counting(trained: list[int]) -> object:
    from autodpq_lib.training.trainer import Trainer  # noqa: PLC0415

    original = Trainer.round

    def round_(self: Trainer, number: int) -> object:
        trained.append(number)
        return original(self, number)

    return round_


def test_checkpoints_are_removed_when_the_record_exists(tmp_path: object, schema: Schema) -> None:
    record = make("fe", tmp_path, schema)
    assert not (tmp_path / "work").exists()
    assert record_path(tmp_path / "out", record.config).exists()


def test_record_survives_a_round_trip_and_is_canonical(tmp_path: object, schema: Schema) -> None:
    record = make("autodpq", tmp_path, schema)
    path = record_path(tmp_path / "out", record.config)
    assert read_record(path) == record
    assert list(json.loads(path.read_text())) == sorted(json.loads(path.read_text()))


def test_a_configuration_that_cannot_be_leaves_no_record(tmp_path: Path, schema: Schema) -> None:
    """As a copy with another value may be, which nothing has checked."""
    record, path = make("fe", tmp_path, schema), tmp_path / "x.json"
    config = record.config.model_copy(update={"distance": "nearest"})
    said = "distance: expected inner for fe, which does not read it, found nearest"
    with pytest.raises(ValueError, match=f"x.json: not a valid record: config: {said}"):
        write_record(record.model_copy(update={"config": config}), path)
    run = small_run(tmp_path / "other", schema, config)
    with pytest.raises(ValueError, match=said):
        finish(run, STRATEGY["fe"](run), tmp_path / "out")
    assert not path.exists()
    assert not weights_path(run.identity).exists()


def test_stale_records_say_why(tmp_path: object, schema: Schema, monkeypatch: pytest.MonkeyPatch) -> None:
    record = make("fe", tmp_path, schema)
    assert record.stale() is None
    assert record.stale("fingerprint") is None
    assert record.stale("elsewhere") == "made from data fingerprint, which are elsewhere now"
    edited = record.model_copy(update={"config": small_config(strategy="fe", threshold=9)})
    assert edited.stale() == "identity does not match its configuration"
    monkeypatch.setitem(METHOD_VERSION, "fe", 99)
    assert record.stale() == "method version 1 of fe, now 99"


def test_a_record_that_leads_nowhere_is_named_and_a_hidden_file_is_none(tmp_path: Path) -> None:
    folder = tmp_path / "records"
    (folder / "folder.json").mkdir(parents=True)
    (folder / "link.json").symlink_to(folder / "gone.json")
    (folder / "._x.json").write_bytes(b"\x00\x05\x16\x07")
    assert [path.name for path in find_records(tmp_path)] == ["folder.json", "link.json"]
    for path in find_records(tmp_path):
        with pytest.raises(ValueError, match=rf"{path.name}: (Is a dir|No such file)"):
            read_record(path)
    with pytest.warns(UserWarning, match="left out: "):
        assert records(tmp_path).empty


def test_a_broken_record_is_named(tmp_path: object) -> None:
    path = tmp_path / "x.json"
    path.write_text('{"identity": "abc"}')
    with pytest.raises(ValueError, match=r"x.json: not a valid record: method_version: Field required"):
        read_record(path)


def test_a_run_has_the_rows_of_its_own_split() -> None:
    run = scratch_run(RunConfig(dataset="planted", strategy="fe", split_seed=3))
    for part in ("train", "valid"):
        assert torch.equal(getattr(run, part).rows, load_samples("planted", part, 3).rows)
        assert not torch.equal(getattr(run, part).rows, load_samples("planted", part, 0).rows)


def test_what_a_killed_run_to_play_with_left_goes_with_the_next() -> None:
    left = runs_root() / "work" / f".scratch~{2**30}@{_machine()}~abcdefgh"
    left.mkdir(parents=True)
    run = scratch_run(RunConfig(dataset="planted", strategy="fe"))
    run.checkpoints.save("fit", {})
    assert [*left.parent.iterdir()] == [run.checkpoints.folder]
    run.checkpoints.clear()
    assert [*left.parent.iterdir()] == []


def test_a_run_is_scored_on_the_rows_of_its_own_split(
    tmp_path: Path, schema: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the run that ends, and by whoever loads it."""
    run = small_run(tmp_path / "work", schema, small_config(strategy="fe", split_seed=4))
    asked: list[tuple] = []
    for place in ("finish", "explore"):
        monkeypatch.setattr(f"autodpq_runs.{place}.load_samples", lambda *given: asked.append(given) or run.valid)
    record = finish(run, STRATEGY["fe"](run), tmp_path / "out")
    assert asked == [("ml-100k", "test", 4, "fixed")]
    load_run(record)
    assert {each[2:] for each in asked} == {(4, "fixed")}
    assert [each[1] for each in asked[1:]] == ["train", "valid", "test"]


def test_the_commit_is_that_of_the_project_whatever_git_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a hook of another repository tells it."""
    here = provenance._git("rev-parse", "HEAD")
    monkeypatch.setenv("GIT_DIR", str(tmp_path))
    assert provenance._git("rev-parse", "HEAD") == here


A_RUN = provenance.Origin("2026-01-01T00:00:00+00:00", "abc", git_dirty=False, cpu="A")


@pytest.mark.parametrize(
    ("begun", "dirty", "cpu"),
    [
        ({"git_commit": "abc", "git_dirty": False, "cpu": "A"}, False, "A"),
        ({"git_commit": "abc", "git_dirty": True, "cpu": "A"}, True, "A"),
        ({"git_commit": "older", "git_dirty": False, "cpu": "A"}, True, "A"),
        ({"git_commit": "abc", "git_dirty": False, "cpu": "B"}, False, "B, then A"),
        ({"git_commit": "abc", "git_dirty": False, "cpu": "B, then A"}, False, "B, then A"),
    ],
)
def test_a_run_that_goes_on_tells_of_what_began_it(begun: dict[str, object], dirty: bool, cpu: str) -> None:
    here = provenance.after(A_RUN, begun)
    assert (here.git_commit, here.git_dirty, here.cpu, here.started) == ("abc", dirty, cpu, A_RUN.started)


def test_the_third_process_of_a_run_still_tells_of_the_first(
    tmp_path: Path, schema: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = small_config(strategy="fe")
    monkeypatch.setattr("autodpq_runs.open.load_schema", lambda *_: schema)
    monkeypatch.setattr("autodpq_runs.open.load_samples", lambda *_: small_run(tmp_path, schema, config).valid)
    for cpu in ("B", "A", "A"):
        monkeypatch.setattr("autodpq_runs.open.origin", lambda cpu=cpu: replace(A_RUN, cpu=cpu))
        run = open_run(config)
    assert finish(run, STRATEGY["fe"](run), tmp_path / "out").provenance.cpu == "B, then A"
    assert open_run(config).origin.cpu == "A"  # a new run: the record has cleared what was before
