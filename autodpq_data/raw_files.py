"""Find raw files where a person put them, else fetch them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import product
from pathlib import Path

import pooch

from autodpq_data.errors import DataError, last_line
from autodpq_system.paths import at_home, data_roots


def find_all(name: str, files: Sequence[str], fetch: Callable[[Path], None]) -> list[Path]:
    """All of the files, from the folder ``name`` of a data root, fetched into ``data/`` when no root has that folder.

    Raises:
        DataError: a folder lacks a file, or nothing was found and nothing could be fetched: what was tried is listed.
    """
    tried = []
    for folder in (root / name for root in data_roots()):
        missing = [file for file in files if not (folder / file).exists()]
        if not missing:
            return [folder / file for file in files]
        if folder.exists():
            raise DataError(f"{folder}: expected {', '.join(files)}, found no {missing[0]}")
        tried.append(f"folder {folder}: not there")
    try:
        fetch(folder)
    except (OSError, ValueError) as error:
        tried.append(f"download: {last_line(error).rstrip('.')}")
        raise DataError(
            f"{name}: not found. Tried: {'; '.join(tried)}. Place {', '.join(files)} in {folder} by hand, or name a "
            f"folder that holds {name}/ in AUTODPQ_DATA."
        ) from error
    return [folder / file for file in files]


def find_one(dataset: str, places: Sequence[str]) -> list[Path]:
    """The first file that is there, as a list of one; ``places`` are absolute or count from the data roots.

    Raises:
        DataError: there is none, and nothing is fetched.
    """
    roots = data_roots()
    for root, place in product(roots, places):
        path = root / at_home(place)
        if path.is_file():
            return [path]
    raise DataError(
        f"{dataset}: expected {' or '.join(places)} in {' or '.join(map(str, roots))}, found no such file. "
        "Place it there by hand, or name another folder in AUTODPQ_DATA."
    )


def checksums(files: Iterable[Path]) -> dict[str, str]:
    """File name -> sha256, computed once in a process as long as a file stays as it is."""
    return {path.name: _sha256(path, path.stat().st_mtime_ns, path.stat().st_size) for path in files}


@cache
def _sha256(path: Path, *_changed: int) -> str:
    return str(pooch.file_hash(str(path)))
