"""Avazu's train file: every form it comes in, every way it can be wrong, and preparation block by block."""

import gzip
import signal
import subprocess
import sys
import zipfile

import numpy as np
import polars as pl
import pytest
from tiny_movielens import entries, expect, isolate, one_line

from autodpq_data import avazu
from autodpq_data.avazu import FIELDS, HEADER, read_avazu
from autodpq_data.errors import DataError
from autodpq_data.prepared import load_samples, load_schema, prepare, raw_table, vocabulary
from benchmarks import standin


def rows(n=40):
    """Rows of a train file, with few values a field; hours ascend."""
    rng = np.random.default_rng(1)
    lines = []
    for number in range(n):
        values = [f"{int(value):08x}" for value in rng.integers(0, 9, len(FIELDS) - 1) ** 3]
        lines.append([str(10**19 + number), str(int(rng.random() < 0.3)), avazu.HOURS[number * 239 // n], *values])
    return lines


def text(lines, header=HEADER, end="\n"):
    return (end.join(",".join(line) for line in [header, *lines]) + end).encode()


def read(path):
    return pl.concat(read_avazu([path]))


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(avazu, "BLOCK_BYTES", 500)


def forms(folder, raw):
    """The same file as csv, csv with Windows line ends, gzip, and the zip around either."""
    for name in ("plain", "windows", "gzip", "zip", "gzip in zip"):
        (folder / name).mkdir()
    (folder / "plain" / "train.csv").write_bytes(raw)
    (folder / "windows" / "train.csv").write_bytes(raw.replace(b"\n", b"\r\n"))
    (folder / "gzip" / "train.gz").write_bytes(gzip.compress(raw))
    for name, member, content in (("zip", "train.csv", raw), ("gzip in zip", "train.gz", gzip.compress(raw))):
        with zipfile.ZipFile(folder / name / "avazu-ctr-prediction.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("sampleSubmission.gz", b"x")
            archive.writestr(member, content)
    return sorted(path for path in folder.glob("*/*"))


@pytest.mark.usefixtures("small_blocks")
def test_all_forms_give_the_same_rows_in_several_blocks(tmp_path):
    lines = rows()
    paths = forms(tmp_path, text(lines))
    assert len(paths) == 5
    assert len(list(read_avazu(paths[:1]))) > 5
    for path in paths:
        frame = read(path)
        assert frame.columns == [*FIELDS, "label"]
        assert frame.drop("label").rows() == [tuple(line[2:]) for line in lines]
        assert frame["label"].to_list() == [int(line[1]) for line in lines]


@pytest.mark.usefixtures("small_blocks")
def test_content_decides_and_not_the_name(tmp_path):
    lines = rows()
    plain = {
        "train.gz": text(lines),
        "train.csv": gzip.compress(text(lines)),
        "train.zip": b"\xef\xbb\xbf" + text(lines),
    }
    for name, raw in plain.items():
        (tmp_path / name).write_bytes(raw)
        assert read(tmp_path / name).drop("label").rows() == [tuple(line[2:]) for line in lines]


@pytest.mark.parametrize(
    "raw", [bytes(range(256)), b"\x1f\x8b" * 40, b"PK" * 40, text(rows()).decode().encode("utf-16")]
)
def test_binary_content_is_one_line_that_can_be_printed(tmp_path, raw):
    path = tmp_path / "train.csv"
    path.write_bytes(raw)
    with pytest.raises(DataError, match=r"expected .*, found") as caught:
        read(path)
    assert one_line(caught.value).isprintable()


def test_a_last_line_without_its_end_is_read(tmp_path):
    path = tmp_path / "train.csv"
    for n in (40, 1):
        path.write_bytes(text(rows()[:n])[:-1])
        assert len(read(path)) == n


def changed(line, column, value):
    def change(lines):
        lines[line][column] = value

    return change


def cut(lines):
    lines[6].pop()


def longer(lines):
    lines[6].append("x")


def blank(lines):
    lines[6][:] = [""]


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (cut, "line 8: expected 24 columns, found 23"),
        (longer, "line 8: expected 24 columns, found 25"),
        (blank, "line 8: expected 24 columns, found 1"),
        (changed(20, 1, "2"), "line 22: expected click 0 or 1, found '2'"),
        (changed(20, 2, "14103124"), "line 22: expected an hour of 14102100 to 14103023, found '14103124'"),
        (changed(20, 2, "14102124"), "line 22: expected an hour of 14102100 to 14103023, found '14102124'"),
        (changed(39, 9, ""), "line 41: expected a value for app_domain, found none"),
    ],
)
def test_bad_line_is_named(tmp_path, change, says):
    lines, path = rows(), tmp_path / "train.csv"
    change(lines)
    path.write_bytes(text(lines))
    with pytest.raises(DataError) as caught:
        read(path)
    assert one_line(caught.value) == f"{path}, {says}"


def test_test_csv_and_reordered_or_missing_headers_are_refused(tmp_path):
    path = tmp_path / "train.csv"
    without_click = [name for name in HEADER if name != "click"]
    for header, hint in ((without_click, True), (HEADER[::-1], False), (rows()[0], False)):
        path.write_bytes(text(rows(), header))
        with pytest.raises(DataError, match=r"line 1: expected the header id,click,hour,C1,.*, found ") as caught:
            read(path)
        assert one_line(caught.value).endswith("; test.csv has no click") == hint


def test_header_alone_is_refused(tmp_path):
    path = tmp_path / "train.csv"
    path.write_bytes(text([]))
    with pytest.raises(DataError, match="expected rows after the header, found none"):
        read(path)


def test_other_encoding_is_refused(tmp_path):
    lines, path = rows(), tmp_path / "train.csv"
    lines[3][5] = "é"
    path.write_bytes(text(lines).decode().encode("latin-1"))
    with pytest.raises(DataError, match="expected utf-8 text, found another encoding"):
        read(path)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize(
    "name", ["gzip/train.gz", "zip/avazu-ctr-prediction.zip", "gzip in zip/avazu-ctr-prediction.zip"]
)
@pytest.mark.parametrize("keep", [0.3, 0.9])
def test_truncated_archive_is_named(tmp_path, name, keep):
    forms(tmp_path, text(rows(400)))
    path = tmp_path / name
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])
    with pytest.raises(DataError, match="expected an intact archive, found") as caught:
        read(path)
    assert str(path) in one_line(caught.value)


