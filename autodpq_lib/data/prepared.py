"""Raw files -> ids int32 [rows, M], labels and counts, written once, and read back as a fixed 8:1:1 split."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import Tensor

from autodpq_lib.atomic import atomic_path
from autodpq_lib.data import planted
from autodpq_lib.data.errors import DataError
from autodpq_lib.data.movielens import FILES, read_movielens
from autodpq_lib.data.planted import make_planted
from autodpq_lib.data.schema import Schema
from autodpq_lib.data.sources import locate
from autodpq_lib.paths import runs_root

Part = Literal["train", "valid", "test"]
#: Written into the manifest and compared when it is read: raise it when the files below change their meaning.
FORMAT = 1

#: What a folder placed by hand must contain, beyond being well formed.
EXPECTED: dict[str, dict[str, object]] = {
    "ml-1m": {
        "rows": 1_000_209,
        "positives": 575_281,
        "sizes": {
            "movie": 3706, "genre": 301, "year": 81, "user": 6040,
            "occupation": 21, "age": 7, "gender": 2, "zip": 3402,
        },
    },
    "ml-100k": {"rows": 100_000, "positives": 55_375},
}  # fmt: skip
FINGERPRINTS = {
    "ml-1m": "ed0b1d70c0f37f70fb562b43bd590247cf5380e71dc7907d29468a2df440a97c",
    "ml-100k": "ed548653b404b3abcdb65883dcfcaabd46a57adff1899b416d5a593088683a16",
}


@dataclass(frozen=True)
class Samples:
    """Rows of one part of the split.

    Attributes:
        ids: int32 ``[rows, M]``, feature ids.
        labels: float32 ``[rows]``, 1 for a click or a liked film.
    """

    ids: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)


def prepare(dataset: str) -> Path:
    """Folder of the prepared data, made on the first call.

    Raises:
        DataError: the raw data are missing, malformed, or not the data set they claim to be.
    """
    folder = runs_root() / "prepared" / dataset
    if (folder / "manifest.json").exists() and _current(dataset, _manifest(folder)):
        return folder
    frame, raw = _raw_table(dataset)
    with atomic_path(folder) as target:
        target.mkdir()
        _write(dataset, frame, raw, target)
    return folder


def load_schema(dataset: str, threshold: int) -> Schema:
    """Fields, sizes and counts of a prepared data set."""
    folder = prepare(dataset)
    manifest = _manifest(folder)
    return Schema(
        dataset=dataset,
        fields=tuple(manifest["sizes"]),
        sizes=tuple(manifest["sizes"].values()),
        counts=torch.from_numpy(np.load(folder / "counts.npy")),
        threshold=threshold,
        fingerprint=manifest["fingerprint"],
    )


def load_samples(dataset: str, part: Part, split_seed: int = 0) -> Samples:
    """Rows of one part of the 8:1:1 split, in the order of the raw data."""
    folder = prepare(dataset)
    labels = np.load(folder / "labels.npy", mmap_mode="r")
    ids = np.load(folder / "ids.npy", mmap_mode="r")
    rows = split_rows(len(labels), split_seed)[part]
    return Samples(torch.from_numpy(ids[rows]), torch.from_numpy(labels[rows].astype(np.float32)))


def split_rows(n: int, split_seed: int) -> dict[Part, NDArray[np.int64]]:
    """Row numbers of train, valid and test, 8:1:1, drawn once with a seed of their own, each sorted."""
    order = np.random.default_rng(split_seed).permutation(n)
    tenth = n // 10
    return {
        "train": np.sort(order[2 * tenth :]),
        "valid": np.sort(order[:tenth]),
        "test": np.sort(order[tenth : 2 * tenth]),
    }


def vocabulary(dataset: str) -> dict[str, list[str]]:
    """Per field its raw values, in the order of their ids."""
    return dict(json.loads((prepare(dataset) / "vocabulary.json").read_text()))


def raw_table(dataset: str) -> pl.DataFrame:
    """The raw rows before encoding: one string column a field, and ``rating`` or ``label``."""
    return _raw_table(dataset)[0]


def _raw_table(dataset: str) -> tuple[pl.DataFrame, dict[str, str]]:
    if dataset == "planted":
        return make_planted().frame, _generator()
    folder = locate(dataset)
    frame = read_movielens(dataset, folder)
    raw = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in FILES[dataset]}
    return frame, raw


def _current(dataset: str, manifest: dict[str, Any]) -> bool:
    """Prepared in today's format and, where the data are generated, by today's generator."""
    made_alike = dataset != "planted" or manifest["raw_sha256"] == _generator()
    return bool(manifest["format"] == FORMAT and made_alike)


def _generator() -> dict[str, str]:
    return {"planted.py": hashlib.sha256(Path(planted.__file__).read_bytes()).hexdigest()}


def encode(frame: pl.DataFrame) -> tuple[NDArray[np.int32], dict[str, list[str]]]:
    """Number the sorted values of each column through all columns: ids int32 ``[rows, M]`` and the values."""
    columns, values, offset = [], {}, 0
    for name in frame.columns:
        known = frame[name].unique().sort()
        values[name] = known.to_list()
        codes = frame[name].cast(pl.Enum(known)).to_physical().to_numpy()
        columns.append(codes.astype(np.int32) + np.int32(offset))
        offset += len(known)
    return np.stack(columns, axis=1), values


def _write(dataset: str, frame: pl.DataFrame, raw: dict[str, str], target: Path) -> None:
    ids, values = encode(frame.drop("rating", "label", strict=False))
    labels = _labels(frame)
    sizes = {name: len(known) for name, known in values.items()}
    _verify(dataset, {"rows": len(labels), "positives": int(labels.sum()), "sizes": sizes})
    np.save(target / "ids.npy", ids)
    np.save(target / "labels.npy", labels)
    np.save(target / "counts.npy", np.bincount(ids.ravel(), minlength=sum(sizes.values())).astype(np.int64))
    (target / "vocabulary.json").write_text(json.dumps(values))
    digest = hashlib.sha256(json.dumps(sizes).encode() + ids.tobytes() + labels.tobytes()).hexdigest()
    if digest != FINGERPRINTS.get(dataset, digest):
        raise DataError(f"{dataset}: expected prepared data with sha256 {FINGERPRINTS[dataset]}, found {digest}")
    manifest = {"format": FORMAT, "rows": len(labels), "sizes": sizes, "fingerprint": digest, "raw_sha256": raw}
    (target / "manifest.json").write_text(json.dumps(manifest, indent=1))


def _labels(frame: pl.DataFrame) -> NDArray[np.uint8]:
    """MovieLens: positive when rating > 3. Notebook 00 shows why the paper's sentence cannot be what ran."""
    liked = pl.col("rating").cast(pl.Int8) > 3 if "rating" in frame.columns else pl.col("label")
    return frame.select(liked.cast(pl.UInt8)).to_series().to_numpy()


def known_fingerprint(dataset: str) -> str | None:
    """Fingerprint that records of a data set must have, where it is published with the suite or prepared here."""
    folder = runs_root() / "prepared" / dataset
    here = _manifest(folder)["fingerprint"] if (folder / "manifest.json").exists() else None
    return FINGERPRINTS.get(dataset, here)


def _verify(dataset: str, found: dict[str, object]) -> None:
    for key, expected in EXPECTED.get(dataset, {}).items():
        if found[key] != expected:
            raise DataError(f"{dataset}: expected {key} {expected}, found {found[key]}")


def _manifest(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "manifest.json").read_text()))
