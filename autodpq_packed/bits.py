"""Codes in as few bits as they need, in NumPy alone.

The layout, for a reader in any language: the codes of a field are a list of non-negative integers, feature by
feature, the D codes of a feature side by side. Code number ``j`` takes ``b`` bits and starts at bit ``j * b`` of the
field's bytes; bit ``i`` is bit ``i % 8`` of byte ``i // 8``, the least significant first. The last byte is filled up
with zeros.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Codes packed at a time; a multiple of 8, so that every part begins with a byte of its own.
AT_ONCE = 1 << 20


def bits_for(k: int) -> int:
    """Bits of a code with K values: ``ceil(log2(K))``, none for K = 1."""
    return (k - 1).bit_length()


def pack(codes: NDArray[np.integer], b: int) -> NDArray[np.uint8]:
    """Integers below ``2 ** b``, in order, as bytes: ``[n]`` -> uint8 ``[ceil(n * b / 8)]``.

    Raises:
        ValueError: codes of more than 8 bits, which readers do not expect.
    """
    if b > 8:
        raise ValueError(f"codes: expected at most 8 bits each (K of 256), found {b}")
    parts = (codes[start : start + AT_ONCE].astype(np.uint8) for start in range(0, len(codes), AT_ONCE))
    columns = (part[:, None] >> np.arange(b, dtype=np.uint8) & 1 for part in parts)
    packed = [np.packbits(column.ravel(), bitorder="little") for column in columns]
    return np.concatenate([np.zeros(0, np.uint8), *packed])


def unpack(packed: NDArray[np.uint8], b: int, where: NDArray[np.integer]) -> NDArray[np.int64]:
    """The codes at the places ``where``, of any shape. A code of up to 8 bits lies in at most two bytes."""
    if b == 0:
        return np.zeros(where.shape, np.int64)
    start = where.astype(np.int64) * b
    first = start >> 3
    after = np.minimum(first + 1, len(packed) - 1)  # the last code may end with the last byte
    window = packed[first].astype(np.int64) | packed[after].astype(np.int64) << 8
    return window >> (start & 7) & (1 << b) - 1
