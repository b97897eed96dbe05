"""Raw files are found where a person put them, or fetched whole, or an error says what to do."""

import errno
import hashlib
import subprocess
import tempfile
import time
import zipfile
from pathlib import Path

import pooch
import pytest
from local_server import closed_port, serve
from tiny_movielens import entries, isolate, one_line, write_1m, write_100k

from autodpq_data import fetch
from autodpq_data.errors import DataError
from autodpq_data.fetch import unpack
from autodpq_data.movielens import FILES
from autodpq_data.sources import locate

NAMES = FILES["ml-1m"]


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A folder of its own for raw data, project and temporary files."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    return isolate(tmp_path, monkeypatch)


@pytest.fixture
def no_fetch(monkeypatch):
    def refuse(*asked, **_):
        pytest.fail(f"tried to download {asked}")

    monkeypatch.setattr(pooch, "retrieve", refuse)
    monkeypatch.setattr(subprocess, "run", refuse)


@pytest.fixture
def server(tmp_path):
    """Address of a local server, and the folder that it serves."""

    served = tmp_path / "served"
    served.mkdir()
    with serve(served) as address:
        yield address, served


def zip_1m(archive, names=NAMES):
    """A zip of the tiny folder, like the published one."""
    folder = write_1m(archive.parent / "to-zip")
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name in names:
            zipped.write(folder / name, f"ml-1m/{name}")
    return archive


def error_of_locate(dataset, home):
    """The one-line message of a search that fails, which must leave nothing behind."""
    with pytest.raises(DataError) as caught:
        locate(dataset)
    assert entries(home / "project" / "data") == []
    assert entries(home / "tmp") == []
    return one_line(caught.value)


@pytest.mark.usefixtures("no_fetch")
def test_named_folder_comes_before_the_project(home):
    named = write_1m(home / "raw" / "ml-1m")
    write_1m(home / "project" / "data" / "ml-1m")
    assert locate("ml-1m") == named


@pytest.mark.usefixtures("no_fetch")
def test_project_folder_is_found_when_the_named_one_has_none(home):
    placed = write_100k(home / "project" / "data" / "ml-100k")
    assert locate("ml-100k") == placed


@pytest.mark.usefixtures("no_fetch")
def test_project_folder_is_found_when_none_is_named(home, monkeypatch):
    monkeypatch.delenv("AUTODPQ_DATA")
    placed = write_1m(home / "project" / "data" / "ml-1m")
    assert locate("ml-1m") == placed


@pytest.mark.parametrize("lost", NAMES)
@pytest.mark.usefixtures("no_fetch")
def test_incomplete_folder_is_an_error_and_not_a_reason_to_download(home, lost):
    folder = write_1m(home / "raw" / "ml-1m")
    (folder / lost).unlink()
    message = error_of_locate("ml-1m", home)
    assert message.startswith(f"{folder}: expected {', '.join(NAMES)}, found no {lost}")


def test_download_puts_the_files_into_the_project_once(home, server, monkeypatch):
    address, served = server
    archive = zip_1m(served / "ml-1m.zip")
    monkeypatch.setattr(fetch, "ML_1M_URL", f"{address}/ml-1m.zip")
    monkeypatch.setattr(fetch, "ML_1M_MD5", hashlib.md5(archive.read_bytes()).hexdigest())
    folder = locate("ml-1m")
    assert folder == home / "project" / "data" / "ml-1m"
    assert {name: (folder / name).read_bytes() for name in entries(folder)} == {
        name: (served / "to-zip" / name).read_bytes() for name in NAMES
    }
    assert entries(folder.parent) == ["ml-1m"]
    assert entries(home / "tmp") == []
    archive.unlink()
    assert locate("ml-1m") == folder


def test_download_with_another_checksum_is_refused(home, server, monkeypatch):
    address, served = server
    archive = zip_1m(served / "ml-1m.zip")
    monkeypatch.setattr(fetch, "ML_1M_URL", f"{address}/ml-1m.zip")
    message = error_of_locate("ml-1m", home)
    assert "ml-1m.zip" in message
    assert f"expected md5:{fetch.ML_1M_MD5}" in message
    assert ".." not in message
    assert hashlib.md5(archive.read_bytes()).hexdigest() in message


def test_address_that_serves_nothing_is_named(home, server, monkeypatch):
    monkeypatch.setattr(fetch, "ML_1M_URL", f"{server[0]}/ml-1m.zip")
    message = error_of_locate("ml-1m", home)
    assert "404" in message
    assert f"{server[0]}/ml-1m.zip" in message


def test_no_network_says_what_was_tried_and_how_to_place_the_files(home, monkeypatch):
    monkeypatch.setattr(fetch, "ML_1M_URL", f"http://127.0.0.1:{closed_port()}/ml-1m.zip")
    start = time.perf_counter()
    message = error_of_locate("ml-1m", home)
    assert time.perf_counter() - start < 10
    for tried in (home / "raw" / "ml-1m", home / "project" / "data" / "ml-1m"):
        assert f"folder {tried}: not there" in message
    assert "download: " in message
    assert f"Place {', '.join(NAMES)} in {home / 'project' / 'data' / 'ml-1m'} by hand" in message
    assert "AUTODPQ_DATA" in message


