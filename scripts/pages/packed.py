"""results/packed.md: bytes, precision and speed of the packed model."""

from __future__ import annotations

from benchmarks import latency, packed, precision, sizes

BLOCKS = {
    "sizes-ml-1m": lambda: sizes.table("ml-1m"),
    "sizes-avazu": lambda: sizes.table("avazu"),
    "precision": precision.table,
    "look-ups": packed.table,
    "latency": latency.table,
}
