"""A CSV is looked through before polars reads it, which names no line and takes some damage for data."""

from __future__ import annotations

import csv
import gzip
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from autodpq_data.errors import DataError

csv.field_size_limit(sys.maxsize)  # a long text is no damage
#: What a byte that is no UTF-8 is read as.
NO_UTF8 = re.compile("[\udc80-\udcff]")


def check_csv(path: Path, columns: Sequence[str]) -> None:
    """Refuse a CSV with a column twice, a row of another length, an odd quote or bytes that are no UTF-8.

    Once in a process as long as the file stays as it is: whoever prepares it reads it two or three times.

    Args:
        path: the file, gzip too.
        columns: names as polars reads them; it renames the second of two equal ones to ``<name>_duplicated_0``.

    Raises:
        DataError: with the line.
    """
    _check_names(path, columns)
    _check_cells(path, len(columns), path.stat().st_mtime_ns, path.stat().st_size)


def _check_names(path: Path, present: Sequence[str]) -> None:
    """Polars gives a column that is there twice another name."""
    for name in present:
        twice = re.fullmatch(r"(.+)_duplicated_\d+", name, re.DOTALL)
        if twice and twice[1] in present and name not in _header(path):
            raise DataError(f"{path}: expected columns of different names, found {twice[1]!r:.300} twice")


@cache
def _check_cells(path: Path, columns: int, *_changed: int) -> None:
    """Polars takes many rows for one cell where a quote in a cell is not doubled."""
    with path.open("rb") as file:
        opened = gzip.open if file.read(2) == b"\x1f\x8b" else open
    with opened(path, "rt", encoding="utf-8-sig", errors="surrogateescape", newline="") as text:
        lines: list[str] = []
        reader = csv.reader(_noted(text, lines), strict=True)
        try:
            wrong = next((wrong for cells in reader if (wrong := _wrong(cells, columns, lines))), None)
        except csv.Error as error:
            wrong = f"CSV, a quote within a cell doubled, found: {error}"
    if wrong:
        raise DataError(f"{path}, line {reader.line_num}: expected {wrong}")


def _noted(lines: Iterable[str], noted: list[str]) -> Iterator[str]:
    for line in lines:
        noted.append(line)
        yield line


def _wrong(cells: Sequence[str], columns: int, lines: list[str]) -> str | None:
    """What is wrong with a row, if anything; its lines are forgotten."""
    text = "".join(lines)
    lines.clear()
    if byte := None if text.isascii() else NO_UTF8.search(text):
        return f"UTF-8, found the byte {ord(byte[0]) - 0xDC00:#x}"
    if cells and len(cells) != columns:
        return f"{columns} cells, found {len(cells)}"
    return "CSV, a quote within a cell doubled, found an odd number of them" if text.count('"') % 2 else None


def _header(path: Path) -> tuple[str | None, ...]:
    """Names as they are."""
    options: dict[str, Any] = {"has_header": False, "infer_schema": False, "truncate_ragged_lines": True}
    return pl.read_csv(path, glob=False, n_rows=1, **options).row(0)