def test_zip_without_train_is_refused(tmp_path):
    path = tmp_path / "train.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("test.gz", b"")
    with pytest.raises(DataError, match=r"expected train.csv or train.gz inside, found test.gz"):
        read(path)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A tiny file placed by hand that counts as the sample."""
    expect(monkeypatch, "avazu-sample")
    home = isolate(tmp_path, monkeypatch)
    (home / "raw" / "avazu").mkdir(parents=True)
    (home / "raw" / "avazu" / "train.csv").write_bytes(text(rows()))
    return home


@pytest.mark.usefixtures("small_blocks", "home")
def test_prepared_in_blocks_translates_back_to_the_raw_rows():
    ids = np.load(prepare("avazu-sample") / "ids.npy")
    values = [value for known in vocabulary("avazu-sample").values() for value in known]
    assert [[values[i] for i in row] for row in ids] == [line[2:] for line in rows()]
    assert raw_table("avazu-sample").drop("label").rows() == [tuple(line[2:]) for line in rows()]
    counts = load_schema("avazu-sample", 7).counts
    assert counts.tolist() == np.bincount(ids.ravel()).tolist()


@pytest.mark.usefixtures("home")
def test_blocks_do_not_change_what_is_prepared(monkeypatch, tmp_path):
    whole = {path.name: path.read_bytes() for path in prepare("avazu-sample").iterdir()}
    monkeypatch.setattr(avazu, "BLOCK_BYTES", 300)
    monkeypatch.setattr("autodpq_data.encoding.PENDING", 5)
    monkeypatch.setenv("AUTODPQ_RUNS", str(tmp_path / "other"))
    assert {path.name: path.read_bytes() for path in prepare("avazu-sample").iterdir()} == whole


def test_the_sample_does_not_count_as_the_real_file(home, monkeypatch):
    expect(monkeypatch, "avazu", rows=40_428_967)
    with pytest.raises(DataError) as caught:
        prepare("avazu")
    assert one_line(caught.value) == "avazu: expected rows 40428967, found 40"
    assert entries(home / "runs" / "prepared") == []


@pytest.mark.usefixtures("small_blocks")
def test_bad_line_leaves_nothing_prepared(home):
    path = home / "raw" / "avazu" / "train.csv"
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DataError, match="line 41: expected 24 columns"):
        prepare("avazu-sample")
    assert entries(home / "runs" / "prepared") == []


def test_killed_preparation_leaves_nothing_that_looks_finished(home):
    dies = (
        "import os, signal\nfrom autodpq_data import encoding, prepared\n"
        "encoding.encode = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\nprepared._check_content = print\n"
        "prepared.prepare('avazu-sample')"
    )
    done = subprocess.run([sys.executable, "-c", dies], check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL
    left = entries(home / "runs" / "prepared")
    assert [name.split("~")[0] for name in left] == [".avazu-sample.lock", ".avazu-sample"]
    assert len(load_samples("avazu-sample", "train")) == 32


def test_missing_file_says_where_to_place_it(home):
    with pytest.raises(DataError) as caught:
        prepare("avazu-standin")
    message = one_line(caught.value)
    assert message.startswith("avazu-standin: expected avazu-standin/train.csv or avazu-standin/train.gz or ")
    assert f"in {home / 'raw'} or {home / 'project' / 'data'}, found no such file" in message


@pytest.mark.usefixtures("home")
def test_samples_are_mapped_and_a_batch_alone_is_copied():
    samples = load_samples("avazu-sample", "train")
    again = load_samples("avazu-sample", "valid")
    assert len(samples.all_ids) == len(again.all_ids) == 40
    ids, labels = samples.take(samples.rows.new_tensor([3, 1]).long())
    whole = np.load(prepare("avazu-sample") / "ids.npy")
    assert ids.tolist() == whole[samples.rows[[3, 1]]].tolist()
    assert labels.tolist() == samples.labels[[3, 1]].tolist()


SIZES = {
    "hour": 240, "C1": 7, "banner_pos": 7, "site_id": 4737, "site_domain": 7745, "site_category": 26, "app_id": 8552,
    "app_domain": 559, "app_category": 36, "device_id": 2_686_408, "device_ip": 6_729_486, "device_model": 8251,
    "device_type": 5, "device_conn_type": 4, "C14": 2626, "C15": 8, "C16": 9, "C17": 435, "C18": 4, "C19": 68,
    "C20": 172, "C21": 60,
}  # fmt: skip


def test_stand_in_has_the_sizes_rows_and_tails_of_the_real_file():
    counts = {name: standin.value_counts(name) for name in FIELDS}
    assert {name: len(found) for name, found in counts.items()} == SIZES == avazu.SIZES
    assert sum(SIZES.values()) == 9_449_445
    assert all(found.sum() == standin.ROWS and found.min() >= 1 for found in counts.values())
    assert 1_000_000 <= sum(int((found >= 7).sum()) for found in counts.values()) <= 1_060_000
    assert sum((found < 7).any() for found in counts.values()) == 13
    assert int((counts["device_ip"] >= 2).sum()) == pytest.approx(3_403_716, rel=1e-3)
    assert counts["device_id"][0] / standin.ROWS == pytest.approx(0.825, abs=0.01)


def test_stand_in_is_read_as_the_real_file_is(tmp_path, monkeypatch):
    home = isolate(tmp_path, monkeypatch)
    standin.write_standin(home / "raw" / "avazu-standin" / "train.csv", 3000, 1)
    assert entries(home / "raw" / "avazu-standin") == ["train.csv"]
    frame = raw_table("avazu-standin")
    assert len(frame) == 3000
    assert frame["label"].mean() == pytest.approx(0.17, abs=0.02)
    assert frame["hour"].is_sorted()
    assert frame["device_id"].value_counts()["count"].max() / 3000 == pytest.approx(0.83, abs=0.03)
    assert all(frame["device_ip"].str.len_chars() == 8)


def test_stand_in_names_each_value_apart():
    for name in ("device_id", "site_id", "C14", "hour"):
        ranks = np.random.default_rng(2).permutation(SIZES[name])[:100_000].astype(np.int32)
        names = standin.value_names(name, ranks)
        assert names.n_unique() == len(names) == len(ranks)
        assert names[:3].to_list() == standin.value_names(name, ranks[:3]).to_list()


def test_stand_in_clicks_follow_the_planted_model():
    ranks = np.zeros((len(FIELDS), 20_000), np.int32)
    clicks = standin.draw(ranks, 3)
    rates = [clicks[ranks[FIELDS.index("site_id")] == value].mean() for value in range(3)]
    assert clicks.mean() == pytest.approx(0.17, abs=0.01)
    assert max(rates) - min(rates) > 0.02


def test_an_empty_last_column_is_named_with_windows_line_ends_too(tmp_path):
    lines = rows()
    lines[2][-1] = ""
    path = tmp_path / "train.csv"
    path.write_bytes(text(lines, end="\r\n"))
    with pytest.raises(DataError, match="line 4: expected a value for C21, found none"):
        read(path)


def test_a_line_without_end_is_refused_and_not_read_to_its_end(tmp_path, monkeypatch):
    """A few kilobytes of an archive may hold gigabytes without a line break."""
    monkeypatch.setattr(avazu, "BLOCK_BYTES", 500)
    monkeypatch.setattr(avazu, "LONGEST", 1000)
    path = tmp_path / "train.gz"
    path.write_bytes(gzip.compress(text(rows(3)) + b"1" * 10**6))
    with pytest.raises(DataError, match="line 5: expected 24 columns, found 1"):
        read(path)
    path.write_bytes(gzip.compress(b"1" * 10**6))
    with pytest.raises(DataError, match="line 1: expected the header"):
        read(path)


def test_a_damaged_lzma_archive_is_named(tmp_path):
    path = tmp_path / "train.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("train.csv", text(rows(400)))
    raw = bytearray(path.read_bytes())
    raw[200:260] = bytes(60)
    path.write_bytes(raw)
    with pytest.raises(DataError, match="expected an intact archive"):
        read(path)
