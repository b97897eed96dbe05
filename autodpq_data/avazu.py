"""Avazu's train file as Kaggle gives it, block by block: ``train.csv``, ``train.gz``, or the zip around either.

22 fields: ``hour`` as its 240 raw values and the 21 columns after it, every value an opaque string. ``id`` is no field.
"""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import polars as pl
from tqdm import tqdm

from autodpq_data.errors import DataError
from autodpq_system.paths import data_roots

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
#: Folders of the raw file, under a data root. The sample may lie where the real file would; its content tells.
FOLDERS = {
    "avazu": ("avazu",),
    "avazu-sample": ("avazu-sample", "avazu"),
    "avazu-standin": ("avazu-standin",),
}
NAMES = ("train.csv", "train.gz", "avazu-ctr-prediction.zip", "train.zip")
BLOCK_BYTES = 1 << 25


def locate(dataset: str) -> Path:
    """The raw file, placed by hand: Kaggle's terms forbid redistribution, so nothing is fetched.

    Raises:
        DataError: there is none.
    """
    places = [root / folder / name for root in data_roots() for folder in FOLDERS[dataset] for name in NAMES]
    for path in places:
        if path.exists():
            return path
    raise DataError(
        f"{dataset}: expected one of {', '.join(NAMES)} in data/{FOLDERS[dataset][0]}/, found none. "
        f"Place it there by hand, or name a folder that holds {FOLDERS[dataset][0]}/ in AUTODPQ_DATA."
    )


def read_avazu(path: Path, what: str = "reading") -> Iterator[pl.DataFrame]:
    """Blocks of rows in the order of the file: the 22 fields as strings, and ``label`` uint8.

    Args:
        path: the raw file.
        what: named by the progress bar.

    Raises:
        DataError: the file is damaged, or a line is not what it should be; file and line are named.
    """
    line = 1
    try:
        with _lines(path, what) as stream:
            _check_header(path, stream.readline())
            line = 2
            while raw := stream.read(BLOCK_BYTES):
                raw += stream.readline()
                yield _parse(path, raw, line)
                line += raw.count(b"\n")
    except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile) as error:
        raise DataError(f"{path}, after line {line - 1}: expected an intact archive, found: {error}") from error
    if line <= 2:
        raise DataError(f"{path}: expected rows after the header, found none")


@contextmanager
def _lines(path: Path, what: str) -> Iterator[IO[bytes]]:
    """The uncompressed bytes, with a progress bar over the bytes on disk."""
    with path.open("rb") as file, tqdm(total=path.stat().st_size, unit="B", unit_scale=True, desc=what) as bar:
        stream = _uncompressed(path, file)
        read = stream.read

        def counted(size: int = -1) -> bytes:
            found = read(size)
            bar.update(file.tell() - bar.n)
            return found

        stream.read = counted  # type: ignore[method-assign]
        yield stream


def _uncompressed(path: Path, file: IO[bytes]) -> IO[bytes]:
    if path.suffix == ".gz":
        return gzip.GzipFile(fileobj=file)  # type: ignore[return-value]
    if path.suffix != ".zip":
        return file
    archive = zipfile.ZipFile(file)
    names = [name for name in archive.namelist() if Path(name).name in ("train.csv", "train.gz")]
    if not names:
        raise DataError(
            f"{path}: expected train.csv or train.gz inside, found {', '.join(archive.namelist()) or 'nothing'}"
        )
    inner = archive.open(names[0])
    return gzip.GzipFile(fileobj=inner) if names[0].endswith(".gz") else inner  # type: ignore[return-value]


def _check_header(path: Path, line: bytes) -> None:
    found = line.decode("utf-8", "replace").strip().split(",")
    if tuple(found) != HEADER:
        hint = "; test.csv has no click" if "click" not in found and "hour" in found else ""
        raise DataError(f"{path}, line 1: expected the header {','.join(HEADER)}, found {','.join(found)[:200]}{hint}")


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
    for number, line in enumerate(raw.decode("utf-8", "replace").splitlines(), first):
        values = line.split(",")
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
