"""Execute one notebook by papermill and believe nothing but the record it leaves.

papermill alone is no proof: a killed kernel leaves every cell "completed", ``sys.exit(0)`` in a cell exits 0, and a
misspelt parameter only warns. So parameters are checked first and the record last.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from textwrap import shorten
from typing import Any
from unittest.mock import patch

import nbformat
import papermill
from papermill.exceptions import PapermillExecutionError
from traitlets.config import Config

from autodpq_data.prepared import known_fingerprint
from autodpq_eval.batch import NOTEBOOKS, Status, log_path, notebook_path, status
from autodpq_lab.view import VIEW
from autodpq_lib.config import OUTSIDE, RunConfig
from autodpq_runs.record import read_record, record_path
from autodpq_runs.run_paths import identity_of, work_folder
from autodpq_system.atomic import atomic_path, check_place, scratch_folder
from autodpq_system.paths import ROOT, folder_named, runs_root
from autodpq_system.sentence import Parser, sentence, whole_number
from autodpq_system.stopping import killed_when_idle, stop_on_signals
from scripts.title import title_file


def main(arguments: list[str] | None = None) -> int:
    """Run a strategy's notebook; exit 0 only if a valid, current record exists at the end."""
    asked = _arguments(arguments)
    try:
        switches = asked.parameters.get("switches", {})
        config = RunConfig.model_validate({k: v for k, v in asked.parameters.items() if k != "switches"} | switches)
        notebook = asked.notebooks / f"{NOTEBOOKS[config.strategy]}.ipynb"
        left = () if config.strategy in OUTSIDE else ("strategy",)  # one notebook runs all OUTSIDE, and is told which
        given = {key: value for key, value in asked.parameters.items() if key not in left}
        out = folder_named(asked.out, "out: ")
        executed, failed = ROOT / notebook_path(out, config), log_path(out, config).with_suffix(".ipynb")
        check_place(record_path(ROOT / out, config))
        limits = {"minutes": asked.minutes, "checkpoints": _checkpoints(config)}
        execute(notebook, given | {"out": str(out)}, executed, failed=failed, **limits)
        _believe(status(ROOT / out, config), executed, failed)
        title_file(executed, read_record(record_path(ROOT / out, config)))
    except Exception as error:
        sys.stderr.write(f"FAILED: {reason(error)}\n")
        return 1
    return 0


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = Parser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--parameters", type=_object, required=True, help="JSON object, strategy included")
    parser.add_argument("--out", required=True, help="folder of the records")
    parser.add_argument("--minutes", type=whole_number(1), default=240, help="without progress, then it is ended")
    parser.add_argument("--notebooks", type=Path, default=ROOT / "notebooks", help="folder of the sources")
    return parser.parse_args(arguments)


def _object(text: str) -> dict[str, Any]:
    with suppress(json.JSONDecodeError):
        if isinstance(found := json.loads(text), dict):
            return found
    raise argparse.ArgumentTypeError(f"expected a JSON object, found {text!r}")


def _believe(found: Status, executed: Path, failed: Path) -> None:
    """Nothing but a valid record; without one the run failed, whatever its notebook says."""
    if found.state != "done":
        _keep(executed, failed)
        raise ValueError(f"{executed.name} ended without a valid record: {found.reason}")


def _checkpoints(config: RunConfig) -> Path:
    """Folder in which each round of a run's training leaves something."""
    return work_folder(identity_of(config, known_fingerprint(config.dataset) or ""))


