"""Requests as they would come: features drawn by how often each was seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def traffic(counts: Sequence[NDArray[np.int64]], n: int) -> NDArray[np.int64]:
    """Ids of n samples, each field's drawn by the counts of its features: ``[n, M]``."""
    rng, ends = np.random.default_rng(0), [np.cumsum(each) for each in counts]
    drawn = [np.searchsorted(end, rng.integers(end[-1], size=n), side="right") for end in ends]
    return np.stack(drawn, 1) + np.cumsum([0, *map(len, counts[:-1])])
