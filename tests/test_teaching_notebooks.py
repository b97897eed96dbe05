"""The notebooks that explain run, as they are and with what they tell a student to try; each picture has a text."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from pictures import pictures

from autodpq_data.errors import DataError
from autodpq_data.sources import locate
from autodpq_system.paths import ROOT, data_roots
from scripts import flights, run_notebook

SMOKE = {"dataset": "planted", "profile": "smoke"}
CASES: list[tuple[str, dict[str, Any]]] = [
    ("00_the_paper", {}),
    ("00_the_paper", {"spread": 0.0021}),
    ("00_the_paper", {"dataset": "ml-1m"}),
    ("01_data", {"threshold": 10, "split_seed": 1, "seed": 2, "profile": "smoke"}),
    ("01_data", {"dataset": "ml-1m", "profile": "smoke"}),
    ("04_product_quantisation", SMOKE),
    ("04_product_quantisation", {"profile": "smoke", "centroids": 32, "subspaces": 8, "seed": 2}),
    ("04_product_quantisation", {"dataset": "ml-1m", "profile": "smoke", "subspaces": 2}),
    ("07_autodpq", SMOKE | {"seed": 2}),
    ("07_autodpq", {"dataset": "ml-1m", "profile": "smoke"}),
    ("08_compatibility", SMOKE | {"recipe": "paper", "seed": 2}),
    ("09_efficiency", SMOKE | {"recipe": "paper", "centroids": [4, 8, 16, 32]}),
    ("09_efficiency", SMOKE | {"found_in": "runs"}),
    ("10_controls", {}),
    ("11_packed_model", SMOKE | {"recipe": "paper", "model": "pnn"}),
    ("13_one_byte_budget", SMOKE | {"share": 0.3, "model": "pnn"}),
    ("13_one_byte_budget", {"profile": "smoke"}),
    ("15_your_own_table", {"dataset": "flights", "profile": "smoke"}),
]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("teaching")


@pytest.fixture(autouse=True)
def one_folder_for_all(shared: Path, own_folders: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTODPQ_RUNS", str(shared / "runs"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


DONE: dict[str, nbformat.NotebookNode] = {}


def execute(name: str, changed: dict[str, Any], shared: Path) -> nbformat.NotebookNode:
    """The executed notebook; a test that needs data which are not here is skipped."""
    if (key := f"{name} {changed}") not in DONE:
        DONE[key] = _execute(name, changed, shared)
    return DONE[key]


def _execute(name: str, changed: dict[str, Any], shared: Path) -> nbformat.NotebookNode:
    dataset = changed.get("dataset", "ml-100k")
    try:
        if dataset == "flights" and not (data_roots()[-1] / "flights").exists():
            flights.main([])
        if dataset != "planted":
            locate(dataset)
    except DataError as error:
        pytest.skip(f"needs {dataset}: {error}")
    source = ROOT / "notebooks" / f"{name}.ipynb"
    out = {key: str(shared / "out") for key in ("out", "tables") if key in parameters(source)}
    run_notebook.execute(source, changed | out, shared / f"{name}.ipynb")
    return nbformat.read(shared / f"{name}.ipynb", 4)


def parameters(path: Path) -> list[str]:
    (cell,) = [cell for cell in nbformat.read(path, 4).cells if "parameters" in cell.metadata.get("tags", [])]
    return re.findall(r"^(\w+) =", cell.source, re.M)


def outputs(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def said(notebook: nbformat.NotebookNode) -> str:
    """All sentences that the cells have made of their numbers."""
    data = [output.data for output in outputs(notebook) if output.output_type == "display_data"]
    return "\n".join(each["text/markdown"] for each in data if "text/markdown" in each)


@pytest.mark.parametrize(("name", "changed"), CASES, ids=str)
def test_runs_without_a_warning_and_with_a_text_for_each_picture(
    name: str, changed: dict[str, Any], shared: Path
) -> None:
    notebook = execute(name, changed, shared)
    found = outputs(notebook)
    assert not [output.text for output in found if output.output_type == "stream" and "Warning" in output.text]
    drawn = pictures(notebook)
    for picture in drawn:
        assert len(picture.alt) > 60
        assert "nan" not in picture.alt
    assert drawn or "found_in" in changed or name in ("09_efficiency", "15_your_own_table")
    assert " nan" not in said(notebook)


def test_the_counts_of_notebook_00_are_those_kept_for_movielens_1m(shared: Path) -> None:
    execute("00_the_paper", {"dataset": "ml-1m"}, shared)
    kept = (ROOT / "results" / "ml-1m" / "counts.json").read_text(encoding="utf-8")
    assert (shared / "out" / "ml-1m" / "counts.json").read_text(encoding="utf-8") == kept


def test_what_is_said_of_movielens_1m_is_said_with_its_numbers_beside_other_data(shared: Path) -> None:
    text = said(execute("00_the_paper", {}, shared))
    for number in ("0.4457", "0.6818", "1.6%", "0.067", "51 epochs", "93.2%"):
        assert number in text
