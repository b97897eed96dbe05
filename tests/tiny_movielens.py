"""Tiny synthetic folders in the formats of MovieLens-1M and MovieLens-100K, and what the data tests share."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from autodpq_data.movielens import FILES
from autodpq_data.sources import SOURCES
from autodpq_system import paths

CAFE = "Café of Sand (a.k.a. Dune Café) (1999)"
ML_1M = {
    "ratings.dat": [
        "1::10::5::900",
        "1::2::3::901",
        "2::10::4::902",
        "2::30::1::903",
        "3::2::2::904",
        "10::30::4::905",
    ],
    "users.dat": ["1::F::1::10::12345-6789", "2::M::56::16::70072", "3::M::25::16::12345", "10::F::25::0::0246"],
    "movies.dat": ["2::Plain Film (1995)::Drama", f"10::{CAFE}::Comedy|Drama", "30::2001 Again (2000)::Drama"],
}
ML_100K = {
    "ml-100k.inter": ["user_id:token\titem_id:token\trating:float\ttimestamp:float", "1\t10\t5\t900", "2\t2\t3\t901"],
    "ml-100k.user": [
        "user_id:token\tage:token\tgender:token\toccupation:token\tzip_code:token",
        "1\t24\tM\ttechnician\t857111",
        "2\t53\tF\tother\tT8H1N",
    ],
    "ml-100k.item": [
        "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq",
        "2\tPlain Film\t1995\tDrama",
        "10\tCafé of Sand\t1999\tComedy Drama",
    ],
}


def write_lines(path: Path, lines: list[str], encoding: str = "iso-8859-1") -> None:
    path.write_bytes("".join(f"{line}\n" for line in lines).encode(encoding))


def write_1m(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for name, lines in ML_1M.items():
        write_lines(folder / name, lines)
    return folder


def write_100k(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for name, lines in ML_100K.items():
        write_lines(folder / name, lines, "utf-8")
    return folder


WRITE = {"ml-1m": write_1m, "ml-100k": write_100k}


def isolate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Raw data in ``raw``, own runs in ``runs``, project in ``project``: nothing outside ``tmp_path`` is touched.

    Local addresses bypass any proxy.
    """
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    monkeypatch.setenv("AUTODPQ_DATA", str(tmp_path / "raw"))
    monkeypatch.setenv("AUTODPQ_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(paths, "ROOT", tmp_path / "project")
    return tmp_path


def expect(monkeypatch: pytest.MonkeyPatch, dataset: str, **what: object) -> None:
    """Let a data set be what is said, and any other content be as good."""
    nothing = dict.fromkeys(("rows", "positives", "sizes", "fingerprint"))
    monkeypatch.setitem(SOURCES, dataset, replace(SOURCES[dataset], **{**nothing, **what}))


def entries(folder: Path) -> list[str]:
    """Names in a folder, hidden ones too; none when it is not there."""
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def one_line(error: BaseException) -> str:
    """The message, which must be one line."""
    message = str(error)
    assert message.strip()
    assert len(message.splitlines()) == 1, message
    return message


def _line(name: str, number: int, text: str) -> Callable[[Path], None]:
    """Replace one line, counted from 1; one past the end is added."""

    def spoil(folder: Path) -> None:
        encoding = "iso-8859-1" if name.endswith(".dat") else "utf-8"
        lines = (folder / name).read_text(encoding=encoding).splitlines()
        lines[number - 1 : number] = [text]
        write_lines(folder / name, lines, encoding)

    return spoil


def _cut(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:-2])


def _recode(name: str, old: str, new: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes().decode(old).encode(new))


def _drop(name: str, number: int) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        lines = (folder / name).read_bytes().splitlines(keepends=True)
        (folder / name).write_bytes(b"".join(lines[: number - 1] + lines[number:]))

    return spoil


