"""The data sets by name. A new one is one more entry of :data:`SOURCES`, or a table that ``config/`` describes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from autodpq_data import avazu, planted
from autodpq_data.errors import DataError
from autodpq_data.fetch import fetch_ml_1m, fetch_ml_100k
from autodpq_data.laboratory import laboratory_rows
from autodpq_data.movielens import FILES, read_movielens
from autodpq_data.raw_files import find_all, find_one
from autodpq_data.settings import described, read_settings
from autodpq_data.source import Source
from autodpq_data.table import table_source

#: Positive when rating > 3. Notebook 00 shows why the paper's sentence cannot be what ran.
LIKED = pl.col("rating").cast(pl.Int8) > 3


def _movielens(dataset: str, files: Sequence[Path], _: str) -> list[pl.DataFrame]:
    return [read_movielens(dataset, files[0].parent)]


def _avazu(dataset: str, *folders: str) -> Callable[[], list[Path]]:
    """Placed by hand: Kaggle's terms forbid redistribution, so nothing is fetched."""
    return partial(find_one, dataset, [f"{folder}/{name}" for folder in folders for name in avazu.NAMES])


SOURCES: dict[str, Source] = {
    "ml-1m": Source(
        files=partial(find_all, "ml-1m", FILES["ml-1m"], fetch_ml_1m),
        read=partial(_movielens, "ml-1m"),
        positive=LIKED,
        rows=1_000_209,
        positives=575_281,
        sizes={
            "movie": 3706, "genre": 301, "year": 81, "user": 6040,
            "occupation": 21, "age": 7, "gender": 2, "zip": 3402,
        },
        fingerprint="ed0b1d70c0f37f70fb562b43bd590247cf5380e71dc7907d29468a2df440a97c",
        laboratory=laboratory_rows,
    ),
    "ml-100k": Source(
        files=partial(find_all, "ml-100k", FILES["ml-100k"], fetch_ml_100k),
        read=partial(_movielens, "ml-100k"),
        positive=LIKED,
        rows=100_000,
        positives=55_375,
        fingerprint="ed548653b404b3abcdb65883dcfcaabd46a57adff1899b416d5a593088683a16",
    ),
    "planted": Source(
        files=lambda: [Path(planted.__file__)],
        read=lambda *_: [planted.make_planted().frame],
        watched=True,
    ),
    "avazu": Source(
        files=_avazu("avazu", "avazu"),
        read=avazu.read_avazu,
        rows=40_428_967,
        positives=6_865_066,
        sizes=avazu.SIZES,
    ),
    # The sample may lie where the real file would; its content tells.
    "avazu-sample": Source(
        files=_avazu("avazu-sample", "avazu-sample", "avazu"),
        read=avazu.read_avazu,
        rows=115_409,
        fingerprint="c6713e35486691b27a35bae16cb1e4ef2bcb8cf8462b64000b882859335cab58",
    ),
    "avazu-standin": Source(files=_avazu("avazu-standin", "avazu-standin"), read=avazu.read_avazu, watched=True),
}  # fmt: skip


def settings(dataset: str) -> dict[str, Any]:
    """What the data set's YAML says; empty for one that is registered without.

    Raises:
        DataError: there is none, or its name has what Snakemake takes for a wildcard, or what can't be printed.
    """
    if dataset not in SOURCES and dataset not in described():
        names = ", ".join(sorted(described() | set(SOURCES)))
        raise DataError(f"dataset: expected one of {names}, found {dataset!r}")
    if set("{}") & set(dataset) or not dataset.isprintable():
        raise DataError(f"dataset: expected a name without braces and unprintable signs, found {dataset!r}")
    return read_settings(dataset)


def source_of(dataset: str) -> Source:
    """The source that is registered, else the one that the data set's YAML describes.

    Raises:
        DataError: there is neither.
    """
    described_by = settings(dataset)
    return SOURCES[dataset] if dataset in SOURCES else table_source(dataset, described_by.get("table"))


def locate(dataset: str) -> Path:
    """Folder of the raw files, which are fetched where that is possible."""
    return source_of(dataset).files()[0].parent
