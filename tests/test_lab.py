"""`make lab`: copies follow their sources until a person changes them, trained runs are there, JupyterLab sees both."""

import re
from pathlib import Path

import pytest
from local_lab import jupyterlab

from autodpq_data.errors import DataError
from autodpq_runs.explore import load_run
from autodpq_runs.record import record_path
from autodpq_system.paths import ROOT, runs_root
from scripts import lab
from scripts.copies import COPIED, refresh


def texts(folder: Path) -> dict[str, str]:
    found = [path for path in folder.rglob("*") if path.is_file() and path.name != COPIED]
    return {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in found}


def test_a_copy_follows_its_source_until_it_is_changed(tmp_path):
    assert refresh({"a/1.ipynb": "one", "2.md": "two"}, tmp_path) == []
    assert refresh({"a/1.ipynb": "ONE", "2.md": "two"}, tmp_path) == []
    assert texts(tmp_path) == {"a/1.ipynb": "ONE", "2.md": "two"}
    (tmp_path / "a/1.ipynb").write_text("mine")
    assert refresh({"a/1.ipynb": "ONE", "2.md": "zwei"}, tmp_path) == ["a/1.ipynb"]
    assert texts(tmp_path) == {"a/1.ipynb": "mine", "2.md": "zwei"}
    (tmp_path / "a/1.ipynb").write_text("ONE")  # taken back: it follows again
    assert refresh({"a/1.ipynb": "new", "2.md": "zwei"}, tmp_path) == []
    assert texts(tmp_path)["a/1.ipynb"] == "new"


def test_a_copy_that_was_removed_comes_again_and_one_without_a_source_goes(tmp_path):
    refresh({"1": "one", "2": "two", "3": "three"}, tmp_path)
    (tmp_path / "1").unlink()
    (tmp_path / "3").write_text("mine")
    assert refresh({"1": "one"}, tmp_path) == []
    assert texts(tmp_path) == {"1": "one", "3": "mine"}
    assert refresh({"1": "one", "3": "three"}, tmp_path) == ["3"]


@pytest.mark.parametrize("damage", ["", "{", '["1"]', '{"1": "x"'])
def test_without_a_memory_of_what_was_copied_nothing_that_differs_is_overwritten(damage, tmp_path):
    refresh({"1": "one", "2": "two"}, tmp_path)
    (tmp_path / COPIED).write_text(damage)
    assert refresh({"1": "one", "2": "TWO"}, tmp_path) == ["2"]
    assert texts(tmp_path) == {"1": "one", "2": "two"}


def test_notebooks_are_copied_as_they_are_and_pages_lead_nowhere_else(tmp_path):
    found = lab.sources(ROOT)
    assert {name for name in found if name.startswith("notebooks/") and name.endswith(".ipynb")} == {
        f"notebooks/{path.name}" for path in ROOT.glob("notebooks/*.ipynb")
    }
    assert all((ROOT / name).read_text() == text for name, text in found.items() if name.endswith(".ipynb"))
    refresh(found, tmp_path)
    for name in [name for name in found if name.endswith(".md")]:
        for link in re.findall(r"(?<!!)\]\(([^)\s#]+)\)", found[name]):
            assert link.startswith("http") or (tmp_path / name).parent.joinpath(link).exists(), f"{name}: {link}"


def test_a_run_of_each_strategy_is_trained_once(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(lab, "DATASET", "planted")
    monkeypatch.setattr(lab, "PROFILES", dict.fromkeys(lab.PROFILES, "smoke"))
    lab.train_missing(tmp_path)
    assert len(capsys.readouterr().out.splitlines()) == 5
    assert list(lab.missing(tmp_path)) == []
    (first, *_) = (runs_root() / "models").glob("*/model.safetensors")
    first.unlink()
    (lost,) = lab.missing(tmp_path)
    lab.train_missing(tmp_path)
    assert load_run(record_path(tmp_path, lost)).record.config == lost


def test_without_data_it_says_so_and_opens(monkeypatch, capsys):
    def nowhere(dataset):
        raise DataError(f"{dataset}: not found")

    begun = []
    monkeypatch.setattr(lab, "prepare", nowhere)
    monkeypatch.setattr(lab.os, "execv", lambda program, words: begun.append(words))
    lab.main(["--no-browser"])
    assert "opened without trained runs: ml-100k: not found" in capsys.readouterr().out
    (words,) = begun
    assert words[1:3] == ["-m", "jupyterlab"]
    assert words[-1] == "--no-browser"
    assert f"--ServerApp.root_dir={runs_root()}" in words


def test_jupyterlab_serves_the_copies_and_nothing_of_the_project(tmp_path):
    refresh(lab.sources(ROOT), tmp_path / "runs" / "lab")
    with jupyterlab(tmp_path) as server:
        assert "01_data.ipynb" in server.answer(f"/api/contents/lab/{lab.START}")
        assert "lab/tree/lab/notebooks" in server.answer("/", "url")
        assert '"news": {"disabled": true}' in server.answer("/lab")  # nobody is asked for them
        assert "pyproject.toml" not in server.answer("/api/contents")
