"""What a run is expected to take, from the records of its kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from autodpq_eval.expected import STARTUP_MIB, STARTUP_MINUTES, UNKNOWN, Cost, expected, kind
from autodpq_eval.plans import configure
from autodpq_runs.record import Record, read_record, record_path, write_record
from autodpq_system.paths import ROOT

FE = configure("ml-1m", "tuned", "fe", 1)


def made(seconds: int, mib: float, seed: int, out: Path) -> Record:
    """A record of FE that says so."""
    record = read_record(record_path(ROOT / "results", FE))
    config = configure("ml-1m", "tuned", "fe", seed)
    times = {
        "started": "2025-01-01T00:00:00+00:00",
        "ended": f"2025-01-01T00:{seconds // 60:02}:{seconds % 60:02}+00:00",
    }
    provenance = record.provenance.model_copy(update={**times, "peak_memory_mib": mib})
    changed = record.model_copy(update={"config": config, "provenance": provenance})
    write_record(changed, record_path(out, config))
    return changed


def test_the_median_of_the_minutes_and_the_largest_memory(tmp_path: Path) -> None:
    for seed, (seconds, mib) in enumerate([(60, 500.0), (600, 800.0), (120, 600.0)]):
        made(seconds, mib, seed, tmp_path)
    found = expected(tmp_path, configure("ml-1m", "tuned", "fe", 9))
    assert found.minutes == pytest.approx(2 + STARTUP_MINUTES)
    assert found.mib == 800
    assert found.limits == {"runtime": 30, "mem_mb": 1000 + STARTUP_MIB}


def test_a_long_run_may_take_three_times_as_long() -> None:
    assert Cost(100, 0).limits["runtime"] == 300


def test_committed_records_tell_where_there_are_none(tmp_path: Path) -> None:
    found = {
        name: expected(tmp_path, configure("ml-1m", "tuned", name, 7)).minutes for name in ("fe", "grid", "random")
    }
    assert found["fe"] < found["grid"] < found["random"] < UNKNOWN[0]
    assert expected(tmp_path, configure("planted", "tuned", "fe", 1)) == Cost(*UNKNOWN)


def test_runs_of_a_kind_differ_in_their_seeds_alone() -> None:
    same = [configure("ml-1m", "tuned", "fe", seed, split_seed=split) for seed, split in ((1, 0), (2, 0), (3, 3))]
    assert len({kind(run) for run in same}) == 1
    assert kind(configure("ml-1m", "tuned", "fe", 1, threshold=10)) != kind(FE)


def test_a_record_that_counts_no_more_tells_nothing(tmp_path: Path) -> None:
    path = record_path(tmp_path, configure("planted", "tuned", "fe", 1))
    path.parent.mkdir(parents=True)
    path.write_text("{")
    assert expected(tmp_path, configure("planted", "tuned", "fe", 2)) == Cost(*UNKNOWN)
