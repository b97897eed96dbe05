"""Look-ups a second of packed, uint8-coded and float32 tables, side by side in one run; one thread.

Float32 is timed twice: by torch's gather, and by the C function that reads packed tables, on a table of which nothing
is coded; so that what packing does and what C does can be told apart.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from autodpq_eval.layout import markdown
from autodpq_packed.bits import bits_for, pack
from autodpq_packed.packed import Packed
from autodpq_packed.packed_in_c import PackedInC
from autodpq_packed.reader import PackedTable
from autodpq_system.sentence import Parser
from benchmarks.measured import read_measures, write_measures

DIM, K, D = 16, 16, 4
#: Name -> features, and how many of them are coded. Popular features have small ids, so coded ones come last.
SHAPES = {
    "ML-1M": (13_560, 2_850),
    "Avazu's shape": (9_449_445, 8_449_445),
    "Avazu's shape, all coded": (9_449_445, 9_449_445),
}
BATCHES = (1, 64, 1024, 65_536)
ROUNDS = 7
#: In the order of the table.
KINDS = ("float32", "float32, C", "uint8 codes", "packed, torch", "packed, C")
Lookup = Callable[[Tensor], Tensor]


def main() -> int:
    """Print and keep rows a second and bytes of each table."""
    Parser(description=__doc__).parse_args()
    torch.set_num_threads(1)
    rows = [row for name, shape in SHAPES.items() for row in measure(name, *shape)]
    write_measures("packed", threads=1, rows=rows)
    sys.stdout.write(table())
    return 0


def measure(name: str, features: int, coded: int) -> list[dict[str, object]]:
    """Rows of the result for one table: alternating rounds of all kinds, median million rows a second."""
    kinds, sizes = build(features, coded)
    generator = torch.Generator().manual_seed(0)
    rows = []
    for batch in BATCHES:
        calls = max(4, min(2000, 400_000 // batch))
        traffic = ids(features, batch * calls, generator).view(calls, batch, 1)
        check(kinds, traffic[0])
        share = (traffic >= features - coded).double().mean().item()
        seconds: dict[str, list[float]] = {kind: [] for kind in kinds}
        for _ in range(ROUNDS):
            for kind, look_up in kinds.items():
                seconds[kind].append(timed(look_up, traffic))
        for kind in kinds:
            low, speed, high = (batch * calls / taken / 1e6 for taken in statistics.quantiles(seconds[kind])[::-1])
            row = {"table": name, "kind": kind, "batch": batch, "Mrows/s": speed, "lower": low, "upper": high}
            rows.append(row | {"MB": sizes[kind] / 1e6, "coded": share})
    return rows


def timed(look_up: Lookup, traffic: Tensor) -> float:
    """Seconds for all batches."""
    with torch.inference_mode():
        start = perf_counter()
        for batch in traffic:
            look_up(batch)
        return perf_counter() - start


def ids(features: int, n: int, generator: torch.Generator) -> Tensor:
    """Ids whose popularity falls as 1 / rank, as in log data: half of the traffic is on few features."""
    u = torch.rand(n, generator=generator, dtype=torch.float64)
    return (torch.exp(u * np.log(features)) - 1).long().clamp(max=features - 1)


class Content(NamedTuple):
    """A table of which the last features are coded: kept rows, codes, centroids."""

    kept: Tensor
    codes: Tensor
    centroids: Tensor

    @classmethod
    def drawn(cls, features: int, coded: int) -> Content:
        """Of so many features, so many of them coded."""
        rng = np.random.default_rng(0)
        kept = rng.normal(size=(features - coded, DIM)).astype(np.float32)
        codes = rng.integers(0, K, (coded, D)).astype(np.uint8)
        return cls(*map(torch.from_numpy, (kept, codes, rng.normal(size=(D, K, DIM // D)).astype(np.float32))))

    def decoded(self, codes: Tensor) -> Tensor:
        """Codes ``[n, D]`` -> vectors ``[n, X]``."""
        return self.centroids[torch.arange(D), codes.long()].flatten(1)

    def by_uint8(self, ids: Tensor) -> Tensor:
        """Look-ups with a byte a code, in torch."""
        flat = ids.flatten()
        out = torch.empty(len(flat), DIM)
        is_coded = flat >= len(self.kept)
        places, others = is_coded.nonzero().squeeze(1), (~is_coded).nonzero().squeeze(1)
        out[others] = self.kept[flat[others]]
        out[places] = self.decoded(self.codes[flat[places] - len(self.kept)])
        return out.view(*ids.shape, DIM)


def build(features: int, coded: int) -> tuple[dict[str, Lookup], dict[str, int]]:
    """Tables of each kind with the same content, and their bytes."""
    content = Content.drawn(features, coded)
    whole = torch.cat([content.kept, content.decoded(content.codes)])
    readers, one_byte = _readers(content, whole), sum(part.nbytes for part in content)
    kinds: dict[str, Lookup] = {
        **readers,
        "uint8 codes": content.by_uint8,
        "float32": lambda ids: whole.index_select(0, ids.flatten()).view(*ids.shape, DIM),
    }
    bytes_of = {kind: sum(buffer.nbytes for buffer in reader.buffers()) for kind, reader in readers.items()}
    return kinds, bytes_of | {"uint8 codes": one_byte, "float32": whole.nbytes}


def _readers(content: Content, whole: Tensor) -> dict[str, nn.Module]:
    """The packed table's readers, and C on a table of which nothing is coded."""
    features, one_field = len(whole), {"fields": ["f"], "sizes": [len(whole)]}
    low = np.packbits(np.arange(features) >= len(content.kept), bitorder="little")
    tensors: dict[str, NDArray[Any]] = {"t.kept": content.kept.numpy(), "t.low": low}
    packed = pack(content.codes.numpy().ravel(), bits_for(K))
    tensors |= {"t.centroids.f": content.centroids.numpy(), "t.codes.f": packed}
    table = PackedTable("t", one_field, tensors)
    readers: dict[str, nn.Module] = {"packed, torch": Packed(table)}
    if PackedInC.takes(table):
        uncoded = PackedTable("t", one_field, {"t.kept": whole.numpy(), "t.low": np.zeros_like(low)})
        readers |= {"packed, C": PackedInC(table), "float32, C": PackedInC(uncoded)}
    return readers


