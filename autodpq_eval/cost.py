"""What each strategy costs, in seconds, in steps, and in FE trainings of the same seed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pandas as pd

from autodpq_eval.layout import LABELS
from autodpq_runs.record import Record

#: FE trainings at which the paper's Figure 3 ends AutoDPQ, the pretrain included.
PAPER_END = 2.2


def costs(records: Sequence[Record]) -> pd.DataFrame:
    """Means over the seeds, one row per strategy, AutoDPQ's three parts below it.

    Seconds are training and validation on one thread; steps are updates of the weights (updates of alpha, in the
    search, are not counted). A run for which :func:`fe_unit` finds no unit counts in seconds and steps alone.
    """
    rows = []
    for record in records:
        name = LABELS[record.config.strategy]
        parts = {name: {"seconds": record.seconds, "steps": record.steps}}
        if record.config.strategy == "autodpq":
            parts |= {f"{name}: {log.name}": log.cost for log in record.fits}
        units = {unit: fe_unit(record, records, unit) or float("nan") for unit in ("seconds", "steps")}
        for what, cost in parts.items():
            in_fe = {f"{unit}, in FE trainings": cost[unit] / units[unit] for unit in units}
            rows.append({"what": what, **cost, **in_fe})
    columns = ["what", "seconds", "steps", "seconds, in FE trainings", "steps, in FE trainings"]
    table = pd.DataFrame(rows, columns=columns)
    return table.groupby("what", sort=False).mean()


def fe_unit(record: Record, records: Sequence[Record], unit: str) -> float | None:
    """Seconds or steps of one FE training of the record's seed; None if there is none.

    AutoDPQ brings its own unit: its pretrain is, bit for bit, the FE training of its seed. If that was cut to fewer
    epochs, its cost per epoch times the epochs of the FE run is taken. The others take the FE run among ``records``
    that has their seed and ``draws``, which marks the batch of the long Random.
    """
    own = next((log for log in record.fits if log.name == "pretrain"), None)
    key = (record.config.seed, record.config.draws)
    fe = next((r for r in records if r.config.strategy == "fe" and (r.config.seed, r.config.draws) == key), None)
    if own and record.config.pretrain_epochs is None:
        return own.cost[unit]
    if fe is None:
        return None
    return own.cost[unit] / own.epochs * fe.fits[0].epochs if own else float(getattr(fe, unit))


def fe_trainings(record: Record, fe: Sequence[Record], autodpq: Sequence[Record] = ()) -> float | None:
    """What a run costs in trainings of FE, by time; None where what its unit needs is missing.

    A search without a pretrain has no unit in its own run, and seconds of two days can't be compared: a machine's load
    moves them by half. Its search and retrain are those of AutoDPQ, so it is timed by AutoDPQ's epochs of its seed.
    """
    if record.config.strategy == "autodpq" and not record.config.pretrain:
        beside = next((run for run in autodpq if run.config.seed == record.config.seed), None)
        return at_speed_of(beside, record) if beside else None
    unit = fe_unit(record, fe, "seconds")
    return record.seconds / unit if unit else None


def at_speed_of(autodpq: Record, record: Record) -> float:
    """Trainings of FE that a search without a pretrain takes at the speed of AutoDPQ's own run of the same seed."""
    epoch = {log.name: log.cost["seconds"] / log.epochs for log in autodpq.fits}
    seconds = sum(epoch[log.name] * log.epochs for log in record.fits)
    return seconds / next(log.cost["seconds"] for log in autodpq.fits if log.name == "pretrain")


def epoch_seconds(records: Sequence[Record]) -> float:
    """Median seconds of an epoch of FE, training and validation."""
    seconds = [s for r in records if r.config.strategy == "fe" for log in r.fits for s in log.curve["seconds"]]
    return float(pd.Series(seconds, dtype=float).median())


def whole(records: Sequence[Record]) -> tuple[float, float]:
    """Core-minutes of all runs, from opening the data to the record, and core-seconds of a pass over the training part.

    A run has one thread. A pass of the search, alpha's batches included, counts as one.
    """
    seconds = sum((ended - started).total_seconds() for started, ended in _spans(records))
    passes = sum(log.epochs / r.config.validations for r in records for log in r.fits)
    return seconds / 60, seconds / passes


def wall_minutes(records: Sequence[Record]) -> float:
    """Minutes during which one of the runs was under way, however many at once."""
    spans = _spans(records)
    seconds, until = 0.0, min(started for started, _ in spans)
    for started, ended in spans:
        seconds += max((ended - max(started, until)).total_seconds(), 0.0)
        until = max(until, ended)
    return seconds / 60


def _spans(records: Sequence[Record]) -> list[tuple[datetime, datetime]]:
    """When each run started and ended, the earliest first."""
    stamps = ((r.provenance.started, r.provenance.ended) for r in records)
    return sorted((datetime.fromisoformat(started), datetime.fromisoformat(ended)) for started, ended in stamps)


def speed(records: Sequence[Record]) -> pd.DataFrame:
    """One row per fit of each run, trials left out: how fast it went, and the run's peak memory.

    Seconds are those of training and validation; samples a second are samples trained on (steps times batch size) over
    these seconds. Anonymous memory excludes memory-mapped data; None in older records.
    """
    rows = [
        {
            "strategy": LABELS[record.config.strategy],
            "seed": record.config.seed,
            "fit": log.name,
            "steps": int(log.cost["steps"]),
            "seconds": log.cost["seconds"],
            "ms a step": 1e3 * log.cost["seconds"] / log.cost["steps"],
            "samples a second": log.cost["steps"] * record.config.batch_size / log.cost["seconds"],
            "peak anonymous MiB": record.provenance.peak_anonymous_mib,
        }
        for record in records
        for log in record.fits
        if not log.name.startswith("trial-")
    ]
    return pd.DataFrame(rows)
