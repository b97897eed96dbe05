"""One step of lazy Adam on one table."""

from __future__ import annotations

import torch
from torch import Tensor

from autodpq_native.door import INTEGER, NUMBER, POINTER, address, function


def update_rows(
    w: Tensor, m: Tensor, v: Tensor, last: Tensor, named: Tensor, values: Tensor, step: tuple[float, ...]
) -> None:
    """Update in place the rows of weights and moments, ``[N, X]`` each, that a gradient names, some more than once.

    The arguments are those of :func:`autodpq_lib.training.lazy_adam.update_rows`: ``last`` int32 ``[N]``, ``named``
    int64 ``[P]``, ``values`` ``[P, X]``.

    Raises:
        ValueError: a number names no row, or a tensor is not one that C reads; nothing is changed.
    """
    n, count, width = last.numel(), named.numel(), values.size(-1)
    scratch = torch.empty(count, dtype=torch.int64), torch.empty(count, width, dtype=torch.float32)
    given = (
        *(address(name, table, torch.float32, n, width) for name, table in (("w", w), ("m", m), ("v", v))),
        address("last", last, torch.int32, n),
        *(tensor.data_ptr() for tensor in scratch),
        address("named", named, torch.int64, count),
        address("values", values, torch.float32, count, width),
    )
    called = function("lazy_adam_step", *[POINTER] * 8, *[INTEGER] * 3, *[NUMBER] * 6)
    refused = called(*given, n, count, width, *step)
    if refused >= 0:
        raise ValueError(f"named[{refused}]: expected 0 to {n - 1}, found {named[refused]}")
