"""The batch, in folders whose names a shell would read as something else: kill it, break a run, run it twice."""

from __future__ import annotations

import os
import re
import shutil
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
from autodpq_runs.explore import find_records
from autodpq_runs.record import read_record, record_path, write_record
from autodpq_system.atomic import write_text
from autodpq_system.paths import ROOT, runs_root
from scripts import replicate, run_notebook

ODD = """a b; 'ü' "x" $(touch oops) & #% [1]*? \\"""
PLAN = tables("planted", "tuned", [1], ["deepfm"], ["fe", "grid"], "smoke")
ASKED = {"DATASET": "planted", "PROFILE": "smoke", "STRATEGIES": "fe grid", "SEEDS": "1", "JOBS": "2"}
TABLE = "planted/tuned/tables/table1.csv"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a batch needs of the project, in an odd folder."""
    here = tmp_path_factory.mktemp("checkout") / ODD
    for path in [*ROOT.glob("autodpq_*"), *(ROOT / name for name in ("scripts", "config", "notebooks"))]:
        shutil.copytree(path, here / path.name)
    for name in ("Makefile", "Snakefile"):
        shutil.copy(ROOT / name, here)
    return here


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / ODD


def start(checkout: Path, folder: Path, target: str = "replicate", **asked: str) -> subprocess.Popen[str]:
    keys = {**os.environ, "AUTODPQ_RUNS": str(folder / "runs"), "PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1"}
    settings = {**ASKED, "OUT": str(folder / "out"), **asked}
    words = [f"{key}={value.replace('$', '$$')}" for key, value in settings.items()]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "start_new_session": True}
    return subprocess.Popen(
        ["make", "-o", "env", f"VENV={sys.prefix}", target, *words], cwd=checkout, env=keys, **options
    )


def finish(checkout: Path, folder: Path, target: str = "replicate", **asked: str) -> tuple[int, str]:
    process = start(checkout, folder, target, **asked)
    text, _ = process.communicate(timeout=300)
    return process.returncode, text


def records(folder: Path) -> list[Path]:
    return sorted((folder / "out").rglob("records/*.json"))


def leave_another(out: Path, run: RunConfig, hours: int) -> Path:
    """A record of another seed that took so long: the other runs of its kind are then expected to."""
    record = read_record(record_path(out, run))
    ended = datetime.fromisoformat(record.provenance.started) + timedelta(hours=hours)
    made = record.provenance.model_copy(update={"ended": ended.isoformat()})
    config = run.model_copy(update={"seed": 2})
    other = {"config": config, "identity": config.identity(record.data_fingerprint), "provenance": made}
    write_record(record.model_copy(update=other), path := record_path(out, config))
    return path


@pytest.fixture(scope="module")
def straight(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("straight") / ODD
    code, text = finish(checkout, folder)
    assert code == 0, text
    return folder, text


def test_the_batch_runs_everything_and_prints_table_1(checkout: Path, straight: tuple[Path, str]) -> None:
    folder, text = straight
    assert len(records(folder)) == 2
    assert re.search(r"2/2 runs", text)
    assert "AUC ↑" in text
    assert "12_report.html" in text
    assert (folder / "out" / "planted" / "tuned" / "notebooks" / "12_report.ipynb").exists()
    for path in records(folder):
        assert len(list((folder / "runs" / "logs").rglob(f"planted/tuned/{path.stem}.log"))) == 1
    assert not [path for home in (checkout, folder) for path in home.parent.rglob("oops")]


def test_a_second_batch_does_nothing_and_says_so(checkout: Path, straight: tuple[Path, str]) -> None:
    folder, _ = straight
    before = [path.stat().st_mtime_ns for path in records(folder)]
    code, text = finish(checkout, folder)
    assert code == 0
    assert "Nothing to do: all 2 runs are done." in text
    assert [path.stat().st_mtime_ns for path in records(folder)] == before


def test_the_plan_names_states_and_logs(checkout: Path, straight: tuple[Path, str]) -> None:
    folder, _ = straight
    code, text = finish(checkout, folder, "plan")
    assert code == 0
    assert text.count("done ") == 3  # the last is the report
    assert text.count(".log") == 2
    assert "12_report.ipynb" in text.splitlines()[-1]


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
    asked = ["--dataset=planted", "--profile=smoke", f"--out={tmp_path}"]
    (tmp_path / "planted" / "tuned").mkdir(parents=True)
    with FileLock(tmp_path / "planted" / "tuned" / ".lock"), pytest.raises(SystemExit) as refused:
        replicate.main(asked)
    assert str(refused.value).endswith("planted/tuned: expected no other batch at work on it, found one")


def test_corrupt_records_are_run_again_the_longest_run_first_and_a_kill_costs_no_run_that_is_done(
    checkout: Path, straight: tuple[Path, str], folder: Path
) -> None:
    shutil.copytree(straight[0], folder)
    fe, grid = (record_path(folder / "out", run) for run in PLAN)
    others = [leave_another(folder / "out", run, hours) for run, hours in zip(PLAN, (1, 2), strict=True)]
    for path in (fe, grid):
        path.write_text("{")
    process = start(checkout, folder, JOBS="1")
    deadline = time.monotonic() + 200
    while status(folder / "out", PLAN[1]).state != "done" and time.monotonic() < deadline:
        time.sleep(0.2)
    os.killpg(process.pid, signal.SIGKILL)
    assert process.communicate()[0].count("stale, run again") == 2
    assert [status(folder / "out", run).state == "done" for run in PLAN] == [False, True]
    for path in others:
        path.unlink()
    done = grid.stat().st_mtime_ns
    code, text = finish(checkout, folder)
    assert code == 0, text
    assert grid.stat().st_mtime_ns == done, "a finished run was repeated"
    tables = [pd.read_csv(each / "out" / TABLE) for each in (folder, straight[0])]
    pd.testing.assert_frame_equal(*tables)


def test_a_failed_run_is_named_and_the_others_go_on(
    checkout: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTODPQ_RUNS", str(folder / "runs"))
    victim = PLAN[0]
    identity = victim.identity(load_schema("planted", victim.threshold).fingerprint, compiled=native.available())
    checkpoint = folder / "runs" / "work" / identity / "fit.pt"
    checkpoint.parent.mkdir(parents=True)
    checkpoint.write_bytes(b"not a checkpoint")
    stale = record_path(folder / "out", victim)
    write_text(stale, "{")
    code, text = finish(checkout, folder)
    assert code
    assert stale.read_text() == "{", "what is stale stays until there is another"
    assert f"{stale.name}: not a valid record: " in text
    assert len(records(folder)) == 2
    (line,) = [line for line in text.splitlines() if line.startswith("failed:")]
    assert victim.name() in line
    assert "fit.pt: expected a whole checkpoint, found" in line
    assert f"{victim.name()}.log" in line
    table = pd.read_csv(folder / "out" / TABLE).set_index(["strategy", "metric"])
    assert table["n"].loc[[("fe", "auc"), ("grid", "auc")]].tolist() == [0, 1]


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


def test_an_executor_that_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replicate, "find_spec", lambda _: None)
    replicate._check_executor("local")
    with pytest.raises(
        ValueError, match=r"^EXECUTOR=slurm: expected the package snakemake-executor-plugin-slurm, found"
    ):
        replicate._check_executor("slurm")
    monkeypatch.setattr(replicate, "ROOT", tmp_path)
    write_text(tmp_path / "config/profiles/mine/config.yaml", "executor: [")
    with pytest.raises(ValueError, match=r"mine/config.yaml: line 1: expected YAML, found: "):
        replicate._check_executor("mine")


def test_records_behind_links_are_found_once(tmp_path: Path) -> None:
    path = record_path(tmp_path / "far" / "out", PLAN[0])
    write_text(path, "{")
    here = tmp_path / "here"
    here.mkdir()
    (here / "planted").symlink_to(tmp_path / "far" / "out" / "planted")
    (here / "again").symlink_to(here)
    assert find_records(here) == [record_path(here, PLAN[0])]


def test_a_notebook_that_failed_is_nowhere_under_a_final_name(tmp_path: Path) -> None:
    """Moved whole to the logs; where it can't be kept, as on a full disk, it is gone, and no error hides the first."""
    executed, kept = tmp_path / "run.ipynb", tmp_path / "logs" / "run.ipynb"
    for place, found in ((kept, True), (executed / "no folder" / "run.ipynb", False)):
        write_text(executed, "{}")
        run_notebook._keep(executed, place)
        assert not executed.exists()
        assert place.exists() == found
