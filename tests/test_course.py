"""The course: exercises run as they are handed out, solutions pass every check, and both ask the same."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pytest
import torch

from autodpq_eval import exercise
from autodpq_eval.exercise import check
from autodpq_system.paths import ROOT

COURSE = ROOT / "course"
SESSIONS = (1, 2, 3)


def cells(name: str, tag: str = "") -> list[str]:
    """Sources of a notebook's cells: those that have a tag, or all of code."""
    of = [cell for cell in nbformat.read(COURSE / f"{name}.ipynb", 4).cells if cell.cell_type == "code"]
    return [cell.source for cell in of if not tag or tag in cell.metadata.get("tags", [])]


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What checks and solutions say."""
    found: list[str] = []
    monkeypatch.setattr(exercise, "say", found.append)
    return found


def run(name: str, *again: str) -> None:
    """All cells in one namespace, as a kernel would, without the cost of one; then those with a tag again."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for number, source in enumerate([*cells(name), *(source for tag in again for source in cells(name, tag))]):
        exec(compile(source, f"{name}, code cell {number}", "exec"), namespace)


@pytest.mark.parametrize("session", SESSIONS)
def test_exercises_run_before_anything_is_answered(session: int, said: list[str]) -> None:
    run(f"exercises_{session}")
    verdicts = [text for text in said if text.startswith("**")]
    assert len(verdicts) == len(cells(f"exercises_{session}", "exercise"))
    assert all(text.endswith("not answered yet.") for text in verdicts)


@pytest.mark.parametrize("session", SESSIONS)
def test_solutions_pass_every_check_and_pass_it_again_when_all_is_done(session: int, said: list[str]) -> None:
    """A name that a later cell took would make a right answer wrong."""
    run(f"solutions_{session}", "check")
    verdicts = [text for text in said if text.startswith(f"**{session}.")]
    right = [f"**{session}.{n}**: right." for n in range(1, 1 + len(cells(f"solutions_{session}", "solution")))]
    assert verdicts == right * 2


@pytest.mark.parametrize("session", SESSIONS)
def test_exercises_and_solutions_ask_the_same(session: int) -> None:
    asked, solved = (nbformat.read(COURSE / f"{kind}_{session}.ipynb", 4).cells for kind in ("exercises", "solutions"))
    for one, other in zip(asked[1:], solved[1:], strict=True):
        if "exercise" in one.metadata.get("tags", []):
            assert {"solution", "hide-cell"} <= set(other.metadata["tags"])
            assert "..." in one.source
        else:
            assert one.source == other.source


def test_there_are_at_least_20_exercises_each_with_a_check() -> None:
    for session in SESSIONS:
        name = f"exercises_{session}"
        assert len(cells(name, "exercise")) == len(cells(name, "check"))
    assert sum(len(cells(f"exercises_{session}", "exercise")) for session in SESSIONS) >= 20


@pytest.mark.parametrize("path", sorted(COURSE.glob("*.ipynb")), ids=lambda path: path.stem)
def test_sources_are_clean(path: Path) -> None:
    content = nbformat.read(path, 4)
    nbformat.validate(content)
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in content.cells)
    assert max(len(cell.source.splitlines()) for cell in content.cells) <= 40


def test_each_session_of_the_course_page_takes_90_minutes() -> None:
    text = (COURSE / "README.md").read_text(encoding="utf-8")
    sessions = re.split(r"^## Session \d", text, flags=re.M)[1:]
    assert [sum(map(int, re.findall(r"^\| (\d+) \|", part, re.M))) for part in sessions] == [90, 90, 90]
    for session, part in zip(SESSIONS, sessions, strict=True):
        numbers = {f"{session}.{n}" for n in range(1, 1 + len(cells(f"exercises_{session}", "exercise")))}
        assert numbers == set(re.findall(rf"\b{session}\.\d+\b", part)), "each exercise has its place"


@pytest.mark.parametrize(
    ("answer", "expected", "verdict"),
    [
        (..., 0.5, "not answered yet."),
        ([1, ...], [1, 2], "not answered yet."),
        (0.5, 0.5 + 1e-7, "right."),
        (0.5, 0.51, "not right yet; look at value 1 (too small) of 1."),
        (0.52, 0.51, "not right yet; look at value 1 (too large) of 1."),
        ({"a": 1.0, "b": 3.0}, [1, 2], "not right yet; look at value 2 (too large) of 2."),
        ({"b": 2.0, "a": 1.0}, [1, 2], "right."),
        ({"a": 1.0, 10: 2.0}, [1, 2], "right."),
        ([1, 2, 3], [1, 2], "not right yet; expected 2 values, found 3."),
        (float("nan"), 1.0, "not right yet; look at value 1 of 1."),
        ("text", "more", "not right yet; look at value 1 of 1."),
        ("1", 1, "not right yet; look at value 1 (expected a number, found a text) of 1."),
        ("no", False, "not right yet; look at value 1 (expected True or False, found a text) of 1."),
        (iter([1]), 1, "not right yet; look at value 1 (expected a number, found something else) of 1."),
        (None, [1, 2], "not right yet; found None, where a value should be."),
        (torch.ones(2, 3), torch.ones(3, 2), "not right yet; expected floats [3, 2], found floats [2, 3]."),
        (torch.ones(2), torch.ones(2).long(), "not right yet; expected integers [2], found floats [2]."),
        (torch.ones(2).double(), torch.ones(2), "right."),
        (np.array([1.0, 2.0]), torch.tensor([1.0, 2.0]), "right."),
        ([(8, 8)], [(8, 8)], "right."),
        ({(8, 8)}, [(8, 8)], "right."),
        (pd.Index(["genre", "year"]), ["genre", "year"], "right."),
        (np.float64(0.2) < 0.05, False, "right."),
        (np.float64(0.2) > 0.05, False, "not right yet; look at value 1 of 1."),
        (
            range(7),
            [7] * 7,
            f"not right yet; look at value {', '.join(f'{n} (too small)' for n in range(1, 6))} and 2 more of 7.",
        ),
    ],
)
def test_a_check_says_what_is_wrong(answer: object, expected: object, verdict: str, said: list[str]) -> None:
    check("1.1", answer, expected)
    assert said == [f"**1.1**: {verdict}"]
