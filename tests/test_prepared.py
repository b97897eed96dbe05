"""From raw rows to ids, labels, counts and the split; and what the real data sets are known to be."""

import errno
import hashlib
import json
import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
import torch
from tiny_movielens import BROKEN, ML_1M, WRITE, entries, expect, isolate, one_line, write_1m

from autodpq_data import prepared
from autodpq_data.encoding import count_values, encode
from autodpq_data.errors import DataError
from autodpq_data.movielens import FIELDS, FILES
from autodpq_data.prepared import load_samples, load_schema, prepare, vocabulary
from autodpq_data.schema import Schema
from autodpq_data.source import Source
from autodpq_data.sources import SOURCES
from autodpq_data.split import split_rows
from autodpq_eval.references import constant_logloss
from autodpq_system.paths import data_roots

PARTS = ("train", "valid", "test")


@pytest.fixture
def home(tmp_path, monkeypatch):
    return isolate(tmp_path, monkeypatch)


@pytest.fixture
def tiny(home, monkeypatch):
    """A folder placed by hand with tiny data that count as the real ones."""
    for dataset in WRITE:
        expect(monkeypatch, dataset)
    write_1m(home / "raw" / "ml-1m")
    return home


def left(home):
    """What lies where prepared data go."""
    return entries(home / "runs" / "prepared")


def random_frame(rows=200, seed=0):
    rng = np.random.default_rng(seed)
    return pl.DataFrame({name: rng.integers(0, n, rows).astype(str) for name, n in {"a": 30, "b": 2, "c": 111}.items()})


