"""The project's files agree with each other, and the notebooks' sources are clean."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import nbformat
import pytest
import yaml

from autodpq_data.errors import DataError
from autodpq_data.prepared import load_schema
from autodpq_data.sources import locate
from autodpq_eval import checks, facts
from autodpq_eval.batch import NOTEBOOKS
from autodpq_eval.layout import LABELS
from autodpq_eval.plans import tables
from autodpq_eval.tables import read_plan
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


def test_every_strategy_has_its_notebook() -> None:
    assert {f"{name}.ipynb" for name in NOTEBOOKS.values()} <= {path.name for path in SOURCES}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_notebook_sources_are_clean(path: Path) -> None:
    nbformat.validate(nbformat.read(path, 4))
    cells = code_cells(path)
    assert not any(cell.outputs or cell.execution_count for cell in cells), "carries outputs"
    assert sum("parameters" in cell.metadata.get("tags", []) for cell in cells) == 1, "one parameters cell"
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


def test_committed_tables_agree_with_the_records() -> None:
    """Tables, ten seeds, bootstrap, controls, Figure 3 and ledger."""
    out = ROOT / "results"
    _, records = checks.evidence(out)
    made = checks.tables(out, records)
    assert made.wrong == []
    assert made.looked_at > 30


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


def make(*given: str, folder: Path, **also: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        ["make", "--silent", *given], cwd=folder, env=os.environ | also, stdout=subprocess.PIPE, text=True
    )


def test_all_batches_of_make_budget_end_with_the_first_make(tmp_path):
    """And not with the makes that it starts, which nobody stops."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").write_text('#!/bin/sh\necho "$AUTODPQ_STARTER"\n')
    (tmp_path / "bin" / "python").chmod(0o755)
    (tmp_path / "installed").touch()
    with make(f"VENV={tmp_path}", "budget", folder=ROOT) as made:
        followed = made.communicate()[0].split()
    assert followed == [f"{made.pid}@{platform.node()}"] * 6


def test_commands_find_the_project_where_python_does_not_look_in_the_working_folder(tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").write_text(f'#!/bin/sh\n{sys.executable} -c "import scripts" && echo found\n')
    (tmp_path / "bin" / "python").chmod(0o755)
    (tmp_path / "installed").touch()
    with make(f"VENV={tmp_path}", "plan", folder=ROOT, PYTHONSAFEPATH="1", PYTHONPATH="") as made:
        assert made.communicate()[0] == "found\n"


def test_make_clean_removes_an_environment_of_this_project_alone(tmp_path):
    """Not what a variable of another tool names, and a name with a space is one name; a half-made one, too."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in ("mine", "my env", "my"):
        (tmp_path / name).mkdir()
    for name in ("mine", "my env"):
        (tmp_path / name / "pyvenv.cfg").touch()
    for given, also in (([], {"VENV": str(tmp_path / "mine")}), (["VENV=my"], {}), (["VENV=my env"], {})):
        with make("clean", *given, folder=tmp_path, **also) as made:
            assert made.wait() == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["Makefile", "mine", "my"]


@pytest.mark.parametrize("given", ["RECORD=a$b.json", "SEEDS=$(shell touch {folder}/p)1", "TO=x$$$HOME"])
def test_a_value_in_which_make_would_put_another_is_refused(given: str, tmp_path: Path) -> None:
    with_folder = given.replace("{folder}", str(tmp_path))
    done = subprocess.run(["make", "compress", with_folder], cwd=ROOT, capture_output=True, text=True, check=False)
    name, value = with_folder.split("=", 1)
    assert done.returncode == 2
    assert f"{name}: expected a value without a single $, found {value}" in done.stderr
    assert not list(tmp_path.iterdir())
