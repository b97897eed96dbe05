"""The split of MovieLens-1M that the authors' laboratory published with AutoDenoise (WWW '23).

Two files hold validation and test part; the training part is the rest. A row is movie, genre combination, year, user,
occupation, age, gender, zip and label, each value as its place among the sorted values of its field.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from autodpq_data.errors import DataError
from autodpq_data.fetch import check_sum, fetch_files
from autodpq_data.movielens import FIELDS
from autodpq_data.raw_files import find_all
from autodpq_data.split import Rows

FOLDER = "ml-1m-laboratory-split"
URL = (
    "https://raw.githubusercontent.com/Applied-Machine-Learning-Lab/AutoDenoise/"
    "b985a183228767e09d9cb11f2a0c18f3211af69d/data"
)
#: Validation and test part, with the sha256 of each.
SUMS = {
    "movielens1M_valid_12345.txt": "9e8755f2d52626c199d878cf871bddfc0de39bf2ddd75cb924a2e70e8fdbeacf",
    "movielens1M_test_12345.txt": "3161be7fa34a1dce45bbf4c5028070c4b587cec446343cecc5f2ec6ee3ee168d",
}


def laboratory_rows(ids: NDArray[np.int32], labels: NDArray[np.uint8], values: Mapping[str, Sequence[str]]) -> Rows:
    """Row numbers of each part.

    Args:
        ids: int32 ``[rows, M]`` of MovieLens-1M.
        labels: uint8 ``[rows]``.
        values: per field its raw values, in the order of their ids.

    Raises:
        DataError: a file is missing or damaged, or does not belong to these rows.
    """
    known = _by_place(ids, labels, values)
    valid, test = (_rows(path, known) for path in _files())
    train = np.setdiff1d(np.arange(len(labels)), np.concatenate([valid, test]), assume_unique=True)
    return {"train": train, "valid": valid, "test": test}


def _files() -> list[Path]:
    paths = find_all(FOLDER, list(SUMS), partial(fetch_files, URL, SUMS))
    for path in paths:
        check_sum(path, SUMS[path.name])
    return paths


def _by_place(ids: NDArray[np.int32], labels: NDArray[np.uint8], values: Mapping[str, Sequence[str]]) -> pl.DataFrame:
    """Every row with its label, and user and movie as the files name them; both sort as numbers, not as text."""
    places = {}
    for name in ("user", "movie"):
        column = ids[:, FIELDS.index(name)]  # [rows]
        place = pl.Series(values[name]).cast(pl.Int64).rank("ordinal").to_numpy() - 1  # [values]
        places[name] = place[column - column.min()]
    return pl.DataFrame({**places, "known": labels, "row": np.arange(len(labels))}).cast(pl.Int64)


def _rows(path: Path, known: pl.DataFrame) -> NDArray[np.int64]:
    listed = pl.read_csv(path, glob=False, has_header=False, new_columns=[*FIELDS, "label"])
    joined = listed.join(known, on=["user", "movie"], how="left")
    wrong = joined.filter(~pl.col("label").eq_missing(pl.col("known")))
    if len(wrong):
        raise DataError(f"{path}: expected the labels of MovieLens-1M, found {len(wrong)} rows with another or none")
    return joined["row"].sort().to_numpy()
