"""``make lab``: JupyterLab on working copies of notebooks and course, with data and a trained run of each strategy.

All of it lies in ``runs``, which git ignores, and JupyterLab sees nothing else. Options are JupyterLab's own, such as
``--no-browser``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from tqdm import tqdm

from autodpq_data.errors import DataError
from autodpq_data.prepared import prepare
from autodpq_eval.batch import status
from autodpq_eval.layout import LABELS
from autodpq_lib.config import RunConfig
from autodpq_runs.run_paths import weights_path
from autodpq_runs.train import train
from autodpq_system.paths import ROOT, runs_root
from autodpq_system.stopping import stop_on_signals
from scripts.book.links import relinked
from scripts.copies import refresh

say = tqdm.write
DATASET = "ml-100k"
#: Those that notebook 11 asks for in full; trials, which take minutes, on the smallest budget.
PROFILES = {"fe": "full", "others": "full", "autodpq": "full", "grid": "smoke", "random": "smoke"}
COPIED = (
    *("notebooks/*.ipynb", "notebooks/*.md", "course/**/*.ipynb", "course/**/*.md"),
    "results/*/*/notebooks/*.ipynb",  # executed ones, which notebook 12's table of runs leads to
)
#: The folder that is shown first.
START = "notebooks"


def main(arguments: list[str] | None = None) -> None:
    """Refresh the copies, train what is missing, and become JupyterLab."""
    others = sys.argv[1:] if arguments is None else arguments
    for name in refresh(sources(ROOT), runs_root() / "lab"):
        say(f"kept as you left it, though there is a newer one: {runs_root() / 'lab' / name}; delete it to get that")
    try:
        train_missing(ROOT / "runs")  # where notebooks look
    except (DataError, BlockingIOError) as error:
        say(f"opened without trained runs: {error}")
    os.execv(sys.executable, [sys.executable, "-m", "jupyterlab", *settings(runs_root()), *others])


def sources(root: Path) -> dict[str, str]:
    """What is copied: path in the project -> text. A link of a page that would lead out of the copies is plain text."""
    found = {str(path.relative_to(root)): path for pattern in COPIED for path in root.glob(pattern)}
    texts = {name: path.read_text(encoding="utf-8") for name, path in found.items()}
    return {
        name: relinked(name, text, texts.__contains__) if name.endswith(".md") else text for name, text in texts.items()
    }


def train_missing(out: Path) -> None:
    """Train a run of each strategy on the demo data, unless it is here.

    Raises:
        DataError: the data can't be had.
        BlockingIOError: another process is at the same run.
    """
    prepare(DATASET)
    for config in missing(out):
        say(f"training {LABELS[config.strategy]} on {DATASET}, profile {config.profile}, for you to look at ...")
        train(config, out)


def missing(out: Path) -> Iterator[RunConfig]:
    """The runs whose record or trained model is not here."""
    for strategy, profile in PROFILES.items():
        config = RunConfig.model_validate({"dataset": DATASET, "strategy": strategy, "profile": profile})
        record = status(out, config).record
        if record is None or not weights_path(record.identity).exists():
            yield config


def settings(root: Path) -> list[str]:
    """JupyterLab sees the folder ``root``, and shows the copies first and no news; in a container root may run it."""
    allowed = ["--allow-root"] if os.geteuid() == 0 else []
    first = f"--LabApp.default_url=/lab/tree/lab/{START}"
    return [f"--ServerApp.root_dir={root}", first, "--LabApp.news_url=None", *allowed]


if __name__ == "__main__":
    stop_on_signals()
    main()
