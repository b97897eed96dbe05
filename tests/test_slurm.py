"""The same batch on a Slurm, where this machine has one; ``tests/slurm.sh`` starts one of one node."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from autodpq_system.paths import ROOT, runs_root


def said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


pytestmark = pytest.mark.skipif(
    not (shutil.which("sinfo") and said("sinfo", "-h") and find_spec("snakemake_executor_plugin_slurm")),
    reason="needs a Slurm and its plugin: config/profiles/README.md",
)


def start(out: Path, *words: str) -> subprocess.Popen[str]:
    asked = ["replicate", "EXECUTOR=slurm", "DATASET=planted", "SEEDS=1", "JOBS=4", f"OUT={out}", *words]
    command = ["make", "-o", "env", f"VENV={sys.prefix}", *asked]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.fixture(autouse=True)
def shared_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTODPQ_RUNS", str(tmp_path / "runs"))


def jobs() -> list[str]:
    logs = (runs_root() / "logs").rglob("planted/tuned/snakemake.log")
    return [number for log in logs for number in re.findall(r"SLURM jobid (\d+)", log.read_text())]


def test_a_batch_runs_on_slurm_with_limits_for_each_job(tmp_path: Path) -> None:
    text, _ = start(tmp_path / "out", "PROFILE=smoke", "STRATEGIES=fe").communicate(timeout=900)
    assert "12_report.html" in text
    assert len(list((tmp_path / "out").rglob("records/*.json"))) == 1
    run, report = (said("scontrol", "show", "job", number) for number in jobs())
    assert "JobState=COMPLETED" in run
    assert "TimeLimit=12:00:00" in run  # nothing of the kind has been measured
    assert re.search("mem=4(.64G|750M)", run)
    assert "TimeLimit=01:00:00" in report


def test_a_batch_that_is_stopped_takes_its_jobs_back(tmp_path: Path) -> None:
    process = start(tmp_path / "out", "STRATEGIES=random")
    end = time.monotonic() + 300
    while not any(said("squeue", "-h", "-t", "R", "-j", number) for number in jobs()) and time.monotonic() < end:
        time.sleep(1)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode != 0
    time.sleep(5)
    assert not any(said("squeue", "-h", "-j", number) for number in jobs())
