"""An executed notebook as a web page that needs no network: what it says and shows, without its code."""

from __future__ import annotations

from pathlib import Path

from nbconvert import HTMLExporter

from autodpq_system.atomic import write_text


def web_page(notebook: Path) -> Path:
    """The page beside an executed notebook, made anew where the notebook is newer."""
    page = notebook.with_suffix(".html")
    if not page.exists() or page.stat().st_mtime < notebook.stat().st_mtime:
        exporter = HTMLExporter(exclude_input=True, exclude_output_prompt=True, require_js_url="", mathjax_url="")
        text, _ = exporter.from_filename(str(notebook))
        write_text(page, text)
    return page
