"""Reading MovieLens files, and the one-line errors of files that are not what they should be."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from tiny_movielens import BROKEN, CAFE, ML_1M, WRITE, one_line, write_1m, write_100k, write_lines

from autodpq_data.errors import DataError
from autodpq_data.fetch import fetch_package
from autodpq_data.movielens import FIELDS, read_movielens, titles


@pytest.fixture
def ml_1m(tmp_path):
    return write_1m(tmp_path / "ml-1m")


@pytest.fixture
def ml_100k(tmp_path):
    return write_100k(tmp_path / "ml-100k")


def test_1m_rows_in_the_order_of_the_ratings(ml_1m):
    frame = read_movielens("ml-1m", ml_1m)
    found = [f"{row['user']}::{row['movie']}::{row['rating']}" for row in frame.to_dicts()]
    assert found == [line.rsplit("::", 1)[0] for line in ML_1M["ratings.dat"]]


def test_1m_row_has_all_fields_as_strings(ml_1m):
    frame = read_movielens("ml-1m", ml_1m)
    assert frame.columns == [*FIELDS, "rating"]
    assert frame.row(0) == ("10", "Comedy|Drama", "1999", "1", "10", "1", "F", "12345", "5")


@pytest.mark.parametrize(("user", "zip_code"), [("1", "12345"), ("2", "70072"), ("10", "0246")])
def test_zip_is_cut_to_five_characters(ml_1m, user, zip_code):
    frame = read_movielens("ml-1m", ml_1m)
    assert set(frame.filter(user=user)["zip"]) == {zip_code}


@pytest.mark.parametrize(("movie", "year"), [("2", "1995"), ("10", "1999"), ("30", "2000")])
def test_year_is_the_last_parenthesis_of_the_title(ml_1m, movie, year):
    frame = read_movielens("ml-1m", ml_1m)
    assert set(frame.filter(movie=movie)["year"]) == {year}


def test_titles_keep_their_accents(ml_1m, ml_100k):
    assert titles("ml-1m", ml_1m)["10"] == CAFE
    assert titles("ml-100k", ml_100k)["10"] == "Café of Sand"


def test_windows_line_ends_change_nothing(ml_1m, tmp_path):
    other = write_1m(tmp_path / "windows")
    for path in other.iterdir():
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert read_movielens("ml-1m", other).equals(read_movielens("ml-1m", ml_1m))


def test_100k_row_has_all_fields_as_strings(ml_100k):
    frame = read_movielens("ml-100k", ml_100k)
    assert frame.columns == [*FIELDS, "rating"]
    assert frame.rows() == [
        ("10", "Comedy Drama", "1999", "1", "technician", "18", "M", "85711", "5"),
        ("2", "Drama", "1995", "2", "other", "50", "F", "T8H1N", "3"),
    ]


BOUNDS = [(1, 17), (18, 24), (25, 34), (35, 44), (45, 49), (50, 55), (56, 90)]


@pytest.mark.parametrize(("age", "group"), [(age, low) for low, high in BOUNDS for age in (low, high)])
def test_ages_of_100k_become_the_groups_of_1m(ml_100k, age, group):
    lines = (ml_100k / "ml-100k.user").read_text(encoding="utf-8").splitlines()
    lines[1] = f"1\t{age}\tM\ttechnician\t85711"
    write_lines(ml_100k / "ml-100k.user", lines)
    assert read_movielens("ml-100k", ml_100k)["age"][0] == str(group)


@pytest.mark.parametrize("what", BROKEN)
def test_bad_input_is_one_line_with_file_expected_and_found(tmp_path, what):
    dataset, spoil, says = BROKEN[what]
    folder = WRITE[dataset](tmp_path / dataset)
    spoil(folder)
    with pytest.raises(DataError) as caught:
        read_movielens(dataset, folder)
    message = one_line(caught.value)
    assert message.startswith(str(folder))
    assert "expected" in message
    assert "found" in message
    for part in says:
        assert part in message


def test_pip_is_told_the_sum_of_a_package(tmp_path, monkeypatch):
    """And checks it before a source package may run code of its own."""
    asked = []
    done = SimpleNamespace(stderr="no")
    monkeypatch.setattr("autodpq_data.fetch.subprocess.run", lambda command, **_: asked.extend(command) or done)
    with pytest.raises(DataError, match="pip could not fetch x 1: no"):
        fetch_package("x", "1", "0" * 64, tmp_path)
    assert "--require-hashes" in asked
    assert Path(asked[asked.index("-r") + 1]).read_text() == f"x==1 --hash=sha256:{'0' * 64}\n"
