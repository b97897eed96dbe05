"""A damaged array is a ValueError, whatever NumPy says of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from autodpq_system.load_array import load_array


def test_an_array_comes_back(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.arange(5, dtype=np.int32))
    for mapped in (False, True):
        assert load_array(tmp_path / "a.npy", mapped=mapped).tolist() == [0, 1, 2, 3, 4]
    with pytest.raises(FileNotFoundError):
        load_array(tmp_path / "b.npy")


def test_of_all_flipped_bits_of_a_header_none_is_another_error(tmp_path: Path) -> None:
    """The header is a piece of Python, so a flip may make it a name, a bracket that nothing closes, or another type."""
    path = tmp_path / "a.npy"
    np.save(path, np.arange(5, dtype=np.float32))
    whole, refused = path.read_bytes(), 0
    for place in range(8 * 128):
        raw = bytearray(whole)
        raw[place // 8] ^= 1 << place % 8
        path.write_bytes(raw)
        try:
            load_array(path)
        except ValueError:
            refused += 1
    assert refused > 400
