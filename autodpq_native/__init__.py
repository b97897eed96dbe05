"""The one door to C: all of it lies here, and each of its files is called through the Python file of the same name."""

import torch
from torch import Tensor

from autodpq_native.compiled import library


def available() -> bool:
    """Whether the C functions can be called, that is, whether there is a C compiler.

    Raises:
        OSError: the compiled library cannot be written or loaded.
        ValueError: the compiler does not compile the C files.
    """
    return library() is not None


def takes(tensor: Tensor) -> bool:
    """Whether C may read a tensor: it is float32 on the CPU, and there is a C compiler."""
    return tensor.device.type == "cpu" and tensor.dtype == torch.float32 and available()