def encoded(frame, parts=1):
    """Ids and values of a frame that comes in so many blocks."""
    labels = pl.ones(len(frame), pl.UInt8, eager=True)
    cuts = [len(frame) * n // parts for n in range(parts + 1)]
    counted = count_values(lambda _: [(frame[a:b], labels[a:b]) for a, b in pairwise(cuts)])
    assert (counted.rows, counted.positives) == (len(frame), len(frame))
    return encode(frame, counted.values), {name: known["value"].to_list() for name, known in counted.values.items()}


def naive_encode(frame):
    """Ids by a dictionary a column: the rows, and the values in the order of their ids."""
    rows, values, offset = [[] for _ in range(len(frame))], {}, 0
    for name in frame.columns:
        ids = {}
        for value in sorted(set(frame[name].to_list())):
            ids[value] = offset + len(ids)
        for row, value in zip(rows, frame[name].to_list(), strict=True):
            row.append(ids[value])
        values[name], offset = list(ids), offset + len(ids)
    return rows, values


@pytest.mark.parametrize("seed", range(3))
def test_encode_equals_a_naive_dictionary(seed):
    frame = random_frame(seed=seed)
    ids, values = encoded(frame, parts=seed + 1)
    rows, known = naive_encode(frame)
    assert ids.tolist() == rows
    assert values == known


def test_encode_small_example():
    ids, values = encoded(pl.DataFrame({"a": ["9", "10", "9"], "b": ["y", "y", "x"]}))
    assert ids.tolist() == [[1, 3], [0, 3], [1, 2]]
    assert values == {"a": ["10", "9"], "b": ["x", "y"]}


def test_encoded_ids_are_int32_and_contiguous_per_field():
    ids, values = encoded(random_frame())
    assert ids.dtype == np.int32
    offset = 0
    for column, known in zip(ids.T, values.values(), strict=True):
        assert np.unique(column).tolist() == list(range(offset, offset + len(known)))
        assert known == sorted(known)
        offset += len(known)


def test_encode_does_not_depend_on_the_order_of_the_rows():
    frame = random_frame()
    ids, values = encoded(frame)
    again, same = encoded(frame.reverse())
    assert np.array_equal(again[::-1], ids)
    assert same == values


@pytest.mark.parametrize("n", [10, 99, 1000, 1007])
def test_split_is_disjoint_and_whole(n):
    rows = split_rows(n, 0)
    assert tuple(rows) == PARTS
    assert sorted(np.concatenate(list(rows.values()))) == list(range(n))


@pytest.mark.parametrize(("n", "train", "tenth"), [(10, 8, 1), (1000, 800, 100), (1007, 807, 100)])
def test_split_is_8_1_1(n, train, tenth):
    assert [len(split_rows(n, 0)[part]) for part in PARTS] == [train, tenth, tenth]


def test_split_keeps_the_order_of_the_rows():
    for rows in split_rows(1000, 0).values():
        assert (np.diff(rows) > 0).all()


def test_split_by_hand():
    """Committed results lie on this very split."""
    assert split_rows(20, 0)["valid"].tolist() == [4, 19]
    assert split_rows(20, 0)["test"].tolist() == [2, 6]


def test_split_depends_on_its_seed_only():
    first, other = split_rows(1000, 0), split_rows(1000, 1)
    np.random.seed(7)  # noqa: NPY002
    again = split_rows(1000, 0)
    for part in PARTS:
        assert np.array_equal(first[part], again[part])
        assert not np.array_equal(first[part], other[part])


@pytest.fixture
def schema():
    counts = torch.tensor([5, 1, 2, 9, 9, 4, 3, 0])
    return Schema("toy", ("a", "b", "c"), (3, 2, 3), counts, threshold=4, fingerprint="")


def test_schema_offsets_and_fields_equal_naive_loops(schema):
    offsets, field_of = [], []
    for m, size in enumerate(schema.sizes):
        offsets.append(len(field_of))
        field_of += [m] * size
    assert list(schema.offsets) == offsets
    assert schema.field_of.tolist() == field_of
    assert schema.field_of.dtype == torch.int64
    assert schema.num_features == len(field_of)


def test_schema_low_equals_a_naive_loop(schema):
    low, low_sizes = [], {}
    for feature, count in enumerate(schema.counts.tolist()):
        low.append(count < schema.threshold)
        if low[-1]:
            name = schema.fields[schema.field_of[feature]]
            low_sizes[name] = low_sizes.get(name, 0) + 1
    assert schema.low.tolist() == low
    assert schema.low_sizes == low_sizes == {"a": 2, "c": 2}
    assert schema.low_fields == ("a", "c")


def test_count_at_the_threshold_is_not_low(schema):
    assert schema.counts[5] == schema.threshold
    assert not schema.low[5]


def test_prepared_files_are_whole_and_alone(tiny):
    folder = prepare("ml-1m")
    assert folder == tiny / "runs" / "prepared" / "ml-1m"
    assert left(tiny) == ["ml-1m"]
    assert entries(folder) == ["features.parquet", "ids.npy", "labels.npy", "manifest.json"]


@pytest.mark.usefixtures("tiny")
def test_vocabulary_translates_ids_back_to_the_raw_rows():
    ids = np.load(prepare("ml-1m") / "ids.npy")
    values = [value for known in vocabulary("ml-1m").values() for value in known]
    assert [tuple(values[i] for i in row) for row in ids] == prepared.raw_table("ml-1m").select(FIELDS).rows()


@pytest.mark.usefixtures("tiny")
def test_positive_means_more_than_three_stars():
    labels = np.load(prepare("ml-1m") / "labels.npy")
    stars = [int(line.split("::")[2]) for line in ML_1M["ratings.dat"]]
    assert labels.tolist() == [int(star > 3) for star in stars]
    assert 3 in stars


@pytest.mark.usefixtures("tiny")
def test_counts_are_those_of_the_whole_data():
    ids = np.load(prepare("ml-1m") / "ids.npy").ravel().tolist()
    schema = load_schema("ml-1m", 2)
    assert schema.counts.tolist() == [ids.count(feature) for feature in range(schema.num_features)]
    assert schema.counts.dtype == torch.int64
    assert schema.fields == FIELDS
    assert schema.threshold == 2


@pytest.mark.usefixtures("tiny")
def test_samples_are_the_rows_of_the_split(monkeypatch):
    rows = {"train": np.array([0, 4]), "valid": np.array([2, 3]), "test": np.array([1, 5])}
    monkeypatch.setattr(prepared, "split_rows", lambda n, seed: rows if (n, seed) == (6, 3) else None)
    ids, labels = (np.load(prepare("ml-1m") / f"{name}.npy") for name in ("ids", "labels"))
    for part in PARTS:
        samples = load_samples("ml-1m", part, split_seed=3)
        assert samples.ids.tolist() == ids[rows[part]].tolist()
        assert samples.labels.tolist() == labels[rows[part]].tolist()
        assert len(samples) == len(rows[part])
        assert (samples.ids.dtype, samples.labels.dtype) == (torch.int32, torch.float32)


def test_rows_of_one_label_alone_are_refused():
    for positives in (0, 5):
        with pytest.raises(DataError, match=f"x: expected rows of both labels, found {positives} of 5 positive"):
            prepared._check_labels("x", positives, 5)
    prepared._check_labels("x", 4, 5)


@pytest.mark.usefixtures("tiny")
def test_part_without_positive_rows_is_refused(monkeypatch):
    monkeypatch.setattr(prepared, "split_rows", lambda *_: {"valid": np.array([1, 3]), "test": np.array([], int)})
    for part, rows in (("valid", 2), ("test", 0)):
        with pytest.raises(DataError, match=f"ml-1m, {part}: expected rows of both labels, found 0 of {rows} positive"):
            load_samples("ml-1m", part)


@pytest.mark.usefixtures("tiny")
def test_preparing_twice_reads_the_raw_data_once(monkeypatch):
    prepare("ml-1m")
    monkeypatch.setitem(SOURCES, "ml-1m", Source(files=lambda: pytest.fail("read the raw data again"), read=list))
    prepare("ml-1m")


def test_preparing_anew_gives_the_same_bytes(tiny, monkeypatch):
    first = {path.name: path.read_bytes() for path in prepare("ml-1m").iterdir()}
    monkeypatch.setenv("AUTODPQ_RUNS", str(tiny / "other"))
    assert {path.name: path.read_bytes() for path in prepare("ml-1m").iterdir()} == first


@pytest.mark.parametrize("text", ["", "{}", '{"format"', "5", "[]", "[[1]]"])
def test_a_manifest_that_was_cut_is_prepared_again(tiny, text):
    """As a loss of power may leave it."""
    manifest = prepare("ml-1m") / prepared.MANIFEST
    whole = manifest.read_text()
    manifest.write_text(text)
    prepare("ml-1m")
    assert manifest.read_text() == whole


@pytest.mark.parametrize("key", ["format", "sizes", "fingerprint", "raw_sha256"])
def test_a_manifest_without_a_key_is_prepared_again(tiny, key):
    manifest = prepare("ml-1m") / prepared.MANIFEST
    whole = manifest.read_text()
    manifest.write_text(whole.replace(f'"{key}"', f'"{key[1:]}"'))
    prepare("ml-1m")
    assert manifest.read_text() == whole


@pytest.mark.parametrize("name", ["features.parquet", "ids.npy", "labels.npy"])
@pytest.mark.parametrize("left", [0, 9, -1])
def test_prepared_files_that_were_cut_are_named(tiny, name, left):
    folder = prepare("ml-1m")
    (folder / name).write_bytes((folder / name).read_bytes()[:left])
    read = partial(load_schema, "ml-1m", 1) if name == "features.parquet" else partial(load_samples, "ml-1m", "train")
    with pytest.raises(DataError) as caught:
        read()
    said = one_line(caught.value)
    assert said.startswith(f"{folder / name}: expected prepared data, found a damaged file: ")
    assert said.endswith(f"; remove the folder {folder}, and it is made again")
    shutil.rmtree(folder)
    read()


def test_files_that_change_while_they_are_read_are_refused(tiny, monkeypatch):
    """Ids of the second pass would be those of other values, or of none."""
    count = prepared.count_values

    def counted(blocks):
        found = count(blocks)
        path = tiny / "raw" / "ml-1m" / "users.dat"
        path.write_bytes(path.read_bytes() + b"\n")
        return found

    monkeypatch.setattr(prepared, "count_values", counted)
    monkeypatch.setattr(prepared, "write_ids", lambda *_: "0" * 64)
    with pytest.raises(DataError, match="ml-1m: expected files that stay as they are while they are read"):
        prepare("ml-1m")
    assert left(tiny) == []


def test_who_waits_for_another_process_finds_the_data_made(tiny, monkeypatch):
    (tiny / "runs" / "prepared").mkdir(parents=True)
    made, calls = prepared._prepare, []
    monkeypatch.setattr(prepared, "_prepare", lambda *given: (calls.append(given), made(*given)))
    with ThreadPoolExecutor(2) as both:
        folders = list(both.map(prepare, ["ml-1m"] * 2))
    assert folders == [tiny / "runs" / "prepared" / "ml-1m"] * 2
    assert len(calls) == 1
    assert left(tiny) == ["ml-1m"]


def test_another_format_is_prepared_again(tiny):
    manifest = prepare("ml-1m") / "manifest.json"
    fresh = json.loads(manifest.read_text())
    manifest.write_text(json.dumps(fresh | {"format": prepared.FORMAT - 1}))
    assert json.loads((prepare("ml-1m") / "manifest.json").read_text()) == fresh
    assert left(tiny) == ["ml-1m"]


def test_manifest_names_the_raw_files_by_checksum(tiny):
    manifest = json.loads((prepare("ml-1m") / "manifest.json").read_text())
    raw = tiny / "raw" / "ml-1m"
    assert manifest["raw_sha256"] == {
        name: hashlib.sha256((raw / name).read_bytes()).hexdigest() for name in FILES["ml-1m"]
    }


def test_fingerprint_changes_with_one_label(tiny, monkeypatch):
    first = load_schema("ml-1m", 1).fingerprint
    ratings = tiny / "raw" / "ml-1m" / "ratings.dat"
    ratings.write_bytes(ratings.read_bytes().replace(b"1::2::3::901", b"1::2::4::901"))
    monkeypatch.setenv("AUTODPQ_RUNS", str(tiny / "other"))
    assert load_schema("ml-1m", 1).fingerprint != first


@pytest.mark.usefixtures("tiny")
def test_known_fingerprint_is_the_published_one_or_the_prepared_one(monkeypatch):
    assert prepared.known_fingerprint("ml-1m") is None
    here = load_schema("ml-1m", 1).fingerprint
    assert prepared.known_fingerprint("ml-1m") == here
    expect(monkeypatch, "ml-1m", fingerprint="published")
    assert prepared.known_fingerprint("ml-1m") == "published"


def error_of_prepare(dataset, home):
    """The one-line message of a preparation that fails, which must leave nothing behind."""
    with pytest.raises(DataError) as caught:
        prepare(dataset)
    assert left(home) == []
    return one_line(caught.value)


@pytest.mark.parametrize("what", BROKEN)
def test_bad_input_leaves_nothing_prepared(tiny, what):
    dataset, spoil, says = BROKEN[what]
    folder = tiny / "raw" / dataset
    if not folder.exists():
        WRITE[dataset](folder)
    spoil(folder)
    message = error_of_prepare(dataset, tiny)
    assert str(folder) in message
    if not what.startswith("missing"):
        assert all(part in message for part in says)


@pytest.mark.parametrize(("dataset", "rows", "found"), [("ml-1m", 1_000_209, 6), ("ml-100k", 100_000, 2)])
def test_whole_folder_of_other_data_is_refused(home, dataset, rows, found):
    WRITE[dataset](home / "raw" / dataset)
    assert error_of_prepare(dataset, home) == f"{dataset}: expected rows {rows}, found {found}"


@pytest.mark.parametrize("key", ["positives", "sizes"])
def test_folder_with_the_right_rows_but_other_content_is_refused(tiny, monkeypatch, key):
    expect(monkeypatch, "ml-1m", rows=6, **{key: "another"})
    assert error_of_prepare("ml-1m", tiny).startswith(f"ml-1m: expected {key} another, found ")


def test_data_with_another_fingerprint_are_refused(tiny, monkeypatch):
    here = load_schema("ml-1m", 1).fingerprint
    monkeypatch.setenv("AUTODPQ_RUNS", str(tiny / "other"))
    expect(monkeypatch, "ml-1m", fingerprint="f00")
    with pytest.raises(DataError) as caught:
        prepare("ml-1m")
    assert one_line(caught.value) == f"ml-1m: expected prepared data with sha256 f00, found {here}"
    assert entries(tiny / "other" / "prepared") == []


def full(*args, **kwargs):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    ("where", "write"), [(Path, "write_text"), (pl.DataFrame, "write_parquet"), (np.lib.format, "open_memmap")]
)
def test_full_disk_names_the_folder_and_leaves_nothing(tiny, monkeypatch, where, write):
    monkeypatch.setattr(where, write, full)
    with pytest.raises(OSError, match="no space left on disk") as caught:
        prepare("ml-1m")
    assert one_line(caught.value).endswith(f"while writing {tiny / 'runs' / 'prepared' / 'ml-1m'}")
    assert left(tiny) == []


