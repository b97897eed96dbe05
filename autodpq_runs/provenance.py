"""Where, when and with what a run was made: kept with its numbers, never part of its identity."""

from __future__ import annotations

import os
import platform
import resource
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Annotated, Any

import torch
from pydantic import AfterValidator, NonNegativeFloat, PositiveInt

import autodpq_native as native
from autodpq_system.memory import PeakMemory
from autodpq_system.paths import ROOT
from autodpq_system.process import cpu
from autodpq_system.strict import Strict

#: What makes a run's numbers: a change here, not yet committed, makes the run dirty.
CODE = (
    "autodpq_system",
    "autodpq_data",
    "autodpq_native",
    "autodpq_lib",
    "autodpq_runs",
    "autodpq_packed",
    "autodpq_rivals",
    "autodpq_budget",
    "notebooks",
    "config",
    "scripts",
    "pyproject.toml",
)
PACKAGES = ("torch", "numpy", "polars", "scikit-learn", "scipy", "papermill", "snakemake")


def _timed(text: str) -> str:
    datetime.fromisoformat(text)
    return text


#: Time in ISO 8601.
Time = Annotated[str, AfterValidator(_timed)]


class Provenance(Strict):
    """How a run was made.

    It describes the process that ended the run; an earlier one shows in ``git_dirty`` and ``cpu``, see :func:`after`.

    Attributes:
        peak_memory_mib: largest resident set of the process so far, mapped files included.
        compiled: whether there was a C compiler, for what runs in C differs from torch in its last bits. Part of the
            identity. None in older records, which count as made with C.
        peak_anonymous_mib: largest anonymous memory of the run, without mapped files; None in older records.
    """

    started: Time
    ended: Time
    git_commit: str | None
    git_dirty: bool | None
    python: str
    packages: dict[str, str]
    platform: str
    cpu: str
    threads: PositiveInt
    peak_memory_mib: NonNegativeFloat
    peak_anonymous_mib: NonNegativeFloat | None = None
    compiled: bool | None = None


@dataclass(frozen=True)
class Origin:
    """When a process began a run, with which code, on what: a commit made while it runs is not the one that runs."""

    started: str
    git_commit: str | None
    git_dirty: bool | None
    cpu: str = field(default_factory=cpu)
    memory: PeakMemory = field(default_factory=PeakMemory)


def origin() -> Origin:
    """Origin of a run that begins now."""
    status = _git("status", "--porcelain", "--", *CODE)
    return Origin(now(), _git("rev-parse", "HEAD"), None if status is None else bool(status))


def after(here: Origin, earlier: Mapping[str, Any]) -> Origin:
    """Origin of a run that goes on here: dirty if another commit began it; it names both processors if they differ."""
    dirty = here.git_dirty or earlier["git_dirty"] or earlier["git_commit"] != here.git_commit
    both = earlier["cpu"] if earlier["cpu"].endswith(here.cpu) else f"{earlier['cpu']}, then {here.cpu}"
    return replace(here, git_dirty=None if here.git_dirty is None else bool(dirty), cpu=both)


def now() -> str:
    """UTC time in ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def provenance(begun: Origin) -> Provenance:
    """Provenance of a run that ends now."""
    unit = 1024 if sys.platform.startswith("linux") else 1024 * 1024
    return Provenance(
        started=begun.started,
        ended=now(),
        git_commit=begun.git_commit,
        git_dirty=begun.git_dirty,
        python=platform.python_version(),
        packages={name: version(name) for name in PACKAGES},
        platform=f"{platform.system()} {platform.machine()}",
        cpu=begun.cpu,
        threads=torch.get_num_threads(),
        peak_memory_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit,
        compiled=native.available(),
        peak_anonymous_mib=begun.memory.stop(),
    )


def _git(*arguments: str) -> str | None:
    # A hook of another repository sets GIT_DIR.
    plain = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "-C", str(ROOT), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=plain)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
