"""A table of one's own: a CSV or Parquet file that ``config/<dataset>.yaml`` describes.

::

    threshold: 40
    table:
      path: mine/rows.parquet        # absolute, ~ too, or below a data folder
      label: clicked                 # 0 or 1
      fields: [user, film, device]
      split: part                    # optional: a column of train, valid and test
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from tqdm import tqdm

from autodpq_data.csv_check import check_csv
from autodpq_data.errors import DataError, refuse
from autodpq_data.raw_files import find_one
from autodpq_data.source import Source
from autodpq_data.split import PARTS
from autodpq_system.sentence import sentence

BLOCK_ROWS = 1 << 17
#: What an empty cell looks like as text, and what labels look like.
EMPTY, NEGATIVE, POSITIVE = ["", "NaN"], ["0", "0.0", "false", "False"], ["1", "1.0", "true", "True"]
#: Types of columns, in Parquet, that polars does not write as text.
NO_TEXT = (pl.List, pl.Array, pl.Duration)


class OwnTable(BaseModel):
    """The key ``table`` of a data set's YAML, names of columns all but ``path``."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    path: str = Field(min_length=1)
    label: str
    fields: tuple[str, ...] = Field(min_length=2, strict=False)
    split: str | None = Field(None, min_length=1)

    @model_validator(mode="after")
    def _a_name_a_column(self) -> Self:
        columns = [self.label, *([self.split] if self.split else []), *self.fields]
        for name in columns:
            if columns.count(name) > 1:
                raise ValueError(f"expected each column in one place of label, split and fields, found {name} in two")
            if name == "*" or (name.startswith("^") and name.endswith("$")):  # polars takes these for patterns
                raise ValueError(f"expected names of columns, found the pattern {name}")
        return self


def table_source(dataset: str, settings: object) -> Source:
    """The source that a YAML describes.

    Raises:
        DataError: a key is missing, unknown or not what it should be.
    """
    try:
        table = OwnTable.model_validate(settings)
    except ValidationError as error:
        where = "table." if error.errors()[0]["loc"] else "table: "
        raise DataError(f"config/{dataset}.yaml, {where}{sentence(error)}") from error
    return Source(
        files=partial(find_one, dataset, [table.path]),
        read=partial(read_table, table),
        positive=pl.col(table.label).is_in(POSITIVE),
        parts=partial(read_parts, table) if table.split else None,
        watched=True,
        settings={"settings/table": hashlib.sha256(table.model_dump_json().encode()).hexdigest()},
    )


def read_table(table: OwnTable, files: Sequence[Path], what: str = "reading") -> Iterator[pl.DataFrame]:
    """Blocks of rows in the order of the file, fields and label as strings.

    Raises:
        DataError: the file can't be read, lacks a column, has no rows, an empty value or another label; the row is
            named, counted from 1 without the header.
    """
    [path] = files
    first = 1
    for block in tqdm(_blocks(path, [*table.fields, table.label]), desc=what, unit=" blocks", delay=1):
        for name in table.fields:
            _check(path, first, block[name], block[name].is_null(), f"a value for {name}")
        label = block[table.label]
        _check(path, first, label, ~label.is_in(NEGATIVE + POSITIVE), f"{table.label} 0 or 1")
        yield block
        first += len(block)
    if first == 1:
        raise DataError(f"{path}: expected rows, found none")


def read_parts(table: OwnTable, files: Sequence[Path]) -> NDArray[np.uint8]:
    """The column of the split as places in :data:`~autodpq_data.split.PARTS`, uint8 ``[rows]``.

    Raises:
        DataError: another value, or a part without rows.
    """
    [path], column = files, str(table.split)
    parts = pl.concat(_blocks(path, [column]))[column]
    _check(path, 1, parts, ~parts.is_in(PARTS), f"train, valid or test in {column}")
    for part in PARTS:
        if part not in parts:
            raise DataError(f"{path}: expected rows of train, valid and test in {column}, found none of {part}")
    return parts.cast(pl.Enum(PARTS)).to_physical().cast(pl.UInt8).to_numpy()


def _blocks(path: Path, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
    """Some columns as strings; an empty cell is null. The content tells CSV from Parquet, whatever the name."""
    try:
        with path.open("rb") as file:
            parquet = file.read(4) == b"PAR1"
        frame = pl.scan_parquet(path, glob=False) if parquet else pl.scan_csv(path, glob=False, infer_schema=False)
        kinds = frame.collect_schema()
        present = kinds.names()
        if not parquet:
            check_csv(path, present)
        for name in columns:
            if name not in present:
                raise DataError(f"{path}: expected a column {name}, found {', '.join(present)!r:.300}")
            if isinstance(kinds[name], NO_TEXT):
                raise DataError(f"{path}: expected texts, numbers or dates in {name}, found {kinds[name]}")
        texts = frame.select(_text(name, kinds[name]).replace(EMPTY, None) for name in columns)
        yield from _slices(texts) if parquet else _batches(texts)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, EOFError, zlib.error) as error:
        found = str(error).strip().splitlines()[0]
        raise DataError(f"{path}: expected a CSV or Parquet table, found: {found}") from error


def _text(name: str, kind: pl.DataType) -> pl.Expr:
    """A column as strings. Whole floats lose their decimals, for ids are read as floats where cells are empty.

    Whole floats beyond 64 bits stay as polars writes them.
    """
    column = pl.col(name)
    if not kind.is_float():
        return column.cast(pl.String)
    whole = column.cast(pl.Int64, strict=False).cast(pl.String)
    return pl.coalesce(pl.when(column == column.floor()).then(whole), column.cast(pl.String)).alias(name)


def _slices(frame: pl.LazyFrame) -> Iterator[pl.DataFrame]:
    """Blocks of rows, by the in-memory engine: on a damaged file the streaming engine would end the process."""
    rows = frame.select(pl.len()).collect().item()
    for start in range(0, rows, BLOCK_ROWS):
        yield frame.slice(start, BLOCK_ROWS).collect(engine="in-memory")


def _batches(frame: pl.LazyFrame) -> Iterator[pl.DataFrame]:
    """All columns are parsed, for else a row with a cell too many goes unnoticed."""
    return frame.collect_batches(chunk_size=BLOCK_ROWS, optimizations=pl.QueryOptFlags(projection_pushdown=False))


def _check(path: Path, first: int, column: pl.Series, wrong: pl.Series, expected: str) -> None:
    """An empty cell is wrong too."""

    def sentence(row: int) -> str:
        found = "none (an empty cell, or NaN)" if column[row] is None else repr(column[row])
        return f"{path}, row {first + row}: expected {expected}, found {found}"

    refuse(wrong | column.is_null(), sentence)