def test_disk_that_is_too_small_is_refused_before_anything_is_written(tiny, monkeypatch):
    monkeypatch.setattr(prepared.shutil, "disk_usage", lambda _: SimpleNamespace(free=100))
    monkeypatch.setattr(prepared, "write_ids", lambda *_: pytest.fail("began to write"))
    assert "expected 934 bytes of free disk, found 100" in error_of_prepare("ml-1m", tiny)


def prepare_real(dataset, tmp_path_factory):
    """Prepare a real data set in a folder of its own: the folder and the seconds it took; skip where it is absent."""
    roots = data_roots()
    if not any((root / dataset / name).exists() for root in roots for name in FILES[dataset][:1]):
        pytest.skip(f"{dataset} is in none of {', '.join(map(str, roots))}; name its parent folder in AUTODPQ_DATA")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTODPQ_RUNS", str(tmp_path_factory.mktemp("runs")))
        start = time.perf_counter()
        return prepare(dataset), time.perf_counter() - start


@pytest.fixture(scope="module")
def prepared_1m(tmp_path_factory):
    return prepare_real("ml-1m", tmp_path_factory)


@pytest.fixture
def real_1m(prepared_1m, monkeypatch):
    """Folder of the real data, prepared."""
    monkeypatch.setenv("AUTODPQ_RUNS", str(prepared_1m[0].parent.parent))
    return prepared_1m[0]


