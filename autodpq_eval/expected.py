"""What a run is expected to take, from records of its kind: for the order of a batch, and for a cluster's limits."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from math import ceil
from pathlib import Path
from statistics import median

from autodpq_lib.config import RunConfig
from autodpq_runs.record import read_record
from autodpq_system.paths import ROOT

#: Kernel start and imports, which a record does not see: in minutes, and in MiB of the processes around the kernel.
STARTUP_MINUTES, STARTUP_MIB = 0.1, 1000
#: Where no run of the kind has been measured: minutes, MiB.
UNKNOWN = (240.0, 3000.0)


@dataclass(frozen=True)
class Cost:
    """What runs of one kind took.

    Attributes:
        minutes: median.
        mib: the largest resident set, mapped files included.
    """

    minutes: float
    mib: float

    @property
    def limits(self) -> dict[str, int]:
        """What to ask a cluster for: ``runtime``, three times the median minutes but at least 30, and ``mem_mb``."""
        return {"runtime": max(30, ceil(3 * self.minutes)), "mem_mb": ceil(1.25 * self.mib + STARTUP_MIB)}


def expected(out: Path, config: RunConfig) -> Cost:
    """From records below ``out``, else from the committed ones, else :data:`UNKNOWN`."""
    return _known(out, config.dataset, config.recipe).get(kind(config), Cost(*UNKNOWN))


@cache
def _known(out: Path, *own: str) -> dict[str, Cost]:
    """As it is when a process first asks: a batch asks for each of its runs."""
    return measured(ROOT / "results", *own) | measured(ROOT / out, *own)


def measured(out: Path, dataset: str, recipe: str) -> dict[str, Cost]:
    """Each kind of run that has records of the data set and recipe below ``out``."""
    seen = defaultdict(list)
    for path in (out / dataset / recipe / "records").glob("*.json"):
        if one := cost_of(path):
            seen[one[0]].append(one[1])
    return {kind: Cost(median(c.minutes for c in costs), max(c.mib for c in costs)) for kind, costs in seen.items()}


@cache
def kind(config: RunConfig) -> str:
    """Name of a kind of run: the same for configurations that differ only in ``seed`` and ``split_seed``."""
    return config.model_copy(update={"seed": 0, "split_seed": 0}).name()


def cost_of(path: Path) -> tuple[str, Cost] | None:
    """Kind and cost of the run of one record; a file that can't be read tells nothing."""
    try:
        record = read_record(path)
    except ValueError:
        return None
    made = record.provenance
    seconds = (datetime.fromisoformat(made.ended) - datetime.fromisoformat(made.started)).total_seconds()
    return kind(record.config), Cost(seconds / 60 + STARTUP_MINUTES, made.peak_memory_mib)
