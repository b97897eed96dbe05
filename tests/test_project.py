"""The project's files agree with each other, and the notebooks' sources are clean."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import nbformat
import pandas as pd
import pytest
import yaml

from autodpq_data.errors import DataError
from autodpq_data.prepared import load_schema
from autodpq_data.sources import locate
from autodpq_eval import facts, ledger
from autodpq_eval.batch import NOTEBOOKS
from autodpq_eval.effects import control_effects, groups
from autodpq_eval.figure3 import points, with_long_random
from autodpq_eval.layout import LABELS, as_csv
from autodpq_eval.plans import plan, tables
from autodpq_eval.tables import build, collect, read_plan
from autodpq_eval.ten_seeds import by_strategy, comparisons, is_of
from autodpq_system.paths import ROOT
from benchmarks import measured

SOURCES = sorted((ROOT / "notebooks").glob("*.ipynb"))
#: Names that differ between the package index and conda-forge.
CONDA = {"torch": "pytorch", "matplotlib": "matplotlib-base", "snakemake": "snakemake-minimal"}


def code_cells(path: Path) -> list[nbformat.NotebookNode]:
    return [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]


def split(requirement: str) -> tuple[str, str]:
    name, version = re.fullmatch(r"([A-Za-z0-9_-]+)(.*)", requirement).groups()
    return CONDA.get(name, name).lower(), version


def test_environment_and_pyproject_agree() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = dict(map(split, project["dependencies"] + project["optional-dependencies"]["dev"]))
    wanted["python"] = project["requires-python"]
    entries = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    by_pip = [name for entry in entries if isinstance(entry, dict) for name in entry["pip"]]
    listed = dict(map(split, [entry for entry in entries if isinstance(entry, str)] + by_pip))
    assert {name: version for name, version in listed.items() if name != "pip"} == wanted


def test_torch_is_a_range() -> None:
    assert '"torch>=2.4"' in (ROOT / "pyproject.toml").read_text()


def test_every_strategy_has_its_notebook() -> None:
    assert {f"{name}.ipynb" for name in NOTEBOOKS.values()} <= {path.name for path in SOURCES}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_notebook_sources_are_clean(path: Path) -> None:
    nbformat.validate(nbformat.read(path, 4))
    cells = code_cells(path)
    assert not any(cell.outputs or cell.execution_count for cell in cells), "carries outputs"
    assert sum("parameters" in cell.metadata.get("tags", []) for cell in cells) == 1, "one parameters cell"
    assert max(len(cell.source.splitlines()) for cell in cells) <= 40, "a code cell of more than 40 lines"
    text = "\n".join(cell.source for cell in nbformat.read(path, 4).cells)
    assert not re.search(r"(?<![\w.])/(home|root|tmp|work|Users)/", text), "an absolute path"
    assert "filterwarnings" not in text


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_notebooks_open_with_question_section_and_cost(path: Path) -> None:
    first, *_, last = (cell.source for cell in nbformat.read(path, 4).cells)
    assert "## What to try next" in last
    assert first.startswith(f"# {path.stem[:2]} · ")
    for word in ("**Question.**", "**Paper.**", "**Cost.**"):
        assert word in first


def test_opened_by_hand_a_notebook_writes_below_runs() -> None:
    for path in SOURCES:
        (cell,) = [cell for cell in code_cells(path) if "parameters" in cell.metadata.get("tags", [])]
        written = re.findall(r'^(?:out|tables) = "(\w+)"', cell.source, re.M)
        assert not written or written[-1] == "runs", path.name


def test_notebooks_define_no_class_of_the_library() -> None:
    names = set(re.findall(r"^class (\w+)", "\n".join(p.read_text() for p in ROOT.glob("autodpq_*/**/*.py")), re.M))
    for path in SOURCES:
        defined = set(re.findall(r"^class (\w+)", "\n".join(cell.source for cell in code_cells(path)), re.M))
        assert not defined & names, path.name


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("recipe", ["paper", "tuned"])
def test_committed_tables_agree_with_the_records(recipe: str, number: int) -> None:
    made = build(collect(number, ROOT / "results", "ml-1m", recipe, [1, 2, 3]))
    kept = (ROOT / "results" / "ml-1m" / recipe / "tables" / f"table{number}.csv").read_text(encoding="utf-8")
    assert kept == as_csv(made)


@pytest.mark.parametrize("recipe", ["paper", "tuned"])
def test_committed_ten_seeds_agree_with_the_records(recipe: str) -> None:
    results = ROOT / "results"
    ten, gaps = read_plan(results, plan("seeds", "ml-1m", recipe, [1, 2, 3], out=results))
    assert not gaps
    runs, folder = by_strategy(ten), results / "ml-1m" / recipe / "tables"
    assert (folder / "ten_seeds.csv").read_text(encoding="utf-8") == as_csv(comparisons(runs))
    assert is_of(pd.read_csv(folder / "bootstrap.csv"), runs)


@pytest.mark.parametrize("recipe", ["paper", "tuned"])
def test_committed_controls_agree_with_the_records(recipe: str) -> None:
    made = control_effects(groups(ROOT / "results", "ml-1m", recipe))
    kept = (ROOT / "results" / "ml-1m" / recipe / "tables" / "controls.csv").read_text(encoding="utf-8")
    assert kept == as_csv(made)


@pytest.mark.parametrize("recipe", ["paper", "tuned"])
def test_committed_figure3_agrees_with_the_records(recipe: str) -> None:
    keys = (ROOT / "results", "ml-1m", recipe, [1, 2, 3])
    made = points(with_long_random(collect(1, *keys).records, *keys))
    kept = (ROOT / "results" / "ml-1m" / recipe / "figures" / "figure3.csv").read_text(encoding="utf-8")
    assert kept == as_csv(made)


def test_committed_ledger_agrees_with_the_records() -> None:
    folder, rows = ROOT / "results" / "ml-1m", ledger.ledger(ROOT / "results")
    assert (folder / "ledger.csv").read_text(encoding="utf-8") == ledger.as_csv(rows)
    assert (folder / "ledger_tests.csv").read_text(encoding="utf-8") == ledger.comparisons_as_csv(rows)


def test_measured_sizes_and_precisions_are_of_the_records() -> None:
    plan_of_table1 = tables("ml-1m", "tuned", [1, 2, 3], ["deepfm"])
    records = {(LABELS[r.config.strategy], r.config.seed): r for r in read_plan(ROOT / "results", plan_of_table1)[0]}
    rows = [row for row in measured.read_measures("sizes")["rows"] if row["shape"] == "ml-1m"]
    assert {(row["strategy"], row["seed"]): row["paper units"] for row in rows} == {
        key: record.space.paper for key, record in records.items()
    }
    for row in measured.read_measures("precision")["rows"]:
        if row["kept rows"] == "float32":
            assert row["auc"] == pytest.approx(records[row["strategy"], row["seed"]].test.auc, abs=1e-6)


def test_committed_facts_agree_with_the_data() -> None:
    try:
        locate("ml-1m")
    except DataError as error:
        pytest.skip(f"needs MovieLens-1M: {error}")
    assert facts.count(load_schema("ml-1m", 40)) == facts.read_facts(ROOT / "results")
