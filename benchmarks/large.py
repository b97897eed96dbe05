"""The rate-distortion choice in Avazu's shape: 9,449,445 features, X = 16, made-up rows; time, memory, look-ups.

Rows are normal, smaller the rarer a feature is, as early stopping leaves them: a stand-in, from which no AUC follows.
The choice is made once; then a file for each share of the table is put together and its vectors are looked up.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from time import perf_counter
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import autodpq_native as native
from autodpq_budget.menu import Menu, bytes_of, menu
from autodpq_budget.tables import Table
from autodpq_eval.layout import markdown
from autodpq_packed.container import Tensors
from autodpq_packed.grouped import Grouped
from autodpq_packed.groups_in_c import GroupsInC
from autodpq_packed.packed_groups import PackedGroups
from autodpq_system.memory import PeakMemory
from benchmarks.measured import read_measures, write_measures
from benchmarks.sizes import avazu_schema

DIM, SHARES, BATCH, CALLS = 16, (0.1, 0.05, 0.02, 0.01, 0.005), 1024, 50


def main() -> int:
    """Measure and keep ``results/bench/large.json``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--every", type=int, default=1, help="of so many features one, for a trial")
    write_measures("large", threads=1, **measure(parser.parse_args().every))
    sys.stdout.write(table())
    return 0


def measure(every: int) -> dict[str, Any]:
    """Seconds and peak of anonymous memory of the choice, and a row a share."""
    torch.set_num_threads(1)
    schema = avazu_schema()
    kept = [counts[::every] for counts in np.split(schema.counts.numpy(), schema.offsets[1:])]
    sizes, counts = [len(each) for each in kept], np.concatenate(kept)
    memory, start = PeakMemory(), perf_counter()
    offered = menu({"embedding": made_up(counts, len(sizes))}, sizes, counts)
    seconds = perf_counter() - start
    rows = list(files(offered, sizes, 4 * DIM * len(counts)))
    return {"features": len(counts), "seconds": seconds, "peak_mib": memory.stop(), "rows": rows}


def made_up(counts: NDArray[np.int64], fields: int) -> Table:
    """A table of as many rows."""
    rows = np.random.default_rng(0).standard_normal((len(counts), DIM), np.float32)
    rows *= (0.3 * counts / (counts + 20)).astype(np.float32)[:, None]
    return Table(rows, np.ones((fields, DIM), np.float32))


def files(offered: Menu, sizes: list[int], full: int) -> Iterator[dict[str, float]]:
    """Of each share: bytes, seconds until the tensors are there, million rows a second."""
    for share in SHARES:
        start = perf_counter()
        tensors = offered.tensors(offered.choose(int(share * full)))
        seconds = perf_counter() - start
        yield {"share": share, "bytes": bytes_of(tensors), "seconds": seconds, "Mrows/s": speed(tensors, sizes)}


def speed(tensors: Tensors, sizes: list[int]) -> float:
    """Million rows a second, by C where there is a compiler; features are asked for evenly within their fields."""
    table = Grouped("embedding", {"sizes": sizes, "config": {"embedding_dim": DIM}}, tensors)
    reader = GroupsInC(table) if native.available() else PackedGroups(table)
    drawn = np.random.default_rng(0).random((CALLS, BATCH, len(sizes)))
    ids = torch.from_numpy((drawn * sizes).astype(np.int64) + np.cumsum([0, *sizes[:-1]]))
    with torch.inference_mode():
        start = perf_counter()
        for batch in ids:
            reader(batch)
    return ids.numel() / (perf_counter() - start) / 1e6


def table() -> str:
    """Bytes, seconds and look-ups of each share."""
    rows = read_measures("large")["rows"]
    cells = [
        [f"{row['share']:.1%}", f"{row['bytes']:,}", f"{row['seconds']:.0f}", f"{row['Mrows/s']:.3g}"] for row in rows
    ]
    return markdown(["of FE", "bytes", "seconds to store", "million look-ups a second"], cells)


if __name__ == "__main__":
    sys.exit(main())