def test_real_1m_is_prepared_in_20_seconds(prepared_1m):
    assert prepared_1m[1] < 20


def test_real_1m_has_the_rows_and_features_of_the_paper(real_1m):
    schema = load_schema("ml-1m", 40)
    assert len(np.load(real_1m / "labels.npy")) == 1_000_209
    assert np.load(real_1m / "ids.npy").shape == (1_000_209, 8)
    assert schema.num_features == 13_560


@pytest.mark.usefixtures("real_1m")
def test_real_1m_field_sizes():
    schema = load_schema("ml-1m", 40)
    assert dict(zip(schema.fields, schema.sizes, strict=True)) == {
        "movie": 3706, "genre": 301, "year": 81, "user": 6040, "occupation": 21, "age": 7, "gender": 2, "zip": 3402,
    }  # fmt: skip


@pytest.mark.usefixtures("real_1m")
def test_real_1m_low_frequency_features_per_field():
    low_sizes = load_schema("ml-1m", 40).low_sizes
    assert low_sizes == {"movie": 1033, "user": 1303, "zip": 505, "genre": 6, "year": 3}


def test_real_1m_low_frequency_features_touch_one_sample_in_twenty(real_1m):
    low = load_schema("ml-1m", 40).low.numpy()
    assert low[np.load(real_1m / "ids.npy")].any(axis=1).mean() == pytest.approx(0.052, abs=5e-4)


