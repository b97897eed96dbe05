"""Train a run and keep what comes of it."""

from __future__ import annotations

from pathlib import Path

from autodpq_lib.config import RunConfig
from autodpq_lib.strategies import STRATEGY
from autodpq_runs.finish import finish
from autodpq_runs.open import open_run
from autodpq_runs.record import Record


def train(config: RunConfig, out: str | Path) -> Record:
    """The record of a run that is trained now, or goes on where it was stopped; it lies below ``out``.

    Raises:
        BlockingIOError: another process is at the same run.
        DataError: the data can't be had.
    """
    run = open_run(config)
    return finish(run, STRATEGY[config.strategy](run), out)
