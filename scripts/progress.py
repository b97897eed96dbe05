"""The line that shows how far a batch is: done of all, elapsed, and the time left where it can be told."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence, Set
from datetime import datetime
from pathlib import Path
from time import monotonic, sleep
from typing import NamedTuple

from tqdm import tqdm

from autodpq_eval.batch import log_path
from autodpq_eval.expected import cost_of, kind, measured
from autodpq_eval.request import Request
from autodpq_lib.config import RunConfig
from autodpq_runs.record import record_path


class Awaited(NamedTuple):
    """Files and kind of a run, made once for all polls: a run's name takes longer to make than a file to look at."""

    record: Path
    log: Path
    kind: str


#: Minutes that a run is expected to take, and those it has taken.
Pair = tuple[float, float]


def watch(process: subprocess.Popen[bytes], request: Request, pending: Sequence[RunConfig], jobs: int) -> None:
    """Show the line until the process ends; off a terminal, every 15 seconds."""
    started, begun, shown = datetime.now().timestamp(), monotonic(), -60.0
    runs = [Awaited(record_path(request.out, c), log_path(request.out, c), kind(c)) for c in pending]
    form = "{desc} {n_fmt}/{total_fmt} runs |{bar:24}| elapsed {elapsed}{postfix}"
    ended = False
    with tqdm(desc=f"{request.dataset} {request.recipe}", total=len(runs), bar_format=form) as bar:
        while not ended:
            ended = process.poll() is not None
            done = {run for run in runs if is_newer(run.record, started)}
            bar.n = len(done)
            waiting = [run for run in runs if run not in done]
            left = _minutes_left(request, done, waiting, jobs, started)
            said = "" if left is None else f"about {left:.1f} min left"
            bar.set_postfix_str(said if waiting else "making the report", refresh=False)
            if sys.stderr.isatty() or monotonic() - shown > 15 or ended:
                bar.refresh()
                shown = monotonic()
            if not ended:
                sleep(0.5 if monotonic() - begun < 60 else 2)


def is_newer(path: Path, since: float) -> bool:
    """Whether a file was written after ``since``, in seconds of the epoch: a log is opened when its job begins."""
    try:
        return path.stat().st_mtime >= since
    except FileNotFoundError:
        return False


def _minutes_left(
    request: Request, ended: Set[Awaited], waiting: Sequence[Awaited], jobs: int, since: float
) -> float | None:
    """Work left over the number of jobs; None before a run of each kind was seen here."""
    known, now = measured(request.out, request.dataset, request.recipe), datetime.now().timestamp()
    if any(run.kind not in known for run in waiting):
        return None
    took = [(known[kind].minutes, cost.minutes) for kind, cost in filter(None, (cost_of(r.record) for r in ended))]
    spent = [(now - run.log.stat().st_mtime) / 60 if is_newer(run.log, since) else 0.0 for run in waiting]
    return minutes_left(took, [(known[r.kind].minutes, so_far) for r, so_far in zip(waiting, spent, strict=True)], jobs)


def minutes_left(ended: Sequence[Pair], waiting: Sequence[Pair], jobs: int) -> float:
    """Work left over the number of jobs, if what is left goes on at the pace of this batch so far.

    Args:
        ended: expected minutes of each run, and those it took.
        waiting: the same of those at work or yet to begin; a run that is late counts for the pace.
        jobs: how many runs are at work at a time.
    """
    took = sum(minutes for _, minutes in [*ended, *waiting])
    expected = sum(most for most, _ in ended) + sum(min(pair) for pair in waiting)
    pace = took / expected if expected else 1.0
    left = [max(pace * most - minutes, 0.0) for most, minutes in waiting]
    return max([sum(left) / jobs, *left])
