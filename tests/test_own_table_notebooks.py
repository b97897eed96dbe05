"""Every notebook on a table of one's own: other fields, fewer of them, no films, no ratings."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import polars as pl
import pytest
import yaml
from matplotlib import pyplot as plt

from autodpq_data import settings as settings_module
from autodpq_eval import notebook
from autodpq_system.paths import ROOT


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A table of fields, one named as MovieLens names its films, one as a method of modules; what a notebook says."""
    shutil.copytree(settings_module.CONFIG, tmp_path / "config")
    table = {"path": "mine/rows.csv", "label": "late", "fields": ["movie", "type", "day"]}
    # FE does not read the distance; MovieLens-1M has other candidates
    settings = {"threshold": 20, "distance": "nearest", "centroids": [4, 8], "table": table}
    (tmp_path / "config" / "mine.yaml").write_text(yaml.safe_dump(settings))
    rng, rows = np.random.default_rng(0), 3000
    columns = {"movie": rng.geometric(0.05, rows), "type": rng.geometric(0.02, rows), "day": rng.integers(0, 7, rows)}
    late = rng.random(rows) < 0.2 + 0.5 * (columns["type"] % 2)
    (tmp_path / "raw" / "mine").mkdir(parents=True)
    pl.DataFrame({**columns, "late": late.astype(int)}).write_csv(tmp_path / "raw" / "mine" / "rows.csv")
    monkeypatch.setattr(settings_module, "CONFIG", tmp_path / "config")
    monkeypatch.setenv("AUTODPQ_DATA", str(tmp_path / "raw"))
    found: list[str] = []
    monkeypatch.setattr(notebook, "say", found.append)
    monkeypatch.setattr(notebook, "show", lambda figure, alt="": found.append(alt) or plt.close(figure))
    return found


def run(name: str, until: str = "", **parameters: object) -> dict[str, Any]:
    """The code cells of a notebook in one namespace, up to the one that has ``until`` in it."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    cells = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", 4).cells
    for number, cell in enumerate(cell for cell in cells if cell.cell_type == "code"):
        if until and until in cell.source:
            break
        exec(compile(cell.source, f"{name}, code cell {number}", "exec"), namespace)
        if "parameters" in cell.metadata.get("tags", []):
            namespace.update(parameters)
    return namespace


SMOKE = {"profile": "smoke"}
#: All that have a data set of their own to run on; what stands beside each shortens it.
NOTEBOOKS: dict[str, dict[str, Any]] = {
    "00_the_paper": {},
    "02_full_embedding": SMOKE,
    "03_others": SMOKE,
    "05_grid_search": SMOKE,
    "06_random_search": SMOKE,
    "07_autodpq": SMOKE,
    "07_autodpq_run": SMOKE,
    "08_compatibility": SMOKE,
    "09_efficiency": SMOKE,
    "11_packed_model": SMOKE,
    "13_one_byte_budget": SMOKE | {"share": 0.5},
    "14_at_equal_bytes": SMOKE,
    "15_your_own_table": SMOKE,
}


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_runs_on_a_table_of_one_s_own(name: str, said: list[str], tmp_path: Path) -> None:
    parameters = NOTEBOOKS[name] | {"dataset": "mine"}
    text = (ROOT / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8")
    run(name, **parameters | ({"out": str(tmp_path)} if '"out = ' in text else {}))
    assert "nan" not in " ".join(said).split()


def test_notebook_01_shows_the_fields_of_the_table(said: list[str]) -> None:
    found = run("01_data", "make_planted()", dataset="mine", threshold=20)
    assert found["schema"].fields == ("movie", "type", "day")
    text = "\n".join(said)
    assert "3 panels" in text
    assert f"{found['labels'].mean():.1%} of the rows are positive" in text


def test_notebook_04_looks_at_the_field_with_the_most_rare_features(said: list[str]) -> None:
    found = run("04_product_quantisation", dataset="mine", profile="smoke")
    sizes = found["schema"].low_sizes
    assert found["field"] == max(sizes, key=sizes.get) == "type"
    assert found["measures"].keys() == {"difference of like rates"}
    assert len(said) > 5
