"""`make verify`: each check fails when its thing is wrong; a run trained again is judged number by number."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import small_config, small_run

from autodpq_data.samples import Samples
from autodpq_data.schema import Schema
from autodpq_eval import checks, derived
from autodpq_lib.config import RunConfig
from autodpq_lib.strategies import STRATEGY
from autodpq_lib.training.metrics import score
from autodpq_runs.explore import find_records
from autodpq_runs.finish import finish
from autodpq_runs.open import OpenRun
from autodpq_runs.record import Record, canonical, read_record, record_path, write_record
from autodpq_runs.run_paths import logits_path
from autodpq_system.paths import ROOT, runs_root
from benchmarks.measured import read_measures
from benchmarks.spread import NUMBERS, differences, numbers
from scripts import verify

RESULTS = ROOT / "results"


@pytest.fixture
def trained(tmp_path: Path, schema: Schema, monkeypatch: pytest.MonkeyPatch) -> dict[Path, Record]:
    """FE and AutoDPQ on a tiny data set, with their predictions on this machine."""
    parts: list[Samples] = [small_run(tmp_path / "x", schema, small_config()).valid]
    for module in ("autodpq_runs.finish", "autodpq_eval.checks"):
        monkeypatch.setattr(f"{module}.load_samples", lambda *_: parts[0])
    monkeypatch.setattr("autodpq_runs.finish.load_schema", lambda *_: schema)
    monkeypatch.setattr(checks, "schema_of", lambda *_: schema)
    monkeypatch.setattr(checks, "known_fingerprint", lambda _: schema.fingerprint)
    made = {}
    for strategy in ("fe", "autodpq"):
        run = small_run(tmp_path / strategy, schema, small_config(strategy=strategy))
        record = finish(run, STRATEGY[strategy](run), tmp_path / "out")
        made[record_path(tmp_path / "out", record.config)] = record
    return made


def edit(path: Path, change: Callable[[Any], None]) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(canonical(content))


def test_what_was_just_trained_passes_every_check(trained: dict[Path, Record], tmp_path: Path) -> None:
    check, records = checks.evidence(tmp_path / "out")
    assert records == trained
    found = [check, checks.sizes(records), checks.predictions(records)]
    assert [each.wrong for each in found] == [[], [], []]
    assert [each.looked_at for each in found] == [2, 2, 2]
    assert str(found[1]) == "OK     Space and the fields of the decision from the data: 2"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda record: record["space"].update(paper=7), "space: expected paper="),
        (lambda record: record.update(data_fingerprint="other"), "made from data other, which are fingerprint now"),
        (lambda record: record.update(identity="other"), "identity does not match its configuration"),
        (lambda record: record["test"].update(auc=0.9), "test: expected that of fit, epoch 0"),
        (lambda record: record["provenance"].update(compiled=False), "identity does not match its configuration"),
    ],
)
def test_an_edited_record_fails_a_check(
    change: Callable[[Any], None], said: str, trained: dict[Path, Record], tmp_path: Path
) -> None:
    path = max(trained)
    edit(path, change)
    check, records = checks.evidence(tmp_path / "out")
    wrong = check.wrong + checks.sizes(records).wrong
    assert len(wrong) == 1
    assert str(path) in wrong[0]
    assert said in wrong[0]


def test_another_name_and_another_text_fail(trained: dict[Path, Record], tmp_path: Path) -> None:
    first, second = sorted(trained)
    first.rename(first.with_name("deepfm-fe-seed9.json"))
    second.write_text(second.read_text().replace(":", ": ", 1))
    found, _ = checks.evidence(tmp_path / "out")
    assert [line.split(": ", 1)[1][:14] for line in found.wrong] == ["expected the t", "expected under"]


def test_a_decision_on_other_fields_than_the_datas_fails(trained: dict[Path, Record]) -> None:
    path, record = next((path, record) for path, record in trained.items() if record.decision)
    other = record.model_copy(update={"decision": {"b": (2, 2)}})
    (wrong,) = checks.sizes({path: other}).wrong
    assert wrong == f"{path}: decision: expected the fields ('a', 'c'), found ['b']"


def test_one_committed_record_of_each_strategy_passes() -> None:
    """Those at equal bytes too, whose size is what their training made of it."""
    found = {path: read_record(path) for path in find_records(ROOT / "results" / "ml-1m")}
    first = {record.config.strategy: (path, record) for path, record in found.items()}
    check = checks.sizes(dict(first.values()))
    assert check.wrong == []
    assert check.looked_at + check.left_out.total() == len(first) > 5


def test_records_of_one_strategy_have_no_table() -> None:
    folder = ROOT / "results" / "ml-1m-recbole"
    found = {path: read_record(path) for path in find_records(folder)}
    check = checks.tables(folder, found)
    assert (check.wrong, check.looked_at, len(found)) == ([], 0, 3)


def test_predictions_of_nobodys_run_fail_and_those_of_another_training_say_nothing(
    trained: dict[Path, Record],
) -> None:
    path, record = next(iter(trained.items()))
    logits = logits_path(record.identity)
    own = np.load(logits)
    np.save(logits, own + 1e-4 * np.arange(len(own)))
    (wrong,) = checks.predictions(trained).wrong
    assert str(logits) in wrong
    moved = score(torch.from_numpy(np.load(logits)), checks.load_samples("", "").labels)
    elsewhere = record.model_copy(update={"test": moved, "scores": [*record.scores[:-1], moved]})
    write_record(elsewhere, record_path(runs_root() / "mine", record.config))
    torn = record_path(runs_root() / "amid", record.config)
    torn.parent.mkdir(parents=True)
    torn.write_text("{")
    found = checks.predictions({path: record})
    assert (found.wrong, found.looked_at) == ([], 0)
    assert str(found).endswith("predictions: 0; 1 with predictions of another training here")
    far = abs(moved.auc - record.test.auc) / 2
    (forged,) = checks.predictions({path: record}, {record.config.dataset: far}).wrong
    assert f"expected AUCs at most {far:.4f} apart" in forged
    np.save(logits, np.load(logits)[1:])
    assert len(checks.predictions({path: record}).wrong) == 1
    logits.write_bytes(b"")
    (damaged,) = checks.predictions({path: record}).wrong
    assert damaged.startswith(f"{logits}: expected predictions, found a damaged file: ")
    logits.unlink()
    assert checks.predictions({path: record}).left_out == {"without predictions here": 1}


def test_just_the_tables_that_were_edited_fail(tmp_path: Path) -> None:
    """The committed results of MovieLens-1M, a number changed in one file of each kind."""
    here, records = tmp_path / "ml-1m", {}
    for recipe in ("paper", "tuned"):
        shutil.copytree(RESULTS / "ml-1m" / recipe / "tables", here / recipe / "tables")
        (here / recipe / "records").symlink_to(RESULTS / "ml-1m" / recipe / "records")
        paths = [here / recipe / "records" / f"deepfm-{name}.json" for name in ("fe-seed1", "fe-seed2", "others-seed3")]
        records |= {path: read_record(path) for path in paths}
    for name in ("ledger.csv", "ledger_tests.csv", "facts.json"):
        shutil.copy(RESULTS / "ml-1m" / name, here)
    edited = [here / "tuned" / "tables" / f"{name}.csv" for name in ("table1", "controls", "ten_seeds")]
    edited += [
        here / "tuned" / "tables" / "table2.md",
        here / "ledger.csv",
        here / "paper" / "tables" / "bootstrap.csv",
    ]
    for path in edited:
        path.write_text(path.read_text().replace("0.8", "0.9").replace("0.00", "0.01"))
    (here / "mine.csv").write_text("nobody's table")
    (gone := here / "paper" / "tables" / "table1.csv").unlink()
    found = checks.tables(tmp_path, records)
    assert found.looked_at == 2 * 9 + 2
    assert found.left_out["tables that nothing here recomputes"] >= 1
    assert {line.split(": ")[0] for line in found.wrong} == {*map(str, edited), str(gone)}
    assert f"{gone}: expected what the records give, found no such file" in found.wrong


def test_the_numbers_of_a_run_are_judged_one_by_one() -> None:
    record = read_record(RESULTS / "ml-1m" / "paper" / "records" / "deepfm-fe-seed1.json")
    assert [line[:7].strip() for line in verify.compared(record, record)] == ["OK"] * 5
    most = read_measures("spread")["by_dataset"]["ml-1m"]["all"]["test_auc, max"]
    for apart, verdict in ((1e-7, "OK"), (most * 0.9, "OKish"), (most * 1.1, "FAIL")):
        test = record.test.model_copy(update={"auc": record.test.auc + apart})
        lines = list(verify.compared(record, record.model_copy(update={"test": test})))
        assert lines[2].startswith(f"{verdict:7}test_auc")
    larger = record.space.model_copy(update={"paper": record.space.paper + 1})
    *_, last = verify.compared(record, record.model_copy(update={"space": larger}))
    assert last.startswith("FAIL   space")  # FE's Space depends on no processor
    elsewhere = record.model_copy(update={"config": record.config.model_copy(update={"dataset": "ml-100k"})})
    *_, last = verify.compared(elsewhere, elsewhere.model_copy(update={"space": larger}))
    assert last.startswith("OPEN   space")  # nothing is known of two processors there


def test_a_sample_is_trained_again_and_leaves_this_machines_predictions_alone(
    trained: dict[Path, Record], tmp_path: Path, schema: Schema,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    def open_small(config: RunConfig) -> OpenRun:
        return small_run(runs_root() / "work", schema, config)

    monkeypatch.setattr("autodpq_runs.train.open_run", open_small)
    monkeypatch.setattr(verify, "tables", lambda *_: checks.Check("tables"))
    monkeypatch.setattr(verify, "schema_of", lambda *_: schema)
    before = {path: path.stat().st_mtime_ns for path in runs_root().rglob("*") if path.is_file()}
    assert verify.main(["--out", str(tmp_path / "out"), "--rerun", "1", "--strategies", "fe"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[4].startswith("training ml-100k tuned deepfm-fe-seed1-")
    assert [line.split()[:2] for line in said[5:]] == [["OK", key] for key in NUMBERS]
    assert {path: path.stat().st_mtime_ns for path in runs_root().rglob("*") if path.is_file()} == before


def test_a_failed_check_is_the_exit_status(
    trained: dict[Path, Record], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(verify, "tables", lambda *_: checks.Check("tables"))
    max(trained).write_text("{}")
    assert verify.main(["--out", str(tmp_path / "out")]) == 1
    assert capsys.readouterr().out.startswith("FAIL   records valid, canonical and current: 2\n       ")


def test_nothing_to_check_or_to_draw_from_is_no_success(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify.main(["--out", str(tmp_path), "--rerun", "2"]) == 1
    said = capsys.readouterr().out
    assert f"       {tmp_path}: expected records, found none" in said
    assert "FAIL   trained again: 0\n       expected 2 runs, found 0 that can be" in said


def test_two_processors_are_compared_run_by_run() -> None:
    """By hand: one pair; the same processor, another run and a run without C are none."""
    one = json.loads((RESULTS / "ml-1m" / "paper" / "records" / "deepfm-fe-seed1.json").read_text())

    def on(cpu: str, auc: float, **changed: object) -> dict[str, Any]:
        provenance = {**one["provenance"], "cpu": cpu, "compiled": True}
        return {**one, "test": {"auc": auc, "logloss": 0.5}, "provenance": provenance, **changed}

    without = {"provenance": {**one["provenance"], "cpu": "C", "compiled": False}}
    found = list(differences([on("A", 0.80), on("B", 0.81), on("B", 0.9, identity="x"), on("C", 0.7, **without)]))
    assert len(found) == 1
    assert found[0]["test_auc"] == pytest.approx(0.01)
    assert (found[0]["space"], found[0]["decision"], found[0]["strategy"]) == (0, True, "fe")
    assert numbers(on("A", 0.8))[2:] == [0.8, 0.5, one["space"]["paper"]]


def test_tables_are_made_again_of_the_seeds_that_their_report_was_told(tmp_path: Path) -> None:
    assert derived._told(tmp_path) == ([1, 2, 3], "full")
    (tmp_path / "notebooks").mkdir()
    about = {"papermill": {"parameters": {"seeds": [4, 5], "profile": "smoke"}}}
    told = {"cells": [], "metadata": about, "nbformat": 4, "nbformat_minor": 5}
    (tmp_path / "notebooks" / "12_report.ipynb").write_text(json.dumps(told))
    assert derived._told(tmp_path) == ([4, 5], "smoke")
    for text in ("", "[]", "{}"):
        (tmp_path / "notebooks" / "12_report.ipynb").write_text(text)
        assert derived._told(tmp_path) == ([1, 2, 3], "full")


def test_what_no_model_can_have_is_told_of_and_the_rest_is_checked(tmp_path: Path) -> None:
    path = ROOT / "results/ml-1m/tuned/records/deepfm-autodpq-seed1.json"
    record = read_record(path)
    assert record.decision is not None
    none = record.model_copy(update={"decision": dict.fromkeys(record.decision, (2, 0))})
    found = checks.sizes({Path("none.json"): none, path: record})
    assert found.looked_at == 2
    (said,) = found.wrong
    assert said.startswith("none.json: expected a model that can be made, found")


def test_a_bootstrap_without_its_runs_is_of_other_runs(tmp_path: Path) -> None:
    (tmp_path / "ml-1m" / "tuned" / "tables").mkdir(parents=True)
    (tmp_path / "ml-1m" / "tuned" / "tables" / "bootstrap.csv").write_text("a,b,n,gap,low,high\n")
    (tmp_path / "ml-1m" / "tuned" / "tables" / "ten_seeds.csv").write_text("metric,a,b\n")
    assert [text for _, text in derived._bootstrap(tmp_path, "ml-1m", "tuned")] == ["of other runs"]
    assert [text for _, text in derived.of_controls(tmp_path, "ml-1m", "tuned")] == ["of other runs"]
