"""All records as a table, to be filtered and sorted, each with the way to its executed notebook."""

from __future__ import annotations

import os
import re
from html import escape
from pathlib import Path
from urllib.parse import quote

import ipywidgets as widgets
import pandas as pd

from autodpq_lab.shown import Shown, present
from autodpq_lib.config import Decision
from autodpq_system.paths import ROOT, runs_root

#: Columns to filter by, and those that are shown beside them.
FILTERS = ("dataset", "strategy", "model", "recipe")
SHOWN = (*FILTERS, "seed", "test_auc", "test_logloss", "space", "seconds", "changed", "decision")
#: Digits after the point.
DIGITS = {"test_auc": 4, "test_logloss": 4, "seconds": 1}
#: Rows at most; a filter brings up the others.
MOST = 50


def chosen(frame: pd.DataFrame, word: str, sort: str, **wanted: str) -> pd.DataFrame:
    """The rows that have the wanted values ("all": any) and a word in one of their cells, sorted, largest first."""
    rows = frame
    for column, value in wanted.items():
        rows = rows if value == "all" else rows[rows[column] == value]
    if word and len(rows):
        rows = rows[[word.lower() in " ".join(map(str, row)).lower() for row in rows.to_numpy()]]
    return rows.sort_values(sort, ascending=False, kind="stable")


def runs_table(frame: pd.DataFrame) -> widgets.VBox:
    """The table of :func:`autodpq_runs.explore.records`; what a run has changed from the defaults is one column."""
    frame = frame.assign(changed=[changed(Path(path).stem) for path in frame["path"]])

    def draw(word: str, sort: str, **wanted: str) -> Shown:
        rows = chosen(frame, word, sort, **wanted)
        table = rows.head(MOST)[list(SHOWN)].round(DIGITS)
        said = f"{len(rows)} of {len(frame)} runs, the first {len(table)} shown"
        table["decision"] = [in_words(decision) for decision in table["decision"]]
        linked = table.assign(notebook=[link(Path(path)) for path in rows.head(MOST)["path"]])
        html, still = (f"<p>{said}</p>{each.to_html(index=False, escape=False, border=0)}" for each in (linked, table))
        return Shown(html, said, still)

    choices = {name: widgets.Dropdown(options=["all", *sorted(frame[name].unique())], description=name)
               for name in FILTERS}  # fmt: skip
    numbers = ["test_auc", "test_logloss", "space", "seconds", "seed"]
    sort = widgets.Dropdown(options=numbers, description="sort by")
    return present(draw, word=widgets.Text(description="word"), sort=sort, **choices)


def changed(name: str) -> str:
    """What a run's name says that it changes from the defaults: ``centroids-16``, or nothing; without the hash."""
    found = re.fullmatch(r".*-seed\d+-(.*)-[0-9a-f]{8}", name)
    return escape(found[1]) if found else ""


def in_words(decision: Decision | None) -> str:
    """``movie 8, 2; user 16, 4``, or nothing; a record may be a stranger's, so it is text and no HTML."""
    return escape("; ".join(f"{name} {k}, {d}" for name, (k, d) in (decision or {}).items()))


def link(record: Path) -> str:
    """The way to the executed notebook beside a record, as ``make lab`` serves it, or nothing where there is none."""
    notebook = record.parent.parent / "notebooks" / f"{record.stem}.ipynb"
    copy = runs_root() / "lab" / os.path.relpath(notebook, ROOT)
    for served in (copy, notebook):
        if served.exists() and served.is_relative_to(runs_root()):
            return f'<a target="_blank" href="/lab/tree/{quote(str(served.relative_to(runs_root())))}">open</a>'
    return ""
