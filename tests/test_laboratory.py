"""The split that the authors' laboratory published: a made-up pair of files, and the real one where it lies."""

import hashlib
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from local_server import closed_port, serve
from pydantic import ValidationError
from tiny_movielens import ML_1M, entries, expect, isolate, one_line, write_1m

from autodpq_data import laboratory
from autodpq_data.errors import DataError
from autodpq_data.movielens import FIELDS
from autodpq_data.prepared import load_samples, load_schema, prepare, raw_table
from autodpq_data.sources import SOURCES, locate
from autodpq_lib.config import RunConfig
from autodpq_system.paths import data_roots

#: Rows of the made-up ``ratings.dat``: 1::10, 1::2, 2::10, 2::30, 3::2, 10::30. Sorted as numbers, users are 1, 2, 3,
#: 10 and movies 2, 10, 30. A line: movie, genre, year, user, occupation, age, gender, zip, label.
VALID = ["2,0,0,3,0,0,0,0,1", "0,0,0,0,0,0,0,0,0"]  # rows 5 and 1
TEST = ["2,0,0,1,0,0,0,0,0", "1,0,0,1,0,0,0,0,1"]  # rows 3 and 2


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """MovieLens and the two files, placed by hand."""
    home = isolate(tmp_path, monkeypatch)
    expect(monkeypatch, "ml-1m")
    write_1m(home / "raw" / "ml-1m")
    place(home / "raw" / laboratory.FOLDER, monkeypatch)
    return home


def place(folder, monkeypatch, valid=VALID, test=TEST):
    """Write the pair, and let its sums be the expected ones."""
    folder.mkdir(exist_ok=True)
    sums = {}
    for name, lines in zip(laboratory.SUMS, (valid, test), strict=True):
        (folder / name).write_text("".join(f"{line}\n" for line in lines))
        sums[name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    monkeypatch.setattr(laboratory, "SUMS", sums)


@pytest.mark.usefixtures("tiny")
def test_rows_are_found_by_user_and_movie_and_the_rest_is_training():
    ids = np.load(prepare("ml-1m") / "ids.npy")
    parts = {"train": [0, 4], "valid": [1, 5], "test": [2, 3]}
    for part, rows in parts.items():
        samples = load_samples("ml-1m", part, split="laboratory")
        assert samples.rows.tolist() == rows
        assert samples.ids.tolist() == ids[rows].tolist()
    assert len(ML_1M["ratings.dat"]) == sum(map(len, parts.values()))


def test_a_folders_name_is_no_pattern(tiny, monkeypatch):
    (tiny / "raw").rename(tiny / "raw [1]*?")
    monkeypatch.setenv("AUTODPQ_DATA", str(tiny / "raw [1]*?"))
    assert load_samples("ml-1m", "valid", split="laboratory").rows.tolist() == [1, 5]


@pytest.mark.parametrize(
    "line",
    ["1,0,0,1,0,0,0,0,0", "0,0,0,3,0,0,0,0,1", "9,0,0,1,0,0,0,0,1"],
    ids=["another label", "a film that the user never rated", "no such film"],
)
def test_rows_of_other_ratings_are_refused(tiny, monkeypatch, line):
    place(tiny / "raw" / laboratory.FOLDER, monkeypatch, test=[line, *TEST])
    with pytest.raises(DataError, match="expected the labels of MovieLens-1M, found 1 rows with another or none"):
        load_samples("ml-1m", "train", split="laboratory")


def test_a_damaged_file_is_named_by_its_sum(tiny):
    path = tiny / "raw" / laboratory.FOLDER / list(laboratory.SUMS)[1]
    path.write_text(path.read_text() + "\n")
    with pytest.raises(DataError) as caught:
        load_samples("ml-1m", "test", split="laboratory")
    assert one_line(caught.value).startswith(f"{path.name}: expected sha256 {laboratory.SUMS[path.name]}, found ")


def test_missing_files_are_fetched_once(tiny, monkeypatch):
    (tiny / "raw" / laboratory.FOLDER).rename(tiny / "data")
    with serve(tiny) as address:
        monkeypatch.setattr(laboratory, "URL", f"{address}/data")
        assert load_samples("ml-1m", "test", split="laboratory").rows.tolist() == [2, 3]
    assert entries(tiny / "project" / "data" / laboratory.FOLDER) == sorted(laboratory.SUMS)
    assert load_samples("ml-1m", "test", split="laboratory").rows.tolist() == [2, 3]


def test_another_file_at_the_address_is_refused_and_leaves_nothing(tiny, monkeypatch):
    (tiny / "raw" / laboratory.FOLDER).rename(tiny / "data")
    (tiny / "data" / list(laboratory.SUMS)[1]).write_text("another\n")
    with serve(tiny) as address, pytest.raises(DataError, match=r"download: .* hash of downloaded file") as caught:
        monkeypatch.setattr(laboratory, "URL", f"{address}/data")
        load_samples("ml-1m", "test", split="laboratory")
    one_line(caught.value)
    assert entries(tiny / "project" / "data") == []


def test_without_files_and_network_one_sentence_says_what_to_do(tiny, monkeypatch):
    (tiny / "raw" / laboratory.FOLDER).rename(tiny / "elsewhere")
    monkeypatch.setattr(laboratory, "URL", f"http://127.0.0.1:{closed_port()}/data")
    with pytest.raises(DataError) as caught:
        load_samples("ml-1m", "test", split="laboratory")
    message = one_line(caught.value)
    assert message.startswith("ml-1m-laboratory-split: not found. Tried: folder ")
    assert "Place movielens1M_valid_12345.txt, movielens1M_test_12345.txt in " in message


@pytest.mark.usefixtures("tiny")
def test_no_seed_moves_it_and_no_other_data_have_it():
    with pytest.raises(DataError, match="split_seed: expected 0 where the split of ml-1m is given, found 1"):
        load_samples("ml-1m", "test", 1, "laboratory")
    with pytest.raises(DataError, match="split: expected fixed on planted, found laboratory"):
        load_samples("planted", "test", 0, "laboratory")


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"dataset": "ml-100k"}, "split: expected fixed on ml-100k, found laboratory"),
        ({"split_seed": 2}, "split_seed: expected 0 where split is laboratory, found 2"),
    ],
)
def test_a_run_refuses_it_elsewhere(keys, says):
    with pytest.raises(ValidationError, match=says):
        RunConfig.model_validate({"dataset": "ml-1m", "strategy": "fe", "split": "laboratory", **keys})


