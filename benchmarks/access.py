"""How to walk through mapped samples in random order: milliseconds a batch, with the file in memory and without.

Needs the prepared stand-in (or any large data set), whose ids lie in a file larger than a small machine's free memory.
"""

from __future__ import annotations

import os
import statistics
import sys
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from time import perf_counter

import pandas as pd
import torch
from torch import Tensor

from autodpq_data.prepared import load_samples, prepare
from autodpq_eval.layout import markdown
from autodpq_system.sentence import Parser
from benchmarks.measured import read_measures, write_measures

DATASET, ROUNDS = "avazu-standin", 3
BATCH, BATCHES, BLOCK, BUFFER = 2048, 200, 1024, 1 << 17


def main() -> int:
    """Measure each order, warm and cold, in alternation."""
    Parser(description=__doc__).parse_args()
    torch.set_num_threads(1)
    rows = [
        {"order": name, "file": "cold" if cold else "warm", "ms": timed(order, cold=cold)}
        for _ in range(ROUNDS)
        for name, order in ORDERS.items()
        for cold in (True, False)
    ]
    found = pd.DataFrame(rows).groupby(["order", "file"], as_index=False)["ms"].agg(statistics.median)
    write_measures("access", batch=BATCH, block=BLOCK, buffer=BUFFER, rows=found.to_dict("records"))
    sys.stdout.write(table())
    return 0


def timed(order: Callable[[int], Iterator[Tensor]], *, cold: bool) -> float:
    """Milliseconds a batch: after the file was dropped from memory, or after the same batches were read once.

    Drawing the order is not counted: it is done once an epoch.
    """
    if cold:
        drop(prepare(DATASET) / "ids.npy")
    samples = load_samples(DATASET, "train")
    batches = list(islice(order(len(samples)), BATCHES))
    if not cold:
        for places in batches:
            samples.take(places)
    start = perf_counter()
    for places in batches:
        samples.take(places)
    return 1e3 * (perf_counter() - start) / BATCHES


def drop(path: Path) -> None:
    """Ask the system to forget a file's pages."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def generator() -> torch.Generator:
    """The same order on every call."""
    return torch.Generator().manual_seed(1)


def anywhere(n: int) -> Iterator[Tensor]:
    """A permutation of all rows: what the library does."""
    return iter(torch.randperm(n, generator=generator(), dtype=torch.int32).split(BATCH))


def sorted_in_buffer(n: int) -> Iterator[Tensor]:
    """The same, but read in ascending order, a buffer of batches at a time."""
    for part in torch.randperm(n, generator=generator(), dtype=torch.int32).split(BUFFER):
        yield from part.sort().values.split(BATCH)


def by_blocks(n: int) -> Iterator[Tensor]:
    """Blocks of neighbouring rows in random order, shuffled within a buffer: neighbours stay near each other."""
    starts = torch.randperm(n // BLOCK, generator=generator()) * BLOCK
    for some in starts.split(BUFFER // BLOCK):
        rows = (some[:, None] + torch.arange(BLOCK)).flatten()
        yield from rows[torch.randperm(len(rows), generator=generator())].split(BATCH)


ORDERS = {"random": anywhere, "sorted in a buffer": sorted_in_buffer, "blocks": by_blocks}


def table() -> str:
    """Milliseconds a batch for each order of reading, with the file in memory and without."""
    found = read_measures("access")
    by_order = pd.DataFrame(found["rows"]).pivot(index="order", columns="file", values="ms")
    rows = [[str(name), f"{row['warm']:.2f}", f"{row['cold']:.2f}"] for name, row in by_order.iterrows()]
    return markdown([f"order of reading, {found['batch']:,} rows", "in memory, ms", "not in memory, ms"], rows)


if __name__ == "__main__":
    sys.exit(main())
