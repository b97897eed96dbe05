"""Write a STAND-IN for Avazu's train file: its columns, field sizes and long tails, with a planted click model.

No row of it is real. Fields are independent of each other; rows are in the order of time, as in the real file.
At 40,428,967 rows every field has exactly the number of values of the real one; fewer rows are a sample of those.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import polars as pl
import yaml
from numpy.typing import NDArray
from tqdm import tqdm

from autodpq_data.avazu import FIELDS, HEADER, HOURS
from autodpq_system.atomic import atomic_path
from autodpq_system.paths import ROOT
from autodpq_system.sentence import Parser

SHAPE = ROOT / "config" / "standin" / "shape.yaml"
ROWS = 40_428_967
CLICK_RATE = 0.17
#: Spread of a value's effect on the logit, and of the vectors by which pairs of these fields interact.
EFFECT_SD, PAIR_SD, PAIR_DIM = 0.25, 0.3, 4
PAIRED = ("hour", "banner_pos", "site_id", "app_id", "device_model", "C14")
BLOCK = 500_000


def main() -> None:
    """Write the whole file to where the suite looks for it."""
    Parser(description=__doc__).parse_args()
    write_standin(ROOT / "data" / "avazu-standin" / "train.csv", ROWS, seed=2014)


def write_standin(out: Path, rows: int, seed: int) -> None:
    """Draw ``rows`` rows and write them as Kaggle would: ``train.csv`` with 24 columns."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent) as scratch, atomic_path(out) as target:
        ranks = np.lib.format.open_memmap(Path(scratch) / "ranks.npy", "w+", np.int32, (len(FIELDS), rows))
        clicks = draw(ranks, seed)
        _write(target, ranks, clicks)


def draw(ranks: NDArray[np.int32], seed: int) -> NDArray[np.uint8]:
    """Fill ``ranks`` ``[22, rows]``, the place of each row's value in its field; return the clicks."""
    rows = ranks.shape[1]
    logits = np.zeros(rows, np.float32)
    vectors, squares = np.zeros((rows, PAIR_DIM), np.float32), np.zeros(rows, np.float32)
    for m, name in enumerate(tqdm(FIELDS, desc="drawing", unit="field")):
        rng = np.random.default_rng([seed, m])
        counts = value_counts(name)
        place = rng.choice(ROWS, size=rows, replace=False, shuffle=True)
        column = np.searchsorted(np.cumsum(counts), place, side="right").astype(np.int32)
        ranks[m] = np.sort(column) if name == "hour" else column
        logits += (EFFECT_SD * rng.standard_normal(len(counts), np.float32))[ranks[m]]
        if name in PAIRED:
            own = (PAIR_SD * rng.standard_normal((len(counts), PAIR_DIM), np.float32))[ranks[m]]
            vectors += own
            squares += np.square(own).sum(1)
    logits += (np.square(vectors).sum(1) - squares) / 2
    chance = _sigmoid(logits + _intercept(logits))
    return (np.random.default_rng([seed, len(FIELDS)]).random(rows, np.float32) < chance).astype(np.uint8)


def value_counts(name: str) -> NDArray[np.int64]:
    """How often each value of a field occurs in all ``ROWS`` rows, the most frequent first.

    Between the knots (rank, count) of the shape, log count is linear in log rank; the head, all counts of 50 or
    more, is then scaled so that the counts add up.
    """
    knots = np.array(yaml.safe_load(SHAPE.read_text(encoding="utf-8"))[name])
    rank = np.arange(1, int(knots[-1, 0]) + 1)
    if name == "hour":
        return _hours(rank)
    counts = np.floor(10 ** np.interp(np.log10(rank), np.log10(knots[:, 0]), knots[:, 1]) + 1e-9).astype(np.int64)
    head = counts >= 50
    counts[head] = np.floor(counts[head] * (ROWS - counts[~head].sum()) / counts[head].sum())
    counts[0] += ROWS - counts.sum()
    return counts


def _hours(rank: NDArray[np.int64]) -> NDArray[np.int64]:
    """240 hours, busiest at noon."""
    weight = 1 + 0.5 * np.sin((rank % 24 - 6) / 24 * 2 * np.pi)
    counts = np.floor(ROWS * weight / weight.sum()).astype(np.int64)
    counts[0] += ROWS - counts.sum()
    return counts


def _sigmoid(x: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.reciprocal(1 + np.exp(-x))


def _intercept(logits: NDArray[np.float32]) -> float:
    """What to add to the logits so that the mean chance is ``CLICK_RATE``, by bisection on some of them."""
    some, low, high = logits[:: max(1, len(logits) // 100_000)], -20.0, 20.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if _sigmoid(some + np.float32(middle)).mean() < CLICK_RATE else (low, middle)
    return low


def value_names(name: str, ranks: NDArray[np.int32]) -> pl.Series:
    """The raw values at these ranks of a field: hours, small numbers, or eight hexadecimal digits."""
    if name == "hour":
        return pl.Series(HOURS).gather(ranks)
    if name[0] == "C" or name in ("banner_pos", "device_type", "device_conn_type"):
        return pl.Series(ranks + 1000).cast(pl.String)
    used, place = np.unique(ranks, return_inverse=True)
    # An odd factor modulo 2^32 gives each rank a number of its own.
    numbers = (used.astype(np.uint64) * 2_654_435_761 + 97 * FIELDS.index(name)) % 2**32
    return pl.Series([f"{number:08x}" for number in numbers.tolist()]).gather(place)


def _write(target: Path, ranks: NDArray[np.int32], clicks: NDArray[np.uint8]) -> None:
    with target.open("wb") as file:
        file.write(f"{','.join(HEADER)}\n".encode())
        for start in tqdm(range(0, len(clicks), BLOCK), desc="writing", unit="block"):
            rows = slice(start, start + BLOCK)
            values = {name: value_names(name, ranks[m, rows]) for m, name in enumerate(FIELDS)}
            click = clicks[rows]
            number = pl.int_range(start, start + len(click), eager=True)
            pl.DataFrame({"id": number, "click": click, **values}).write_csv(file, include_header=False)


if __name__ == "__main__":
    main()
