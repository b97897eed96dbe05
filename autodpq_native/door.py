"""What C is given: addresses of tensors that are as it reads them, or an error."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Tensor

from autodpq_native.compiled import library

POINTER, INTEGER, NUMBER = ctypes.c_void_p, ctypes.c_int64, ctypes.c_double


@cache
def function(name: str, *types: type) -> Callable[..., int]:
    """A C function of arguments of these types; most return -1, or the place of what they refuse."""
    compiled = library()
    assert compiled is not None, "to be asked only where available() says yes"
    found: Any = getattr(compiled, name)
    found.argtypes, found.restype = types, INTEGER
    return found


def address(name: str, tensor: Tensor, dtype: torch.dtype, *shape: int) -> int:
    """Where the numbers of a tensor begin.

    Raises:
        ValueError: it has another type or shape, is not contiguous, or not on the CPU.
    """
    if tensor.dtype != dtype or tensor.shape != shape or not tensor.is_contiguous() or tensor.device.type != "cpu":
        how = "contiguous" if tensor.is_contiguous() else "not contiguous"
        found = f"{tensor.dtype} {list(tensor.shape)}, {how}, on {tensor.device}"
        raise ValueError(f"{name}: expected {dtype} {list(shape)}, contiguous, on cpu, found {found}")
    return tensor.data_ptr()