def execute(
    notebook: Path,
    parameters: dict[str, Any],
    executed: Path,
    *,
    failed: Path | None = None,
    minutes: float = 60,
    checkpoints: Path | None = None,
) -> None:
    """Execute ``notebook`` into ``executed``.

    Args:
        notebook: its source.
        parameters: for its parameters cell.
        executed: appears when all cells have run.
        failed: where a notebook that failed is left; default: beside ``executed``, named ``failed-``.
        minutes: without a cell's end, an output or a checkpoint, after which the kernel is ended.
        checkpoints: folder that the notebook writes to.

    Raises:
        ValueError: a parameter that the notebook does not have.
        papermill.exceptions.PapermillExecutionError: a cell raised.
        TimeoutError: there was no progress.
    """
    known = set(papermill.inspect_notebook(str(notebook)))
    unknown = sorted(set(parameters) - known)
    if unknown:
        raise ValueError(f"{notebook.name}: expected parameters among {sorted(known)}, found {', '.join(unknown)}")
    failed = failed or executed.with_name(f"failed-{executed.name}")
    for older in (failed, executed):  # which would stand beside the record of another run
        older.unlink(missing_ok=True)
    with atomic_path(executed) as path, _plain_kernel(), _own_sockets() as sockets:
        where = {"kernel_name": "python3", "cwd": str(ROOT), "config": sockets}
        try:
            with killed_when_idle(lambda: _last_change(path, checkpoints or path), 60 * minutes):
                papermill.execute_notebook(str(notebook), str(path), parameters, progress_bar=False, **where)
            tidy(path)
        except BaseException:
            if path.exists():
                _keep(path, failed)
            raise


def _keep(executed: Path, failed: Path) -> None:
    """Move a failed notebook to where it is looked for, whole or not at all; an error here must not hide the first."""
    with suppress(OSError), atomic_path(failed) as copy:
        shutil.copy(executed, copy)
    executed.unlink()


@contextmanager
def _plain_kernel() -> Iterator[None]:
    """The kernel of this Python, without a person's own start-up files and settings, which might change results."""
    with scratch_folder(runs_root() / "work" / "ipython") as profile:
        own = {"IPYTHONDIR": str(profile), "PYTHONSTARTUP": "", "MATPLOTLIBRC": str(ROOT / "config" / "matplotlibrc")}
        with patch.dict(os.environ, own | {"JUPYTER_PREFER_ENV_PATH": "1", "JUPYTER_PATH": ""}):
            yield


@contextmanager
def _own_sockets() -> Iterator[Config]:
    """Settings of a kernel on Unix sockets in a folder of this user alone; TCP ports could be taken or listened to."""
    # Not in TMPDIR, which may be too long for a socket, or on a file system that has none.
    with tempfile.TemporaryDirectory(dir="/tmp" if os.access("/tmp", os.W_OK) else None) as folder:
        yield Config(KernelManager={"transport": "ipc", "ip": f"{folder}/kernel"})


def _last_change(*paths: Path) -> float:
    """When the newest was written: a file, or something in a folder."""
    times = [0.0]
    for path in paths:
        with suppress(FileNotFoundError):
            times.append(path.stat().st_mtime)
    return max(times)


def tidy(executed: Path) -> None:
    """Remove where on this machine a notebook was read and written, and turn widgets into pictures."""
    content = nbformat.read(executed, as_version=4)
    for key in ("input_path", "output_path"):
        content.metadata.papermill.pop(key, None)
    keep_still(content)
    nbformat.write(content, executed)


def keep_still(notebook: nbformat.NotebookNode) -> None:
    """Of a widget keep the picture that stands for it, in place: whoever opens the copy has no kernel that knows it."""
    notebook.metadata.pop("widgets", None)
    for output in [output for cell in notebook.cells for output in cell.get("outputs", [])]:
        if "text/html" in output.get("data", {}):
            output.data.pop(VIEW, None)


def reason(error: BaseException) -> str:
    """The reason of a failure in one line."""
    if isinstance(error, PapermillExecutionError):
        return shorten(f"cell {error.exec_count}: {error.ename}: {error.evalue}", 300)
    return shorten(sentence(error), 300)


if __name__ == "__main__":
    logging.getLogger("papermill").setLevel(logging.ERROR)
    stop_on_signals()
    sys.exit(main())
