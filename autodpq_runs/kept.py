"""Read what is kept of a run on this machine; a file that was damaged since is named."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from autodpq_system.load_array import load_array
from autodpq_system.sentence import one_line

#: Name of the tensors' digest among what a file says of itself.
DIGEST = "sha256"


class DamagedError(ValueError):
    """A file is not as the run has written it."""

    def __init__(self, path: Path, expected: str, error: Exception) -> None:
        super().__init__(f"{path}: expected {expected}, found a damaged file: {one_line(str(error))}; run it again")


def weights(path: Path) -> dict[str, Tensor]:
    """The trained model's tensors, checked against the digest that the file states; older files state none.

    Raises:
        DamagedError: the file has no tensors, or others than were written.
        FileNotFoundError: there is no such file.
    """
    try:
        return _as_written(path)
    except (SafetensorError, ValueError) as error:
        raise DamagedError(path, "a model's tensors", error) from error


def _as_written(path: Path) -> dict[str, Tensor]:
    tensors = load_file(path)
    with safe_open(path, "pt") as file:
        written = (file.metadata() or {}).get(DIGEST)
    if written not in (None, _digest(tensors)):
        raise ValueError("other numbers than were written")
    return tensors


def write_weights(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write a trained model's tensors, and their digest: safetensors has none of its own."""
    save_file(dict(tensors), path, {DIGEST: _digest(tensors)})


def _digest(tensors: Mapping[str, Tensor]) -> str:
    """sha256 over names and numbers: a few seconds a gigabyte, at each loading of a model, which reads all of it."""
    found = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        found.update(name.encode())
        found.update(tensor.detach().cpu().reshape(-1).numpy().data)
    return found.hexdigest()


def predictions(path: Path) -> NDArray[np.float32]:
    """Predictions on test, ``[samples]``.

    Raises:
        DamagedError: these are none.
        FileNotFoundError: there is no such file.
    """
    try:
        found = load_array(path).astype(np.float32, copy=False)
    except (ValueError, TypeError) as error:
        raise DamagedError(path, "predictions", error) from error
    if not np.isfinite(found).all():
        raise DamagedError(path, "predictions", ValueError("expected finite numbers, found others"))
    return found
