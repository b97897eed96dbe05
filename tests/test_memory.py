"""Anonymous memory of the process, and its peak."""

from mmap import MAP_ANONYMOUS, MAP_PRIVATE, PAGESIZE, mmap
from threading import enumerate as enumerate_threads
from time import sleep

import numpy as np
import pytest

from autodpq_system.memory import PeakMemory, anonymous_mib

pytestmark = pytest.mark.skipif(anonymous_mib() is None, reason="the system does not tell")
MIB = 2**20


def test_peak_sees_memory_that_is_gone_at_the_end():
    before, peak = anonymous_mib(), PeakMemory(0.01)
    with mmap(-1, 64 * MIB, MAP_PRIVATE | MAP_ANONYMOUS) as block:  # an array's may be old memory, resident already
        for page in range(0, len(block), PAGESIZE):
            block[page] = 1
        sleep(0.2)
    assert 60 < peak.stop() - before < 90
    assert anonymous_mib() - before < 30


def test_mapped_files_do_not_count(tmp_path):
    mapped = np.lib.format.open_memmap(tmp_path / "x.npy", "w+", np.uint8, (64 * MIB,))
    mapped[:] = 1
    before = anonymous_mib()
    assert int(np.load(tmp_path / "x.npy", mmap_mode="r").sum()) == 64 * MIB
    assert anonymous_mib() - before < 20


def test_a_sampler_that_nobody_holds_ends():
    before, peak = {*enumerate_threads()}, PeakMemory(0.01)
    (sampler,) = {*enumerate_threads()} - before
    del peak
    sampler.join(5)
    assert not sampler.is_alive()