def test_it_is_part_of_a_runs_identity_and_the_default_is_not():
    fixed, other = (RunConfig(dataset="ml-1m", strategy="fe", split=split) for split in ("fixed", "laboratory"))
    assert (
        fixed.identity("data") == RunConfig(dataset="ml-1m", strategy="fe").identity("data") != other.identity("data")
    )
    assert fixed.changed() == {}
    assert other.changed() == {"split": "laboratory"}


def real(name):
    return any((root / name).exists() for root in data_roots())


@pytest.mark.skipif(
    not (real("ml-1m") and real(laboratory.FOLDER)), reason=f"needs ml-1m/ and {laboratory.FOLDER}/ below AUTODPQ_DATA"
)
def test_real_files_split_movielens_1m():
    parts = {part: load_samples("ml-1m", part, split="laboratory") for part in ("train", "valid", "test")}
    assert {part: len(samples) for part, samples in parts.items()} == {
        "train": 800_167, "valid": 100_020, "test": 100_022,
    }  # fmt: skip
    rows = np.concatenate([samples.rows.numpy() for samples in parts.values()])
    assert np.array_equal(np.sort(rows), np.arange(1_000_209))
    names = [*FIELDS, "label"]
    listed = pl.read_csv(locate_split() / "movielens1M_test_12345.txt", has_header=False, new_columns=names)
    table = raw_table("ml-1m")
    users = {user: place for place, user in enumerate(sorted(set(table["user"]), key=int))}
    assert sorted(listed["user"]) == sorted(users[user] for user in table[parts["test"].rows.numpy()]["user"])
    assert listed["label"].sum() == int(parts["test"].labels.sum())
    assert load_schema("ml-1m", 40).fingerprint == SOURCES["ml-1m"].fingerprint
    assert locate("ml-1m").name == "ml-1m"


def locate_split() -> Path:
    return next(root / laboratory.FOLDER for root in data_roots() if (root / laboratory.FOLDER).exists())
