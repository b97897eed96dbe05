"""The line that shows how far a batch is: done of all, elapsed, and the time left where it can be told."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from time import monotonic, sleep

from tqdm import tqdm

from autodpq_eval.batch import log_path
from autodpq_eval.expected import kind, measured
from autodpq_eval.request import Request
from autodpq_lib.config import RunConfig
from autodpq_runs.record import record_path


def watch(process: subprocess.Popen[bytes], request: Request, pending: Sequence[RunConfig], jobs: int) -> None:
    """Show the line until the process ends; off a terminal, every 15 seconds."""
    started, begun, shown = datetime.now().timestamp(), monotonic(), -60.0
    bar = tqdm(total=len(pending), bar_format="{desc} {n_fmt}/{total_fmt} runs |{bar:24}| elapsed {elapsed}{postfix}")
    bar.set_description_str(f"{request.dataset} {request.recipe}", refresh=False)
    while True:
        ended = process.poll() is not None
        waiting = [config for config in pending if not _finished(request, config, started)]
        bar.n = len(pending) - len(waiting)
        left = _minutes_left(request, waiting, jobs, started)
        bar.set_postfix_str("" if left is None else f"about {left:.1f} min left", refresh=False)
        if sys.stderr.isatty() or monotonic() - shown > 15 or ended:
            bar.refresh()
            shown = monotonic()
        if ended:
            break
        sleep(0.5 if monotonic() - begun < 60 else 2)
    bar.close()


def has_begun(log: Path, since: float) -> bool:
    """Whether a job was begun after ``since``, in seconds of the epoch: its log is opened then."""
    return log.exists() and log.stat().st_mtime >= since


def _finished(request: Request, config: RunConfig, since: float) -> bool:
    path = record_path(request.out, config)
    return path.exists() and path.stat().st_mtime >= since


def _minutes_left(request: Request, waiting: Sequence[RunConfig], jobs: int, since: float) -> float | None:
    """Work left over the number of jobs, from the median of each kind of run; None before each was seen here."""
    if not waiting:
        return 0.0
    known, now = measured(request.out, waiting[0]), datetime.now().timestamp()
    if any(kind(config) not in known for config in waiting):
        return None
    spent = [(now - log_path(c).stat().st_mtime) / 60 if has_begun(log_path(c), since) else 0.0 for c in waiting]
    left = [max(known[kind(c)].minutes - minutes, 0.0) for c, minutes in zip(waiting, spent, strict=True)]
    return max([sum(left) / jobs, *left])
