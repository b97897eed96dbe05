"""Raw files -> ids int32 [rows, M], labels and counts, written once, and mapped back as a fixed 8:1:1 split."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from autodpq_data import avazu, planted
from autodpq_data.encoding import Blocks, Counted, count_values, write_ids
from autodpq_data.errors import DataError
from autodpq_data.movielens import FILES, read_movielens
from autodpq_data.planted import make_planted
from autodpq_data.samples import Samples
from autodpq_data.schema import Schema
from autodpq_data.sources import locate
from autodpq_system.atomic import atomic_path
from autodpq_system.paths import runs_root

Part = Literal["train", "valid", "test"]
#: Written into the manifest and compared when it is read: raise it when the files below change their meaning.
FORMAT = 2

#: The features in the order of their ids: field, value, count.
FEATURES = "features.parquet"
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
    "avazu": {"rows": 40_428_967, "positives": 6_865_066, "sizes": avazu.SIZES},
    "avazu-sample": {"rows": 115_409},
}  # fmt: skip
FINGERPRINTS = {
    "ml-1m": "ed0b1d70c0f37f70fb562b43bd590247cf5380e71dc7907d29468a2df440a97c",
    "ml-100k": "ed548653b404b3abcdb65883dcfcaabd46a57adff1899b416d5a593088683a16",
    "avazu-sample": "c6713e35486691b27a35bae16cb1e4ef2bcb8cf8462b64000b882859335cab58",
}


def prepare(dataset: str) -> Path:
    """Folder of the prepared data, made on the first call.

    Raises:
        DataError: the raw data are missing, malformed, or not the data set they claim to be; or the disk is too full.
    """
    folder = runs_root() / "prepared" / dataset
    if (folder / "manifest.json").exists() and _current(dataset, _manifest(folder)):
        return folder
    blocks, raw = _source(dataset)
    counted = count_values(blocks)
    _verify(dataset, {"rows": counted.rows, "positives": counted.positives, "sizes": counted.sizes})
    _check_space(folder, counted)
    with atomic_path(folder) as target:
        target.mkdir()
        _write(dataset, blocks, counted, raw(), target)
    return folder


def load_schema(dataset: str, threshold: int) -> Schema:
    """Fields, sizes and counts of a prepared data set."""
    folder = prepare(dataset)
    manifest = _manifest(folder)
    return Schema(
        dataset=dataset,
        fields=tuple(manifest["sizes"]),
        sizes=tuple(manifest["sizes"].values()),
        counts=pl.read_parquet(folder / FEATURES, columns=["count"])["count"].to_torch(),
        threshold=threshold,
        fingerprint=manifest["fingerprint"],
    )


def load_samples(dataset: str, part: Part, split_seed: int = 0) -> Samples:
    """Rows of one part of the 8:1:1 split, in the order of the raw data, mapped from disk."""
    folder = prepare(dataset)
    # "c": nothing is ever written, but torch warns of an array that forbids it.
    ids, labels = (torch.from_numpy(np.load(folder / name, mmap_mode="c")) for name in ("ids.npy", "labels.npy"))
    rows = split_rows(len(labels), split_seed)[part]
    return Samples(ids, labels, torch.from_numpy(rows.astype(np.int32)))


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
    features = pl.read_parquet(prepare(dataset) / FEATURES, columns=["field", "value"])
    fields = features.group_by("field", maintain_order=True).agg("value")
    return dict(zip(fields["field"], fields["value"].to_list(), strict=True))


def raw_table(dataset: str) -> pl.DataFrame:
    """The raw rows before encoding, all in memory: one string column a field, and ``rating`` or ``label``."""
    if dataset in FILES:
        return read_movielens(dataset, locate(dataset))
    return pl.concat(_source(dataset)[0]("reading"))


def _source(dataset: str) -> tuple[Blocks, Callable[[], dict[str, str]]]:
    """How to pass over the raw data, and what will tell the checksums of the files."""
    if dataset == "planted":
        return lambda _: [make_planted().frame], _generator
    if dataset in avazu.FOLDERS:
        path = avazu.locate(dataset)
        return partial(avazu.read_avazu, path), partial(_checksums, path)
    folder = locate(dataset)
    # Positive when rating > 3. Notebook 00 shows why the paper's sentence cannot be what ran.
    frame = read_movielens(dataset, folder).with_columns(label=pl.col("rating").cast(pl.Int8) > 3).drop("rating")
    return lambda _: [frame], partial(_checksums, *(folder / name for name in FILES[dataset]))


def _checksums(*paths: Path) -> dict[str, str]:
    found = {}
    for path in paths:
        with path.open("rb") as file:
            found[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def _current(dataset: str, manifest: dict[str, Any]) -> bool:
    """Prepared in today's format and, where the data are generated, by today's generator."""
    made_alike = dataset != "planted" or manifest["raw_sha256"] == _generator()
    return bool(manifest["format"] == FORMAT and made_alike)


def _generator() -> dict[str, str]:
    return _checksums(Path(planted.__file__))


def _check_space(folder: Path, counted: Counted) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    needed = counted.rows * (4 * len(counted.values) + 1) + 32 * sum(counted.sizes.values())
    free = shutil.disk_usage(folder.parent).free
    if free < needed:
        raise DataError(f"{folder}: expected {needed / 1e9:.2f} GB of free disk, found {free / 1e9:.2f} GB")


def _write(dataset: str, blocks: Blocks, counted: Counted, raw: dict[str, str], target: Path) -> None:
    digest = write_ids(blocks, counted, target)
    if digest != FINGERPRINTS.get(dataset, digest):
        raise DataError(f"{dataset}: expected prepared data with sha256 {FINGERPRINTS[dataset]}, found {digest}")
    counted.features().write_parquet(target / FEATURES)
    manifest = {
        "format": FORMAT,
        "rows": counted.rows,
        "sizes": counted.sizes,
        "fingerprint": digest,
        "raw_sha256": raw,
    }
    (target / "manifest.json").write_text(json.dumps(manifest, indent=1))


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
