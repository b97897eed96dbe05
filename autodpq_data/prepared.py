"""Raw files -> ids int32 [rows, M], labels and counts, written once, and mapped back part by part."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from filelock import FileLock
from numpy.typing import NDArray

from autodpq_data.encoding import Counted, count_values, write_ids
from autodpq_data.errors import DataError, last_line
from autodpq_data.samples import Samples
from autodpq_data.schema import Schema
from autodpq_data.source import Source
from autodpq_data.sources import source_of
from autodpq_data.split import Part, Rows, Split, split_rows, stated_rows
from autodpq_system.atomic import atomic_path
from autodpq_system.load_array import load_array
from autodpq_system.paths import runs_root

#: Written into the manifest and compared when it is read: raise it when the files below change their meaning.
FORMAT = 2
#: The features in the order of their ids: field, value, count.
FEATURES = "features.parquet"
#: Where the data bring their own split: each row's part.
PARTS_FILE = "parts.npy"
MANIFEST = "manifest.json"


def prepare(dataset: str) -> Path:
    """Folder of the prepared data, made on the first call, and again once format, settings or watched files change.

    Raises:
        DataError: the raw data are missing, malformed, or not the data set they claim to be; or the disk is too full.
    """
    source, folder = source_of(dataset), _folder(dataset)
    if _is_current(source, folder):
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_name(f".{dataset}.lock")) as lock:
        try:
            if not _is_current(source, folder):  # another process may have made it in the meantime
                _prepare(dataset, source, folder)
        finally:
            # While it is held: who waits for it sees that it is gone, and makes another.
            Path(lock.lock_file).unlink(missing_ok=True)
    return folder


def _prepare(dataset: str, source: Source, folder: Path) -> None:
    files = source.files()
    before = _state(files)
    counted = count_values(partial(source.blocks, files))
    _check_content(dataset, source, counted)
    _check_disk(folder, counted)
    with atomic_path(folder) as target:
        target.mkdir()
        _write(dataset, source, files, counted, target)
        if _state(files) != before:
            raise DataError(f"{dataset}: expected files that stay as they are while they are read, found a change")


def _state(files: Sequence[Path]) -> list[tuple[int, int]]:
    """Size of each file, and when it was written last."""
    return [(path.stat().st_size, path.stat().st_mtime_ns) for path in files]


def load_schema(dataset: str, threshold: int) -> Schema:
    """Fields, sizes and counts of a prepared data set.

    Raises:
        DataError: it can't be prepared, or what was prepared is damaged.
    """
    folder = prepare(dataset)
    manifest = _manifest(folder)
    return Schema(
        dataset=dataset,
        fields=tuple(manifest["sizes"]),
        sizes=tuple(manifest["sizes"].values()),
        counts=_features(folder, "count")["count"].to_torch(),
        threshold=threshold,
        fingerprint=manifest["fingerprint"],
    )


def load_samples(dataset: str, part: Part, split_seed: int = 0, split: Split = "fixed") -> Samples:
    """Rows of one part of the split, in the order of the raw data, mapped from disk.

    Raises:
        DataError: the data set has no such split, or one that no seed can move; the part lacks a label; or what was
            prepared is damaged.
    """
    folder = prepare(dataset)
    ids, labels = (_array(folder / name) for name in ("ids.npy", "labels.npy"))
    rows = _all_rows(dataset, ids, labels, split_seed, split)[part]
    _check_labels(f"{dataset}, {part}", int(labels[rows].sum()), len(rows))
    return Samples(torch.from_numpy(ids), torch.from_numpy(labels), torch.from_numpy(rows.astype(np.int32)))


def _all_rows(dataset: str, ids: NDArray[np.int32], labels: NDArray[np.uint8], split_seed: int, split: Split) -> Rows:
    stated, laboratory = prepare(dataset) / PARTS_FILE, source_of(dataset).laboratory
    if split_seed and (stated.exists() or split == "laboratory"):
        raise DataError(f"split_seed: expected 0 where the split of {dataset} is given, found {split_seed}")
    if split == "fixed":
        return stated_rows(_array(stated)) if stated.exists() else split_rows(len(labels), split_seed)
    if laboratory is None:
        raise DataError(f"split: expected fixed on {dataset}, found {split}")
    return laboratory(ids, labels, vocabulary(dataset))


def vocabulary(dataset: str) -> dict[str, list[str]]:
    """Per field its raw values, in the order of their ids."""
    features = _features(prepare(dataset), "field", "value")
    fields = features.group_by("field", maintain_order=True).agg("value")
    return dict(zip(fields["field"], fields["value"].to_list(), strict=True))


def raw_table(dataset: str) -> pl.DataFrame:
    """The raw rows before encoding, all in memory: one string column a field, and what tells the label."""
    source = source_of(dataset)
    return pl.concat(source.read(source.files(), "reading"))


def known_fingerprint(dataset: str) -> str | None:
    """Fingerprint that records of a data set must have, where it is published with the suite or prepared here."""
    if published := source_of(dataset).fingerprint:
        return published
    return _manifest(prepare(dataset))["fingerprint"] if (_folder(dataset) / MANIFEST).exists() else None


def _folder(dataset: str) -> Path:
    return runs_root() / "prepared" / dataset


def _features(folder: Path, *columns: str) -> pl.DataFrame:
    """Some columns; a folder's name is no pattern."""
    try:
        return pl.read_parquet(folder / FEATURES, columns=[*columns], glob=False)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise _damaged(folder / FEATURES, error) from error


