"""What is set once in a process that trains: its threads, and that it keeps the memory that a step has freed."""

from __future__ import annotations

import ctypes
import os
import platform
import warnings
from pathlib import Path

import torch

#: Parameters of glibc's mallopt, and their values in bytes: how much may stay free at the heap's end (TRIM, KEPT_FREE),
#: and from which size on a block is mapped separately (MMAP, MAPPED_FROM).
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
MAPPED_FROM, KEPT_FREE = 32 << 20, 512 << 20
MOST_THREADS = 1024


def settle() -> None:
    """One thread, unless ``AUTODPQ_THREADS`` says otherwise, and memory that is kept between steps.

    These models are too small to gain from more threads, and runs beside each other lose by them.
    """
    torch.set_num_threads(threads())
    warn_if_crowded(1)
    keep_freed_memory()


def threads() -> int:
    """Threads of a run, from ``AUTODPQ_THREADS``.

    Raises:
        ValueError: it is no number of threads.
    """
    named = os.environ.get("AUTODPQ_THREADS", "1")
    if not named.isdecimal() or len(named) > 9 or not 1 <= int(named) <= MOST_THREADS:
        raise ValueError(f"AUTODPQ_THREADS: expected a whole number from 1 to {MOST_THREADS}, found {named!r:.50}")
    return int(named)


def cores() -> int:
    """Cores that this process may use; ``nproc`` would obey OMP_NUM_THREADS and say 1."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def warn_if_crowded(jobs: int) -> None:
    """Warn when runs beside each other have more threads than there are cores: all of them get slower."""
    if jobs * threads() > cores():
        said = f"{jobs} job(s) of {threads()} thread(s) (AUTODPQ_THREADS) on {cores()} core(s): expect them to be slow"
        warnings.warn(said, stacklevel=2)


def cpu() -> str:
    """Name of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor()


def keep_freed_memory() -> None:
    """Keep what a step frees for the next one (glibc; elsewhere nothing is changed).

    By default glibc gives blocks of a megabyte back to the system and asks for them again, and the system hands them
    out page by page, each cleared first. On batches with many fields that takes longer than the arithmetic.
    """
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        libc.mallopt(M_MMAP_THRESHOLD, MAPPED_FROM)
        libc.mallopt(M_TRIM_THRESHOLD, KEPT_FREE)
