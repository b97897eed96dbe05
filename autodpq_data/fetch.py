"""Downloads, each with a checksum and each all or nothing."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import pooch

from autodpq_data.errors import DataError, last_line
from autodpq_data.movielens import FILES
from autodpq_system.atomic import atomic_path

ML_1M_URL = "https://files.grouplens.org/datasets/movielens/ml-1m.zip"
ML_1M_MD5 = "c4d9eecfca2ab87c1945afe126590906"
#: RecBole's wheel carries MovieLens-100K, so the demo needs nothing but the package index.
RECBOLE = ("recbole", "1.2.1")
RECBOLE_SHA256 = "9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407"
CONNECT_SECONDS, READ_SECONDS = 5, 60


def fetch_ml_1m(folder: Path) -> None:
    """MovieLens-1M from its publisher."""
    with tempfile.TemporaryDirectory() as scratch:
        unpack(_download(ML_1M_URL, f"md5:{ML_1M_MD5}", Path(scratch)), "ml-1m/", FILES["ml-1m"], folder)


def fetch_ml_100k(folder: Path) -> None:
    """MovieLens-100K out of a wheel."""
    with tempfile.TemporaryDirectory() as scratch:
        wheel = fetch_package(*RECBOLE, RECBOLE_SHA256, Path(scratch))
        unpack(wheel, "recbole/dataset_example/ml-100k/", FILES["ml-100k"], folder)


def fetch_package(name: str, version: str, sha256: str, scratch: Path) -> Path:
    """A package from the index, to be read and never installed."""
    wanted = scratch / "wanted.txt"  # with its sum, which pip checks before a source package may run code of its own
    wanted.write_text(f"{name}=={version} --hash=sha256:{sha256}\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--retries=1", "--no-deps", "--require-hashes"]
    command += ["-r", str(wanted), "-d", str(scratch)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "HASHES" in done.stderr:
        raise DataError(f"{name} {version}: expected a package with sha256 {sha256}, found another")
    archives = list(scratch.glob(f"{name}-{version}*"))
    if not archives:
        raise DataError(f"pip could not fetch {name} {version}: {last_line(done.stderr or 'pip said nothing')}")
    check_sum(archives[0], sha256)
    return archives[0]


def fetch_files(url: str, sums: Mapping[str, str], folder: Path) -> None:
    """Each file below ``url`` whose sha256 is given."""
    with atomic_path(folder) as target:
        for name, sha256 in sums.items():
            _download(f"{url}/{name}", sha256, target)


def _download(url: str, known_hash: str, folder: Path) -> Path:
    loader = pooch.HTTPDownloader(timeout=(CONNECT_SECONDS, READ_SECONDS))
    name = url.rsplit("/", 1)[-1]
    return Path(pooch.retrieve(url, known_hash=known_hash, path=folder, fname=name, downloader=loader))


def check_sum(path: Path, sha256: str) -> None:
    """Refuse a file with another content.

    Raises:
        DataError: its sha256 is not the expected one.
    """
    actual = pooch.file_hash(str(path))
    if actual != sha256:
        raise DataError(f"{path.name}: expected sha256 {sha256}, found {actual}")


def unpack(archive: Path, inside: str, names: Sequence[str], folder: Path) -> None:
    """Copy ``names`` from the folder ``inside`` of a zip to ``folder``, all or nothing.

    Raises:
        DataError: the archive is corrupt or lacks a file.
    """
    with atomic_path(folder) as target:
        target.mkdir()
        try:
            with zipfile.ZipFile(archive) as zipped:
                for name in names:
                    (target / name).write_bytes(zipped.read(inside + name))
        except (zipfile.BadZipFile, zlib.error, KeyError, EOFError) as error:
            raise DataError(f"{archive}: expected a zip with {inside}, found {last_line(error)}") from error
