"""The web page of an executed notebook: its results without its code, from no network, made anew when it is older."""

import os
import re
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from scripts.web_page import web_page


def written(path: Path, said: str) -> Path:
    table = new_output("display_data", {"text/html": f"<table><tr><td>{said}</td></tr></table>"})
    cells = [new_markdown_cell("# The report"), new_code_cell("secret = 1", outputs=[table])]
    nbformat.write(new_notebook(cells=cells), path)
    return path


def test_shows_results_without_code_and_needs_no_network(tmp_path):
    page = web_page(written(tmp_path / "12_report.ipynb", "0.8147"))
    text = page.read_text(encoding="utf-8")
    assert page == tmp_path / "12_report.html"
    assert "<td>0.8147</td>" in text
    assert "secret" not in text
    assert re.findall(r"""<(?:script|link|img)[^>]*(?:src|href)=["']https?:""", text) == []


def test_is_made_anew_for_a_newer_notebook_alone(tmp_path):
    notebook = written(tmp_path / "12_report.ipynb", "0.8147")
    page = web_page(notebook)
    page.write_text("kept")
    assert web_page(notebook).read_text() == "kept"
    os.utime(page, (0, 0))
    assert "0.8147" in web_page(notebook).read_text(encoding="utf-8")
