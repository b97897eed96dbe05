"""The gradient of looking rows up."""

from __future__ import annotations

import torch
from torch import Tensor

from autodpq_native.door import INTEGER, POINTER, address, function


def sum_rows(numbers: Tensor, values: Tensor, rows: int) -> Tensor:
    """Sums of values by the rows that they belong to: int64 ``[P]``, ``[P, X]`` -> ``[rows, X]``.

    Raises:
        ValueError: a number names no row, or a tensor is not one that C reads.
    """
    count, width = numbers.numel(), values.size(-1)
    given = address("numbers", numbers, torch.int64, count), address("values", values, torch.float32, count, width)
    sums = values.new_zeros(rows, width)
    refused = function("sum_rows", *[POINTER] * 3, *[INTEGER] * 3)(sums.data_ptr(), *given, rows, count, width)
    if refused >= 0:
        raise ValueError(f"numbers[{refused}]: expected 0 to {rows - 1}, found {numbers[refused]}")
    return sums
