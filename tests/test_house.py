"""The house stays one that can be read: lines of the library, length of functions, cells of notebooks."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

from autodpq_system.paths import ROOT

PACKAGES = sorted(path.name for path in ROOT.glob("autodpq_*") if (path / "__init__.py").exists())
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def functions(package: str) -> Iterator[tuple[str, int]]:
    """Every function of a package with the lines of its body, the docstring apart."""
    for path in sorted((ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                yield f"{path.relative_to(ROOT)}:{node.name}", (node.end_lineno - body[0].lineno + 1) if body else 0


def test_the_library_is_read_in_an_hour() -> None:
    lines = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in (ROOT / "autodpq_lib").rglob("*.py"))
    assert lines <= 2600


@pytest.mark.parametrize("package", PACKAGES)
def test_functions_are_short(package: str) -> None:
    sizes = dict(functions(package))
    assert {name: size for name, size in sizes.items() if size > 40} == {}
    assert median(sizes.values() or [0]) <= 12


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_have_at_most_40_cells_and_no_long_ones(notebook: Path) -> None:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    assert len(cells) <= 40
    assert max(len("".join(cell["source"]).splitlines()) for cell in cells if cell["cell_type"] == "code") <= 40


def test_the_reader_s_page_names_files_that_are_there() -> None:
    text = (ROOT / "autodpq_lib" / "README.md").read_text(encoding="utf-8")
    targets = [part.split(")")[0] for part in text.split("](")[1:]]
    assert [target for target in targets if not (ROOT / "autodpq_lib" / target).exists()] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_that_lists_its_files_lists_all_of_them(package: str) -> None:
    said = (ROOT / package / "__init__.py").read_text(encoding="utf-8")
    files = {path.name for path in (ROOT / package).glob("*.py")} - {"__init__.py"}
    if ".py``" in said:
        assert {name for name in files if f"``{name}``" not in said} == set()
