"""Find the raw files of MovieLens: placed by hand, else downloaded with a checksum."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pooch
import requests

from autodpq_data.errors import DataError
from autodpq_data.movielens import FILES
from autodpq_system.atomic import atomic_path
from autodpq_system.paths import ROOT, data_roots

ML_1M_URL = "https://files.grouplens.org/datasets/movielens/ml-1m.zip"
ML_1M_MD5 = "c4d9eecfca2ab87c1945afe126590906"
#: RecBole's wheel carries MovieLens-100K, so the demo needs nothing but the package index.
RECBOLE = ("recbole", "1.2.1")
RECBOLE_SHA256 = "9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407"
CONNECT_SECONDS, READ_SECONDS = 5, 60


def locate(dataset: str) -> Path:
    """Folder with the raw files of ``ml-1m`` or ``ml-100k``, fetched into ``data/`` when no folder has them.

    Raises:
        DataError: nothing was found and nothing could be fetched; the message lists what was tried.
    """
    tried = []
    for root in data_roots():
        folder = root / dataset
        missing = [name for name in FILES[dataset] if not (folder / name).exists()]
        if not missing:
            return folder
        if folder.exists():
            raise DataError(f"{folder}: expected {', '.join(FILES[dataset])}, found no {missing[0]}")
        tried.append(f"folder {folder}: not there")
    folder = ROOT / "data" / dataset
    try:
        _FETCH[dataset](folder)
    except (DataError, requests.RequestException, OSError, ValueError, subprocess.SubprocessError) as error:
        tried.append(f"download: {_one_line(error).rstrip('.')}")
        raise DataError(
            f"{dataset}: not found. Tried: {'; '.join(tried)}. "
            f"Place {', '.join(FILES[dataset])} in {folder} by hand, or name a folder that holds "
            f"{dataset}/ in AUTODPQ_DATA."
        ) from error
    return folder


def _fetch_ml_1m(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        archive = pooch.retrieve(
            ML_1M_URL,
            known_hash=f"md5:{ML_1M_MD5}",
            path=scratch,
            fname="ml-1m.zip",
            downloader=pooch.HTTPDownloader(timeout=(CONNECT_SECONDS, READ_SECONDS)),
        )
        unpack(Path(archive), "ml-1m/", FILES["ml-1m"], folder)


def _fetch_ml_100k(folder: Path) -> None:
    name, version = RECBOLE
    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--retries=1", "--no-deps", "-d", scratch]
        done = subprocess.run([*command, f"{name}=={version}"], capture_output=True, text=True, check=False)
        wheels = list(Path(scratch).glob("*.whl"))
        if not wheels:
            raise DataError(f"pip could not fetch {name} {version}: {_one_line(done.stderr)}")
        found = pooch.file_hash(str(wheels[0]))
        if found != RECBOLE_SHA256:
            raise DataError(f"{wheels[0].name}: expected sha256 {RECBOLE_SHA256}, found {found}")
        unpack(wheels[0], "recbole/dataset_example/ml-100k/", FILES["ml-100k"], folder)


def unpack(archive: Path, inside: str, names: tuple[str, ...], folder: Path) -> None:
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
            raise DataError(f"{archive}: expected a zip with {inside}, found {_one_line(error)}") from error


def _one_line(error: object) -> str:
    lines = str(error).strip().splitlines()
    return lines[-1] if lines else type(error).__name__


_FETCH: dict[str, Callable[[Path], None]] = {"ml-1m": _fetch_ml_1m, "ml-100k": _fetch_ml_100k}
