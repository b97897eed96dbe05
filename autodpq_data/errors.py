"""The one exception that bad input raises."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl


class DataError(ValueError):
    """Raw data are missing or not what they should be. The message names file, expected and found."""


def refuse(wrong: pl.Series, sentence: Callable[[int], str]) -> None:
    """Raise :class:`DataError` with the sentence of the first row that is wrong, if there is one."""
    rows = wrong.arg_true()
    if len(rows):
        raise DataError(sentence(rows[0]))


def last_line(error: object) -> str:
    """The last line of a message, which in most of them says what is wrong."""
    lines = str(error).strip().splitlines()
    return lines[-1] if lines else type(error).__name__
