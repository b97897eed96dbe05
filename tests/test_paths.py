"""Where a folder lies that the environment names."""

from __future__ import annotations

from pathlib import Path

import pytest

from autodpq_system.paths import ROOT, data_roots, runs_root


def test_a_relative_folder_counts_from_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AUTODPQ_RUNS", "runs/mine")
    monkeypatch.setenv("AUTODPQ_DATA", "~/data")
    assert runs_root() == ROOT / "runs/mine"
    assert data_roots()[0] == Path.home().resolve() / "data"
