"""Nothing is a shell's text: a batch in folders whose names a shell would read as something else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from autodpq_system.paths import ROOT, data_roots, runs_root

ODD = """a b; 'ü' "x" $(touch oops) & #% [1]*? \\"""


def test_a_batch_runs_in_folders_with_odd_names(tmp_path: Path) -> None:
    here, out, runs = (tmp_path / f"{what} {ODD}" for what in ("checkout", "out", "runs"))
    here.mkdir()
    for path in [*ROOT.glob("autodpq_*"), *(ROOT / name for name in ("scripts", "config", "notebooks"))]:
        shutil.copytree(path, here / path.name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Makefile", "Snakefile"):
        shutil.copy(ROOT / name, here)
    settings = {"DATASET": "planted", "PROFILE": "smoke", "STRATEGIES": "fe", "SEEDS": "1", "OUT": str(out)}
    words = [f"{key}={value.replace('$', '$$')}" for key, value in settings.items()]
    keys = {**os.environ, "AUTODPQ_RUNS": str(runs), "PYTHONPATH": str(here)}
    make = ["make", "-o", "env", f"VENV={sys.prefix}", "replicate", *words]
    done = subprocess.run(make, cwd=here, env=keys, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (record,) = out.rglob("records/*.json")
    assert (out / "planted/tuned/notebooks/12_report.ipynb").exists()
    assert len(list((runs / "logs").rglob(f"planted/tuned/{record.stem}.log"))) == 1
    assert not list(tmp_path.rglob("oops"))


def test_a_relative_folder_counts_from_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AUTODPQ_RUNS", "runs/mine")
    monkeypatch.setenv("AUTODPQ_DATA", "~/data")
    assert runs_root() == ROOT / "runs/mine"
    assert data_roots()[0] == Path.home().resolve() / "data"
