"""The batch: kill it, break a run, run it twice."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from filelock import FileLock

import autodpq_native as native
from autodpq_data.prepared import load_schema
from autodpq_eval.batch import Status, notebook_path, status
from autodpq_eval.plans import tables
from autodpq_lib.config import METHOD_VERSION, RunConfig
from autodpq_runs.record import read_record, record_path, write_record
from autodpq_system.paths import ROOT, runs_root
from scripts import replicate

STRATEGIES = ["fe", "grid"]
PLAN = tables("planted", "tuned", [1, 2], ["deepfm"], STRATEGIES, "smoke")
COMMAND = [
    *(sys.executable, "-m", "scripts.replicate", "--dataset", "planted", "--profile", "smoke"),
    *("--strategies", *STRATEGIES, "--seeds", "1", "2", "--jobs", "2"),
]


def start(folder: Path, *more: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "AUTODPQ_RUNS": str(folder / "runs"), "OMP_NUM_THREADS": "1"}
    command = [*COMMAND, "--out", str(folder / "out"), *more]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "start_new_session": True}
    return subprocess.Popen(command, cwd=ROOT, env=environment, **options)


def finish(folder: Path, *more: str) -> tuple[int, str]:
    process = start(folder, *more)
    text, _ = process.communicate(timeout=300)
    return process.returncode, text


def records(folder: Path) -> list[Path]:
    return sorted((folder / "out").rglob("records/*.json"))


def take_an_hour(path: Path) -> None:
    """Let a record say so: the other runs of its kind are then expected to."""
    record = read_record(path)
    ended = datetime.fromisoformat(record.provenance.started) + timedelta(hours=1)
    made = record.provenance.model_copy(update={"ended": ended.isoformat()})
    write_record(record.model_copy(update={"provenance": made}), path)


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("straight")
    code, text = finish(folder)
    assert code == 0, text
    return folder, text


def test_the_batch_runs_everything_and_prints_table_1(straight: tuple[Path, str]) -> None:
    folder, text = straight
    assert len(records(folder)) == 4
    assert re.search(r"4/4 runs", text)
    assert "AUC ↑" in text
    assert "12_report.html" in text
    assert (folder / "out" / "planted" / "tuned" / "notebooks" / "12_report.ipynb").exists()


def test_a_second_batch_does_nothing_and_says_so(straight: tuple[Path, str]) -> None:
    folder, _ = straight
    before = [path.stat().st_mtime_ns for path in records(folder)]
    code, text = finish(folder)
    assert code == 0
    assert "Nothing to do: all 4 runs are done." in text
    assert [path.stat().st_mtime_ns for path in records(folder)] == before


def test_the_plan_names_states_and_logs(straight: tuple[Path, str]) -> None:
    folder, _ = straight
    code, text = finish(folder, "--plan")
    assert code == 0
    assert text.count("done ") == 4
    assert text.count(".log") == 4


def test_corrupt_records_are_run_again_the_longest_run_first(straight: tuple[Path, str]) -> None:
    folder, _ = straight
    fe, grid = (record_path(folder / "out", run) for run in PLAN[::2])
    whole = [(read_record(path).valid, read_record(path).test) for path in (fe, grid)]
    take_an_hour(record_path(folder / "out", PLAN[3]))
    for path in (fe, grid):
        path.write_text("{")
    code, text = finish(folder, "--jobs", "1")
    assert code == 0, text
    assert text.count("stale, run again") == 2
    assert [(read_record(path).valid, read_record(path).test) for path in (fe, grid)] == whole
    assert grid.stat().st_mtime < fe.stat().st_mtime


def test_a_run_without_executed_notebook_is_done_and_says_so(straight: tuple[Path, str]) -> None:
    folder, _ = straight
    notebook = notebook_path(folder / "out", PLAN[0])
    notebook.rename(notebook.with_suffix(".away"))
    assert status(folder / "out", PLAN[0]) == Status("done", "no executed notebook here")
    assert status(folder / "out", PLAN[1]) == Status("done")
    notebook.with_suffix(".away").rename(notebook)


def test_executed_notebooks_of_tables_1_and_2_lie_with_the_records_and_others_do_not(tmp_path: Path) -> None:
    plain, switched, fourth = (
        RunConfig(dataset="ml-1m", strategy="fe", **changed) for changed in ({}, {"threshold": 10}, {"seed": 4})
    )
    assert notebook_path(tmp_path, plain) == tmp_path / "ml-1m" / "tuned" / "notebooks" / "deepfm-fe-seed1.ipynb"
    for config in (switched, fourth):
        folder = runs_root() / "notebooks" / "ml-1m" / "tuned"
        assert notebook_path(tmp_path, config) == folder / f"{config.name()}.ipynb"


def test_a_second_batch_on_the_same_records_is_refused(tmp_path: Path) -> None:
    asked = [*COMMAND[3:], "--out", str(tmp_path)]
    (tmp_path / "planted" / "tuned").mkdir(parents=True)
    with FileLock(tmp_path / "planted" / "tuned" / ".lock"), pytest.raises(SystemExit) as refused:
        replicate.main(asked)
    assert str(refused.value).endswith("planted/tuned: expected no other batch at work on it, found one")


def test_a_killed_batch_goes_on_and_ends_with_the_same_table(straight: tuple[Path, str], tmp_path: Path) -> None:
    process = start(tmp_path)
    deadline = time.monotonic() + 200
    while not records(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.2)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    done = {path: path.stat().st_mtime_ns for path in records(tmp_path)}
    assert done, "no run finished before the kill"
    code, text = finish(tmp_path)
    assert code == 0, text
    assert all(path.stat().st_mtime_ns == when for path, when in done.items()), "a finished run was repeated"
    tables = [pd.read_csv(f / "out/planted/tuned/tables/table1.csv") for f in (tmp_path, straight[0])]
    pd.testing.assert_frame_equal(*tables)


def test_a_failed_run_is_named_and_the_others_go_on(
    straight: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTODPQ_RUNS", str(tmp_path / "runs"))
    victim = PLAN[0]
    identity = victim.identity(load_schema("planted", victim.threshold).fingerprint, compiled=native.available())
    checkpoint = tmp_path / "runs" / "work" / identity / "fit.pt"
    checkpoint.parent.mkdir(parents=True)
    checkpoint.write_bytes(b"not a checkpoint")
    code, text = finish(tmp_path)
    assert code == 1
    assert len(records(tmp_path)) == 3
    (line,) = [line for line in text.splitlines() if line.startswith("failed:")]
    assert victim.name() in line
    assert "fit.pt: expected a whole checkpoint, found" in line
    assert f"{victim.name()}.log" in line
    table = pd.read_csv(tmp_path / "out/planted/tuned/tables/table1.csv").set_index(["strategy", "metric"])
    assert table.loc[("fe", "auc"), "n"] == 1
    assert table.loc[("grid", "auc"), "n"] == 2


def test_stale_records_are_named(straight: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> None:
    folder, _ = straight
    path = record_path(folder / "out", PLAN[0])
    assert status(folder / "out", PLAN[0]).state == "done"
    monkeypatch.setitem(METHOD_VERSION, "fe", METHOD_VERSION["fe"] + 1)
    found = status(folder / "out", PLAN[0])
    assert (found.state, found.reason) == ("stale", f"method version {read_record(path).method_version} of fe, now 2")


def test_a_half_written_record_is_no_proof(tmp_path: Path) -> None:
    config = RunConfig(dataset="planted", strategy="fe")
    path = record_path(tmp_path, config)
    path.parent.mkdir(parents=True)
    path.write_text('{"identity": ')
    assert status(tmp_path, config).state == "stale"
