"""One notebook in JupyterLab in a browser: a slider is moved by a key, and the sentence below it changes."""

import nbformat
import pytest
from chromium import PROGRAM, chromium
from local_lab import jupyterlab

from autodpq_system.paths import ROOT

SEEN = "document.querySelector('.jp-OutputArea .widget-html-content p')?.textContent"
SLIDER = "document.querySelector('.jp-OutputArea .noUi-handle')"


@pytest.mark.skipif(PROGRAM is None, reason="no Chromium on this machine")
def test_a_slider_that_is_moved_in_jupyterlab_changes_what_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    notebook = nbformat.read(ROOT / "notebooks" / "07_autodpq.ipynb", 4)
    (last,) = [n for n, cell in enumerate(notebook.cells) if cell.source.startswith("gumbel_slider(")]
    notebook.cells = notebook.cells[: last + 1]  # it needs no data, and what follows takes a minute
    copy = tmp_path / "runs" / "lab" / "notebooks" / "07.ipynb"
    copy.parent.mkdir(parents=True)
    nbformat.write(notebook, copy)
    with jupyterlab(tmp_path, "--LabApp.expose_app_in_browser=True") as lab:
        lab.answer("/api/status")
        with chromium(f"{lab.address}/lab/tree/lab/notebooks/07.ipynb", tmp_path / "browser") as page:
            page.wait("window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'")
            page.value("void jupyterapp.commands.execute('notebook:run-all-cells')")
            before = page.wait(SEEN)
            page.wait(f"{SLIDER}.focus() || document.activeElement === {SLIDER}")
            page.press("PageDown")
            after = page.wait(f"{SEEN} !== {before!r} && {SEEN}", 30)
            page.picture(tmp_path / "seen.png")
    assert "largest weight" in before
    assert "largest weight" in after
