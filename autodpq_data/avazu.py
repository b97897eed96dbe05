"""Avazu's train file as Kaggle gives it, block by block: ``train.csv``, ``train.gz``, or the zip around either.

22 fields: ``hour`` as its 240 raw values and the 21 columns after it, every value an opaque string. ``id`` is no field.
"""

from __future__ import annotations

import gzip
import lzma
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, cast

import polars as pl
from tqdm import tqdm

from autodpq_data.errors import DataError

#: The 22 fields in the order of the columns, and the number of values of each in the whole file.
SIZES = {
    "hour": 240, "C1": 7, "banner_pos": 7, "site_id": 4737, "site_domain": 7745, "site_category": 26, "app_id": 8552,
    "app_domain": 559, "app_category": 36, "device_id": 2_686_408, "device_ip": 6_729_486, "device_model": 8251,
    "device_type": 5, "device_conn_type": 4, "C14": 2626, "C15": 8, "C16": 9, "C17": 435, "C18": 4, "C19": 68,
    "C20": 172, "C21": 60,
}  # fmt: skip
FIELDS = tuple(SIZES)
HEADER = ("id", "click", *FIELDS)
#: 21 to 30 October 2014.
HOURS = tuple(f"1410{day}{hour:02d}" for day in range(21, 31) for hour in range(24))
NAMES = ("train.csv", "train.gz", "avazu-ctr-prediction.zip", "train.zip")
BLOCK_BYTES = 1 << 25
#: Bytes of a line, at most; the rest of a longer one is a bad line of its own.
LONGEST = 1 << 16


def read_avazu(files: Sequence[Path], what: str = "reading") -> Iterator[pl.DataFrame]:
    """Blocks of rows in the order of the file: the 22 fields as strings, and ``label`` uint8.

    Args:
        files: the raw file alone. Its content, not its name, tells whether it is packed.
        what: named by the progress bar.

    Raises:
        DataError: the file is damaged, or a line is not what it should be; file and line are named.
    """
    [path] = files
    line = 1
    try:
        with (
            path.open("rb") as file,
            tqdm.wrapattr(file, "read", total=path.stat().st_size, desc=what) as counted,
        ):
            stream = _unpacked(path, cast(IO[bytes], counted))
            _check_header(path, stream.readline(LONGEST))
            line = 2
            while raw := stream.read(BLOCK_BYTES):
                raw += stream.readline(LONGEST)
                yield _parse(path, raw, line)
                line += raw.count(b"\n") or 1  # the last may lack its end
    except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile, lzma.LZMAError, RuntimeError) as error:
        raise DataError(f"{path}, after line {line - 1}: expected an intact archive, found: {error}") from error
    if line <= 2:
        raise DataError(f"{path}: expected rows after the header, found none")


def _unpacked(path: Path, stream: IO[bytes]) -> IO[bytes]:
    start = stream.read(2)
    stream.seek(0)
    if start == b"\x1f\x8b":
        return gzip.GzipFile(fileobj=stream)  # type: ignore[return-value]
    if start != b"PK":
        return stream
    archive = zipfile.ZipFile(stream)
    names = [name for name in archive.namelist() if Path(name).name in ("train.csv", "train.gz")]
    if not names:
        inside = ", ".join(archive.namelist()) or "nothing"
        raise DataError(f"{path}: expected train.csv or train.gz inside, found {inside}")
    return _unpacked(path, archive.open(names[0]))


def _check_header(path: Path, line: bytes) -> None:
    header = line.decode("utf-8-sig", "replace").strip()
    names = header.split(",")
    if tuple(names) != HEADER:
        hint = "; test.csv has no click" if "click" not in names and "hour" in names else ""
        raise DataError(f"{path}, line 1: expected the header {','.join(HEADER)}, found {header[:200]!r}{hint}")


def _parse(path: Path, raw: bytes, first: int) -> pl.DataFrame:
    """Lines of text, the first of them numbered ``first``, as a frame; a bad line is named."""
    strings = dict.fromkeys(HEADER, pl.String)
    try:
        frame = pl.read_csv(raw, has_header=False, schema=strings, quote_char=None)
    except pl.exceptions.PolarsError:
        frame = pl.DataFrame(schema=strings)
    good = pl.col("click").is_in(["0", "1"]) & pl.col("hour").is_in(HOURS)
    intact = frame.height == raw.count(b"\n") + (not raw.endswith(b"\n"))
    if not intact or not frame.select(good.all() & pl.all_horizontal(pl.all().is_not_null().all())).item():
        raise DataError(_complaint(path, raw, first))
    return frame.select(*FIELDS, label=pl.col("click").cast(pl.UInt8))


def _complaint(path: Path, raw: bytes, first: int) -> str:
    """What is wrong with the first bad line of a block that did not parse."""
    for number, line in enumerate(raw.decode("utf-8", "replace").removesuffix("\n").split("\n"), first):
        values = line.removesuffix("\r").split(",")
        where = f"{path}, line {number}: expected"
        if len(values) != len(HEADER):
            return f"{where} {len(HEADER)} columns, found {len(values)}"
        if "" in values:
            return f"{where} a value for {HEADER[values.index('')]}, found none"
        if values[1] not in ("0", "1"):
            return f"{where} click 0 or 1, found {values[1]!r}"
        if values[2] not in HOURS:
            return f"{where} an hour of {HOURS[0]} to {HOURS[-1]}, found {values[2]!r}"
    return f"{path}, lines {first} on: expected utf-8 text, found another encoding"
