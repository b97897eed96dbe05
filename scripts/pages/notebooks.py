"""notebooks/README.md: what each notebook asks, from its first cell."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat

from autodpq_eval.layout import markdown
from autodpq_system.paths import ROOT


def contents() -> str:
    """A notebook a row: title, question, section of the paper, cost."""
    return markdown(["notebook", "question", "in the paper", "cost"], map(_row, sorted(ROOT.glob("notebooks/*.ipynb"))))


def _row(path: Path) -> list[str]:
    first = str(nbformat.read(path, as_version=4).cells[0].source)
    title = first.splitlines()[0].removeprefix("# ")
    return [f"[{title}]({path.name})", *(_said(first, word) for word in ("Question", "Paper", "Cost"))]


def _said(text: str, word: str) -> str:
    """The paragraph or sentence that begins with ``**word.**``."""
    found = re.search(rf"\*\*{word}\.\*\*\s+(.*?)\s*(?=\n\n|\*\*(?:Paper|Cost)\.|\Z)", text, re.S)
    return " ".join(found[1].split()) if found else ""


BLOCKS = {"notebooks": contents}