def _remove(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def _empty(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes(b"")


Case = tuple[str, Callable[[Path], None], tuple[str, ...]]
#: What is wrong -> data set, how to make it wrong, what the message must say.
BROKEN: dict[str, Case] = {
    **{f"missing {name}": (data, _remove(name), (name, "expected")) for data in FILES for name in FILES[data]},
    **{
        f"truncated {name}": (data, _cut(name), (f"{name}: expected a line end", "truncated"))
        for data in FILES
        for name in FILES[data]
    },
    "empty file": ("ml-1m", _empty("users.dat"), ("users.dat: expected text", "found an empty file")),
    "wrong delimiter": (
        "ml-1m",
        _line("ratings.dat", 3, "2,10,4,902"),
        ("ratings.dat, line 3: expected 4 columns", "'::'", "user, movie, rating, time", "found 1"),
    ),
    "column too few": (
        "ml-1m",
        _line("users.dat", 2, "2::M::56::16"),
        ("users.dat, line 2: expected 5 columns", "found 4"),
    ),
    "column too many": (
        "ml-1m",
        _line("movies.dat", 3, "30::2001::Again (2000)::Drama"),
        ("movies.dat, line 3: expected 3 columns", "found 4"),
    ),
    "blank line": ("ml-1m", _line("ratings.dat", 7, ""), ("ratings.dat, line 7: expected 4 columns", "found 1")),
    "wrong delimiter below a header": (
        "ml-100k",
        _line("ml-100k.inter", 3, "2 2 3 901"),
        ("ml-100k.inter, line 3: expected 4 columns", "'\\t'", "found 1"),
    ),
    "column too few below a header": (
        "ml-100k",
        _line("ml-100k.user", 2, "1\t24\tM\ttechnician"),
        ("ml-100k.user, line 2: expected 5 columns", "found 4"),
    ),
    "movies saved as UTF-8": (
        "ml-1m",
        _recode("movies.dat", "iso-8859-1", "utf-8"),
        ("movies.dat: expected iso-8859-1 text", "found another encoding"),
    ),
    "movies saved as UTF-16": (
        "ml-1m",
        _recode("movies.dat", "iso-8859-1", "utf-16"),
        ("movies.dat: expected iso-8859-1 text", "found another encoding"),
    ),
    "items saved as ISO-8859-1": (
        "ml-100k",
        _recode("ml-100k.item", "utf-8", "iso-8859-1"),
        ("ml-100k.item: expected utf-8 text", "found another encoding"),
    ),
    "items saved as UTF-16": (
        "ml-100k",
        _recode("ml-100k.item", "utf-8", "utf-16"),
        ("ml-100k.item: expected utf-8 text", "found another encoding"),
    ),
    "duplicated rating": (
        "ml-1m",
        _line("ratings.dat", 7, "2::10::1::999"),
        ("ratings.dat: expected one rating a user and movie", "found user 2 and movie 10 more than once"),
    ),
    **{
        f"rating {stars}": (
            "ml-1m",
            _line("ratings.dat", 2, f"1::2::{stars}::901"),
            ("ratings.dat: expected ratings 1 to 5", f"found '{stars}'"),
        )
        for stars in ("0", "6", "-1", "3.5", "good", "")
    },
    "rating 9 in 100k": (
        "ml-100k",
        _line("ml-100k.inter", 2, "1\t10\t9\t900"),
        ("ml-100k.inter: expected ratings 1 to 5", "found '9'"),
    ),
    "user without a profile": (
        "ml-1m",
        _drop("users.dat", 3),
        ("ratings.dat: expected every user in users.dat", "found user 3 in no line"),
    ),
    "movie not described": (
        "ml-1m",
        _drop("movies.dat", 2),
        ("ratings.dat: expected every movie in movies.dat", "found movie 10 in no line"),
    ),
    "user with two profiles": (
        "ml-1m",
        _line("users.dat", 5, "3::F::1::1::11111"),
        ("users.dat: expected one line a user", "found user 3 more than once"),
    ),
    "movie described twice": (
        "ml-1m",
        _line("movies.dat", 4, "2::Other Film (1990)::Drama"),
        ("movies.dat: expected one line a movie", "found movie 2 more than once"),
    ),
    "title without a year": (
        "ml-1m",
        _line("movies.dat", 1, "2::Plain Film::Drama"),
        ("movies.dat, line 1: expected a title ending in a year", "found 'Plain Film'"),
    ),
    **{
        f"age {age}": (
            "ml-100k",
            _line("ml-100k.user", 3, f"2\t{age}\tF\tother\tT8H1N"),
            ("ml-100k.user, line 3: expected an age", f"found '{age}'"),
        )
        for age in ("old", "", "0", "-5")
    },
}