def check(kinds: dict[str, Lookup], ids: Tensor) -> None:
    """All give the same vectors, or nobody is timed."""
    with torch.inference_mode():
        first, *others = [look_up(ids) for look_up in kinds.values()]
    assert all(torch.equal(first, other) for other in others)


def table() -> str:
    """Million look-ups a second, a batch size a column, and what the table takes in memory."""
    measures = read_measures("packed")
    found = pd.DataFrame(measures["rows"])
    head = ["table", "kind", "memory, MB", *(f"batch {n:,}" for n in found["batch"].unique())]
    return f"{markdown(head, _rows(found))}\nOn {measures['cpu']}.\n"


def _rows(found: pd.DataFrame) -> Iterator[list[str]]:
    for shape in found["table"].unique():
        rows = found[found["table"] == shape].set_index(["kind", "batch"])
        name = f"{shape} ({rows['coded'].iloc[-1]:.0%} of look-ups coded)"
        whole = rows.loc["float32", "MB"].iloc[0]
        for kind in (kind for kind in KINDS if kind in rows.index):
            memory = rows.loc[kind, "MB"].iloc[0]
            yield [
                *(name, kind, f"{memory:,.2f} (1 / {whole / memory:.1f})"),
                *(f"{value:.3g}" for value in rows.loc[kind, "Mrows/s"]),
            ]


if __name__ == "__main__":
    sys.exit(main())
