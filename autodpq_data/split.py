"""Rows of train, valid and test: drawn 8:1:1, or as the data say."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Part = Literal["train", "valid", "test"]
PARTS: tuple[Part, ...] = get_args(Part)
#: ``fixed``: drawn by a seed of its own, or the data's own. ``laboratory``: as the authors' laboratory published it.
Split = Literal["fixed", "laboratory"]
#: Ascending row numbers of each part.
Rows = dict[Part, NDArray[np.int64]]


def split_rows(n: int, split_seed: int) -> Rows:
    """Row numbers of train, valid and test, 8:1:1, drawn once with a seed of their own, each sorted."""
    order = np.random.default_rng(split_seed).permutation(n)
    tenth = n // 10
    return {
        "train": np.sort(order[2 * tenth :]),
        "valid": np.sort(order[:tenth]),
        "test": np.sort(order[tenth : 2 * tenth]),
    }


def stated_rows(parts: NDArray[np.uint8]) -> Rows:
    """Row numbers of each part where ``parts`` uint8 ``[rows]`` holds each row's place in :data:`PARTS`."""
    return {part: np.flatnonzero(parts == number) for number, part in enumerate(PARTS)}
