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
        ValueError: its strategy is not registered here.
    """
    check_registered(config)
    run = open_run(config)
    return finish(run, STRATEGY[config.strategy](run), out)


def check_registered(config: RunConfig) -> None:
    """Refuse a strategy that is not registered here.

    Raises:
        ValueError: it is so.
    """
    if config.strategy not in STRATEGY:
        raise ValueError(
            f"strategy: expected one of {', '.join(STRATEGY)}, found {config.strategy}; "
            "autodpq_budget.batch.register_all() adds the compressor and its rivals"
        )
