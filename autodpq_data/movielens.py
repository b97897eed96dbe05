"""MovieLens-1M (original ``::`` files) and MovieLens-100K (RecBole's tab files) as one table of eight fields.

The paper says "8 feature fields" and no more. These eight are the ones whose 13,560 values, times 16, give
the published 216k of Table 1: movie, genre combination, release year, user, occupation, age group, gender and
the first five characters of the zip code.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

from autodpq_data.errors import DataError, refuse

FIELDS = ("movie", "genre", "year", "user", "occupation", "age", "gender", "zip")
FILES = {
    "ml-1m": ("ratings.dat", "users.dat", "movies.dat"),
    "ml-100k": ("ml-100k.inter", "ml-100k.user", "ml-100k.item"),
}
#: Lower ends of the age groups of MovieLens-1M.
AGE_GROUPS = (1, 18, 25, 35, 45, 50, 56)


def read_movielens(dataset: str, folder: Path) -> pl.DataFrame:
    """One row a rating: the eight fields as strings, and ``rating`` (1 to 5).

    Raises:
        DataError: a file is missing or malformed, a rating is out of range or given twice, or a rating's
            user or movie is not described.
    """
    ratings, users, movies = READ[dataset](folder)
    names = FILES[dataset]
    _check_ratings(ratings, folder / names[0])
    _check_described(ratings, users, "user", folder / names[0], names[1])
    _check_described(ratings, movies, "movie", folder / names[0], names[2])
    joined = ratings.join(users, on="user", maintain_order="left").join(movies, on="movie", maintain_order="left")
    return joined.select(*FIELDS, "rating")


def read_1m(folder: Path) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Ratings, users and movies of MovieLens-1M. The year stands in the title: ``Toy Story (1995)``."""
    ratings = read_delimited(folder / "ratings.dat", "::", ("user", "movie", "rating", "time"))
    users = read_delimited(folder / "users.dat", "::", ("user", "gender", "age", "occupation", "zip"))
    movies = read_delimited(folder / "movies.dat", "::", ("movie", "title", "genre"))
    movies = movies.with_columns(year=pl.col("title").str.extract(r"\((\d{4})\)\s*$"))
    _check_year(movies, folder / "movies.dat")
    return ratings, users.with_columns(pl.col("zip").str.head(5)), movies


def read_100k(folder: Path) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Ratings, users and movies of MovieLens-100K, ages put into the groups of MovieLens-1M."""
    read = partial(read_delimited, delimiter="\t", header=True, encoding="utf-8")
    ratings = read(folder / "ml-100k.inter", columns=("user", "movie", "rating", "time"))
    users = read(folder / "ml-100k.user", columns=("user", "age", "gender", "occupation", "zip"))
    movies = read(folder / "ml-100k.item", columns=("movie", "title", "year", "genre"))
    _check_ages(users, folder / "ml-100k.user")
    group = np.searchsorted(AGE_GROUPS, users["age"].cast(pl.Int32), side="right") - 1
    ages = pl.Series("age", AGE_GROUPS)[group].cast(pl.String)
    return ratings, users.with_columns(ages, pl.col("zip").str.head(5)), movies


def read_delimited(
    path: Path, delimiter: str, columns: tuple[str, ...], *, header: bool = False, encoding: str = "iso-8859-1"
) -> pl.DataFrame:
    """A text file as a frame of strings, each line holding exactly ``columns``.

    Raises:
        DataError: the file is missing, empty, in another encoding, ends in mid-line, or a line has another
            number of columns.
    """
    text = _decode(path, encoding)
    if not text.endswith("\n"):
        raise DataError(f"{path}: expected a line end after the last line, found none; the file is truncated")
    lines = pl.Series("line", text.split("\n")[:-1]).str.strip_suffix("\r")
    first = 2 if header else 1
    lines = lines.slice(first - 1)
    widths = lines.str.count_matches(delimiter, literal=True) + 1
    refuse(
        widths != len(columns),
        lambda row: (
            f"{path}, line {row + first}: expected {len(columns)} columns separated by {delimiter!r} "
            f"({', '.join(columns)}), found {widths[row]}"
        ),
    )
    split = lines.str.split_exact(delimiter, len(columns) - 1).struct.rename_fields(list(columns))
    return split.struct.unnest()


def _decode(path: Path, encoding: str) -> str:
    if not path.exists():
        raise DataError(f"{path}: expected the file, found nothing there")
    raw = path.read_bytes()
    if not raw:
        raise DataError(f"{path}: expected text, found an empty file")
    try:
        raw.decode("utf-8")
        fits = encoding == "utf-8" or raw.isascii()
    except UnicodeDecodeError:
        fits = encoding != "utf-8"
    if b"\0" in raw[:4096] or not fits:
        raise DataError(f"{path}: expected {encoding} text, found another encoding")
    return raw.decode(encoding)


def _check_year(movies: pl.DataFrame, path: Path) -> None:
    where, expected = f"{path}, line", "expected a title ending in a year"
    refuse(movies["year"].is_null(), lambda row: f"{where} {row + 1}: {expected}, found {movies['title'][row]!r}")


def _check_ages(users: pl.DataFrame, path: Path) -> None:
    age = users["age"].cast(pl.Int32, strict=False)
    where, expected = f"{path}, line", "expected an age of 1 or more"
    refuse(age.is_null() | (age < 1), lambda row: f"{where} {row + 2}: {expected}, found {users['age'][row]!r}")


def _check_ratings(ratings: pl.DataFrame, path: Path) -> None:
    rating, user, movie = (ratings[name] for name in ("rating", "user", "movie"))
    refuse(~rating.is_in(list("12345")), lambda row: f"{path}: expected ratings 1 to 5, found {rating[row]!r}")
    twice = f"{path}: expected one rating a user and movie, found"
    refuse(
        ratings.select("user", "movie").is_duplicated(),
        lambda row: f"{twice} user {user[row]} and movie {movie[row]} more than once",
    )


def _check_described(ratings: pl.DataFrame, table: pl.DataFrame, key: str, path: Path, other: str) -> None:
    described, rated = table[key], ratings[key]
    once = f"{path.parent / other}: expected one line a {key}, found {key}"
    refuse(described.is_duplicated(), lambda row: f"{once} {described[row]} more than once")
    every = f"{path}: expected every {key} in {other}, found {key}"
    refuse(~rated.is_in(described.implode()), lambda row: f"{every} {rated[row]} in no line of it")


def titles(dataset: str, folder: Path) -> Mapping[str, str]:
    """Movie id to title, for pictures and examples."""
    movies = READ[dataset](folder)[2]
    return dict(zip(movies["movie"], movies["title"], strict=True))


READ = {"ml-1m": read_1m, "ml-100k": read_100k}