def _array(path: Path) -> NDArray[Any]:
    """An array, mapped."""
    try:
        # "c": nothing is ever written, but torch warns of an array that forbids it.
        return load_array(path, mapped=True)
    except (ValueError, OSError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: BaseException) -> DataError:
    again = f"remove the folder {path.parent}, and it is made again"
    return DataError(f"{path}: expected prepared data, found a damaged file: {last_line(error)}; {again}")


def _manifest(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / MANIFEST).read_text()))


def _is_current(source: Source, folder: Path) -> bool:
    """Prepared in today's format and by today's settings, and from today's files where these may change."""
    try:
        manifest = _manifest(folder)
        made_from = manifest["raw_sha256"]
        whole = {"fingerprint", "sizes"} <= manifest.keys()
        if not whole or manifest["format"] != FORMAT or not source.settings.items() <= made_from.items():
            return False
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):  # a loss of power may have cut it
        return False
    try:
        return not source.watched or made_from == source.sums(source.files())
    except DataError:  # gone, as any raw file may be once it is prepared
        return True


def _check_content(dataset: str, source: Source, counted: Counted) -> None:
    for key in ("rows", "positives", "sizes"):
        expected, actual = getattr(source, key), getattr(counted, key)
        if expected not in (None, actual):
            raise DataError(f"{dataset}: expected {key} {expected}, found {actual}")
    _check_labels(dataset, counted.positives, counted.rows)


def _check_labels(where: str, positives: int, rows: int) -> None:
    if not 0 < positives < rows:
        raise DataError(f"{where}: expected rows of both labels, found {positives} of {rows} positive")


def _check_disk(folder: Path, counted: Counted) -> None:
    needed = counted.rows * (4 * len(counted.values) + 1) + 32 * sum(counted.sizes.values())
    free = shutil.disk_usage(folder.parent).free
    if free < needed:
        raise DataError(f"{folder}: expected {needed:,} bytes of free disk, found {free:,}")


def _write(dataset: str, source: Source, files: Sequence[Path], counted: Counted, target: Path) -> None:
    digest = write_ids(partial(source.blocks, files), counted, target)
    if source.parts:
        parts = source.parts(files)
        np.save(target / PARTS_FILE, parts)
        digest = hashlib.sha256(digest.encode() + parts.tobytes()).hexdigest()
    if source.fingerprint not in (None, digest):
        raise DataError(f"{dataset}: expected prepared data with sha256 {source.fingerprint}, found {digest}")
    counted.features().write_parquet(target / FEATURES)
    manifest = {
        "format": FORMAT,
        "sizes": counted.sizes,
        "fingerprint": digest,
        "raw_sha256": source.sums(files),
    }
    (target / MANIFEST).write_text(json.dumps(manifest, indent=1))
