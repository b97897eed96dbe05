"""Whoever of a batch is ended, by a signal or a kill: all of it ends, and the next start leaves nothing over."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from os import getloadavg
from pathlib import Path

import pytest

from autodpq_data.prepared import prepare
from autodpq_system.atomic import sweep
from autodpq_system.paths import ROOT
from autodpq_system.process import cores
from benchmarks.kills import KERNEL, LIMIT, TOLD, Batch, processes

#: Longer than the test: it never gets to its end.
LONG = ["DATASET=planted", "STRATEGIES=random", "SEEDS=1 2"]
PAPERMILL = "scripts.run_notebook"


def until(happened: object, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not (found := happened()) and time.monotonic() < end:
        time.sleep(0.2)
    return found


@pytest.mark.parametrize(
    ("victim", "number"),
    [
        ("make", signal.SIGKILL),
        ("scripts.replicate", signal.SIGKILL),
        ("snakemake", signal.SIGKILL),
        ("snakemake", signal.SIGTERM),
        (PAPERMILL, signal.SIGKILL),
        (PAPERMILL, signal.SIGINT),
    ],
)
def test_the_end_of_one_is_the_end_of_all(
    victim: str, number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs, out = tmp_path / "runs", tmp_path / "out"
    monkeypatch.setenv("AUTODPQ_RUNS", str(runs))
    prepare("planted")
    jobs = 2 if victim == PAPERMILL else 1  # the end of one run is that of its neighbour
    command = ["make", "-o", "env", f"VENV={sys.prefix}", "replicate", *LONG, f"JOBS={jobs}", f"OUT={out}"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert until(lambda: sum(name == KERNEL for name, _ in processes(runs)) == jobs, 120)
    next(found for name, found in processes(runs) if name == victim).send_signal(number)
    limit = LIMIT * max(1, getloadavg()[0] / cores())  # a machine with other work takes longer
    assert until(lambda: process.poll() is not None and not processes(runs), limit), processes(runs)
    assert process.wait() != 0
    assert not list(out.rglob("*.json"))
    sweep(out, runs)
    assert not [path for path in out.rglob("*") if path.is_file() and path.name != ".lock"]


def test_what_a_killed_batch_leaves_and_lacks_is_counted_apart(tmp_path: Path) -> None:
    straight, killed = Batch(tmp_path / "straight"), Batch(tmp_path / "killed")
    for batch in (straight, killed):
        (batch.out / "notebooks").mkdir(parents=True)
    for name in ("notebooks/deepfm-fe-seed1.ipynb", "notebooks/12_report.ipynb"):
        (straight.out / name).touch()
    (killed.out / "half.json").touch()
    (killed.temporary / "tmp.s").touch()
    found = killed.compared(straight)
    assert (found["files left over"], found["files missing"], found[TOLD]) == (2, 1, 1)
    assert not +straight.compared(straight)
