"""An array from a file that may be damaged."""

from __future__ import annotations

from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: What NumPy raises of a damaged file, beside a ValueError: its header is a piece of Python.
DAMAGED = (TypeError, SyntaxError, TokenError, EOFError)


def load_array(path: Path, *, mapped: bool = False) -> NDArray[Any]:
    """The array of an ``.npy`` file; ``mapped`` from the disk, so that what is changed stays in memory.

    Raises:
        OSError: it can't be read.
        ValueError: it is damaged.
    """
    try:
        return np.asarray(np.load(path, mmap_mode="c" if mapped else None))
    except DAMAGED as error:
        raise ValueError(str(error) or type(error).__name__) from error