def test_full_disk_while_unpacking_a_download(home, server, monkeypatch):
    address, served = server
    archive = zip_1m(served / "ml-1m.zip")
    monkeypatch.setattr(fetch, "ML_1M_URL", f"{address}/ml-1m.zip")
    monkeypatch.setattr(fetch, "ML_1M_MD5", hashlib.md5(archive.read_bytes()).hexdigest())
    fill_disk(monkeypatch)
    message = error_of_locate("ml-1m", home)
    assert f"no space left on disk while writing {home / 'project' / 'data' / 'ml-1m'}" in message


def fill_disk(monkeypatch):
    """Let the disk be full at the second file."""
    write = Path.write_bytes

    def write_bytes(path, data):
        if path.name == NAMES[1]:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", write_bytes)


def pip_that(monkeypatch, *, puts=None, says=""):
    """Stand in for pip: it may put a wheel into its folder, and says something on stderr."""

    def run(command, **_):
        if puts is not None:
            (Path(command[command.index("-d") + 1]) / "recbole-1.2.1-py3-none-any.whl").write_bytes(puts)
        return subprocess.CompletedProcess(command, int(puts is None), "", says)

    monkeypatch.setattr(subprocess, "run", run)


def test_100k_without_a_package_index_says_so(home, monkeypatch):
    pip_that(monkeypatch, says="WARNING: Retrying\nERROR: No matching distribution found for recbole==1.2.1\n")
    message = error_of_locate("ml-100k", home)
    assert "pip could not fetch recbole 1.2.1: ERROR: No matching distribution found" in message
    assert f"Place {', '.join(FILES['ml-100k'])} in {home / 'project' / 'data' / 'ml-100k'} by hand" in message


def test_100k_wheel_with_another_checksum_is_refused(home, monkeypatch):
    pip_that(monkeypatch, puts=b"not the wheel")
    message = error_of_locate("ml-100k", home)
    found = hashlib.sha256(b"not the wheel").hexdigest()
    assert f"recbole-1.2.1-py3-none-any.whl: expected sha256 {fetch.RECBOLE_SHA256}, found {found}" in message


def test_100k_comes_out_of_the_wheel(home, monkeypatch):
    folder = write_100k(home / "wheel")
    with zipfile.ZipFile(home / "wheel.zip", "w") as zipped:
        for name in FILES["ml-100k"]:
            zipped.write(folder / name, f"recbole/dataset_example/ml-100k/{name}")
    wheel = (home / "wheel.zip").read_bytes()
    pip_that(monkeypatch, puts=wheel)
    monkeypatch.setattr(fetch, "RECBOLE_SHA256", hashlib.sha256(wheel).hexdigest())
    assert entries(locate("ml-100k")) == sorted(FILES["ml-100k"])


def damage(archive):
    """Overwrite the compressed bytes in the middle of the first file."""
    raw = bytearray(archive.read_bytes())
    start = raw.index(b"ratings.dat") + len(b"ratings.dat")
    raw[start : start + 20] = b"\xff" * 20
    archive.write_bytes(raw)


CORRUPT = {
    "garbage": lambda archive: archive.write_bytes(b"<html>this is no zip</html>"),
    "empty": lambda archive: archive.write_bytes(b""),
    "cut in half": lambda archive: archive.write_bytes(zip_1m(archive).read_bytes()[:300]),
    "damaged inside": lambda archive: damage(zip_1m(archive)),
}


def error_of_unpack(archive, folder):
    with pytest.raises(DataError) as caught:
        unpack(archive, "ml-1m/", NAMES, folder)
    assert entries(folder.parent) == []
    message = one_line(caught.value)
    assert message.startswith(f"{archive}: expected a zip with ml-1m/, found ")
    return message


@pytest.mark.parametrize("what", CORRUPT)
def test_corrupt_archive_is_named_and_leaves_nothing(tmp_path, what):
    CORRUPT[what](tmp_path / "ml-1m.zip")
    error_of_unpack(tmp_path / "ml-1m.zip", tmp_path / "data" / "ml-1m")


@pytest.mark.parametrize("lost", NAMES)
def test_archive_that_lacks_a_file_leaves_nothing(tmp_path, lost):
    archive = zip_1m(tmp_path / "ml-1m.zip", [name for name in NAMES if name != lost])
    assert f"ml-1m/{lost}" in error_of_unpack(archive, tmp_path / "data" / "ml-1m")


def test_full_disk_while_unpacking_names_the_folder_and_leaves_nothing(tmp_path, monkeypatch):
    archive, folder = zip_1m(tmp_path / "ml-1m.zip"), tmp_path / "data" / "ml-1m"
    fill_disk(monkeypatch)
    with pytest.raises(OSError, match="no space left on disk") as caught:
        unpack(archive, "ml-1m/", NAMES, folder)
    assert one_line(caught.value).endswith(f"while writing {folder}")
    assert entries(folder.parent) == []