def test_real_1m_positive_rate_and_constant_predictor(real_1m):
    labels = np.load(real_1m / "labels.npy")
    assert labels.mean() == pytest.approx(0.5752, abs=5e-5)
    assert constant_logloss(labels) == pytest.approx(0.6818, abs=5e-5)


@pytest.mark.usefixtures("real_1m")
def test_real_1m_fingerprint_is_the_published_one():
    assert load_schema("ml-1m", 40).fingerprint == SOURCES["ml-1m"].fingerprint


@pytest.mark.usefixtures("real_1m")
def test_real_1m_split_sizes():
    assert [len(load_samples("ml-1m", part)) for part in PARTS] == [800_169, 100_020, 100_020]


def test_real_100k_is_prepared(tmp_path_factory):
    folder, _ = prepare_real("ml-100k", tmp_path_factory)
    labels = np.load(folder / "labels.npy")
    assert (len(labels), int(labels.sum())) == (100_000, 55_375)


def test_room_is_taken_before_anything_is_written_into_the_map(tiny, monkeypatch):
    """A map of a file for which the disk has no room ends the process without a word."""
    asked = []
    monkeypatch.setattr(os, "posix_fallocate", lambda _, start, length: asked.append(length))
    folder = prepare("ml-1m")
    assert asked == [(folder / name).stat().st_size for name in ("ids.npy", "labels.npy")]
