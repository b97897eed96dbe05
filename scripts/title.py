"""The title of an executed run notebook: which run it is, and what came of it."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat

from autodpq_eval.layout import LABELS, titled
from autodpq_lib.config import RunConfig
from autodpq_runs.record import Record
from autodpq_system.atomic import write_text

#: Marks the cell, so that it is never made twice.
TAG = "title"


def title(record: Record) -> str:
    """``AutoDPQ · DeepFM · ml-1m · recipe tuned · seed 1 · pretrain false · test AUC 0.8183``."""
    config = record.config
    known = [LABELS.get(config.strategy, config.strategy), LABELS[config.model], titled(config.dataset)]
    return " · ".join(
        [*known, f"recipe {config.recipe}", f"seed {config.seed}", *changed(config), f"test AUC {record.test.auc:.4f}"]
    )


def changed(config: RunConfig) -> list[str]:
    """What a run changes, each key with its value: ``pretrain false``."""
    return [
        f"{key} {value if isinstance(value, str) else json.dumps(value)}" for key, value in config.changed().items()
    ]


def put_title(notebook: nbformat.NotebookNode, record: Record) -> None:
    """Make the run's title the first heading, in place; the notebook's own becomes the line below it."""
    cells = [cell for cell in notebook.cells if TAG not in cell.metadata.get("tags", [])]
    own, _, rest = str(cells[0].source).partition("\n")
    if own.startswith("# "):
        cells[0].source = f"**{own.removeprefix('# ')}**\n{rest}"
    text = f"# {title(record)}"
    notebook.cells = [nbformat.v4.new_markdown_cell(text, id=TAG, metadata={"tags": [TAG]}), *cells]


def title_file(path: Path, record: Record) -> None:
    """Put the title into the file of an executed notebook."""
    notebook = nbformat.read(path, as_version=4)
    put_title(notebook, record)
    write_text(path, nbformat.writes(notebook) + "\n")
