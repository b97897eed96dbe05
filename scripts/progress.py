"""The line that shows how far a batch is: done of all, elapsed, and the time left where it can be told."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from time import monotonic, sleep
from typing import NamedTuple

from tqdm import tqdm

from autodpq_eval.batch import log_path
from autodpq_eval.expected import kind, measured
from autodpq_eval.request import Request
from autodpq_lib.config import RunConfig
from autodpq_runs.record import record_path


class Awaited(NamedTuple):
    """What is asked of a run again and again: names take longer to make than files to look at."""

    record: Path
    log: Path
    kind: str


def watch(process: subprocess.Popen[bytes], request: Request, pending: Sequence[RunConfig], jobs: int) -> None:
    """Show the line until the process ends; off a terminal, every 15 seconds."""
    started, begun, shown = datetime.now().timestamp(), monotonic(), -60.0
    runs = [Awaited(record_path(request.out, c), log_path(request.out, c), kind(c)) for c in pending]
    bar = tqdm(total=len(runs), bar_format="{desc} {n_fmt}/{total_fmt} runs |{bar:24}| elapsed {elapsed}{postfix}")
    bar.set_description_str(f"{request.dataset} {request.recipe}", refresh=False)
    while True:
        ended = process.poll() is not None
        waiting = [run for run in runs if not is_newer(run.record, started)]
        bar.n = len(runs) - len(waiting)
        left = _minutes_left(request, waiting, jobs, started)
        bar.set_postfix_str("" if left is None else f"about {left:.1f} min left", refresh=False)
        if sys.stderr.isatty() or monotonic() - shown > 15 or ended:
            bar.refresh()
            shown = monotonic()
        if ended:
            break
        sleep(0.5 if monotonic() - begun < 60 else 2)
    bar.close()


def is_newer(path: Path, since: float) -> bool:
    """Whether a file was written after ``since``, in seconds of the epoch: a log is opened when its job begins."""
    try:
        return path.stat().st_mtime >= since
    except FileNotFoundError:
        return False


def _minutes_left(request: Request, waiting: Sequence[Awaited], jobs: int, since: float) -> float | None:
    """Work left over the number of jobs, from the median of each kind of run; None before each was seen here."""
    known, now = measured(request.out, request.dataset, request.recipe), datetime.now().timestamp()
    if any(run.kind not in known for run in waiting):
        return None
    spent = [(now - run.log.stat().st_mtime) / 60 if is_newer(run.log, since) else 0.0 for run in waiting]
    left = [max(known[run.kind].minutes - minutes, 0.0) for run, minutes in zip(waiting, spent, strict=True)]
    return max([sum(left) / jobs, *left])
