"""Read what is kept of a run on this machine; a file that was damaged since is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from autodpq_system.sentence import one_line


class DamagedError(ValueError):
    """A file is not as the run has written it."""

    def __init__(self, path: Path, expected: str, error: Exception) -> None:
        super().__init__(f"{path}: expected {expected}, found a damaged file: {one_line(str(error))}; run it again")


def weights(path: Path) -> dict[str, Tensor]:
    """The trained model's tensors.

    Raises:
        DamagedError: these are none.
        FileNotFoundError: there is no such file.
    """
    try:
        return load_file(path)
    except (SafetensorError, ValueError) as error:
        raise DamagedError(path, "a model's tensors", error) from error


def predictions(path: Path) -> NDArray[np.float32]:
    """Predictions on test, ``[samples]``.

    Raises:
        DamagedError: these are none.
        FileNotFoundError: there is no such file.
    """
    try:
        return np.asarray(np.load(path), np.float32)
    except (ValueError, TypeError, EOFError) as error:
        raise DamagedError(path, "predictions", error) from error
