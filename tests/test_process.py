"""Threads and memory of a process that trains."""

import os
import platform
import subprocess
import sys

import pytest
import torch

from autodpq_system import process
from autodpq_system.paths import ROOT
from autodpq_system.process import cores, settle, threads, warn_if_crowded

#: Minor page faults of a loop that takes and frees 2 MiB, after some rounds to settle.
FAULTS = """
import resource, sys, torch
from autodpq_system.process import keep_freed_memory
if sys.argv[1] == "kept":
    keep_freed_memory()
def rounds(n):
    for _ in range(n):
        a = torch.ones(1 << 19)
        b = a + a
        del a, b
rounds(20)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
rounds(100)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's malloc alone")
def test_freed_memory_is_not_asked_for_again():
    def faults(how: str) -> int:
        command = [sys.executable, "-c", FAULTS, how]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    assert faults("kept") < 100  # less than one a round
    assert faults("given back") > 10 * 100


def test_more_threads_than_cores_are_warned_of(monkeypatch):
    monkeypatch.setenv("AUTODPQ_THREADS", "2")
    with pytest.warns(UserWarning, match=rf"{cores()} job\(s\) of 2 thread\(s\)"):
        warn_if_crowded(cores())


@pytest.mark.parametrize("named", ["x", "", "0", "-1", "1.5", "2 ", "9999999", "9" * 5000])
def test_what_is_no_number_of_threads_is_refused(named, monkeypatch):
    monkeypatch.setenv("AUTODPQ_THREADS", named)
    with pytest.raises(
        ValueError, match=rf"AUTODPQ_THREADS: expected a whole number from 1 to 1024, found '{named[:40]}"
    ):
        threads()


def test_one_thread_a_core_is_not_warned_of(recwarn, monkeypatch):
    monkeypatch.delenv("AUTODPQ_THREADS", raising=False)
    warn_if_crowded(cores())
    assert not recwarn.list
    assert os.environ.get("AUTODPQ_THREADS") is None


@pytest.mark.filterwarnings("ignore:.*expect them to be slow")
def test_a_run_has_the_threads_that_it_is_told_and_keeps_freed_memory(monkeypatch):
    kept = []
    monkeypatch.setenv("AUTODPQ_THREADS", "2")
    monkeypatch.setattr(process, "keep_freed_memory", lambda: kept.append(1))
    settle()
    assert (torch.get_num_threads(), kept) == (2, [1])
    torch.set_num_threads(1)


@pytest.mark.parametrize(
    ("starter", "slow"),
    [
        ("scripts.run_notebook", ["sklearn", "scipy", "matplotlib", "ipywidgets", "rfc3987_syntax"]),
        ("scripts.replicate", ["sklearn", "rfc3987_syntax"]),
    ],
)
def test_who_starts_runs_imports_nothing_that_only_runs_need(starter, slow):
    """Each run of a batch has such a parent, and these take it seconds."""
    code = f"import sys, {starter}; print([name for name in {slow} if sys.modules.get(name)])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout == "[]\n"
