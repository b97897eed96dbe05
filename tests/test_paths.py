"""Where a folder lies that the environment names."""

from __future__ import annotations

from pathlib import Path

import pytest

from autodpq_system.paths import ROOT, at_home, data_roots, runs_root


def test_a_relative_folder_counts_from_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AUTODPQ_RUNS", "runs/mine")
    monkeypatch.setenv("AUTODPQ_DATA", "~/data")
    assert runs_root() == ROOT / "runs/mine"
    assert data_roots()[0] == Path.home().resolve() / "data"


def test_the_home_of_a_person_who_is_not_known_is_a_name_like_any_other() -> None:
    assert at_home("~nobodyx/r.json") == Path("~nobodyx/r.json")
