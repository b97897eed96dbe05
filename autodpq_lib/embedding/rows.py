"""Rows of a table, and their gradient."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

import autodpq_native as native
from autodpq_native.rows import sum_rows


def rows(table: Tensor, index: Tensor) -> Tensor:
    """Rows of a table ``[N, X]`` at ``index`` int64 ``[P]``: ``[P, X]``; the gradient is dense.

    ``index_select``, but on a CPU with a C compiler its gradient is summed in C, in less than half of torch's time,
    which saves 4 to 8 % of a step.
    """
    in_c = table.requires_grad and index.dtype == torch.int64 and native.takes(table)
    return cast(Tensor, RowsInC.apply(table, index)) if in_c else table.index_select(0, index)


class RowsInC(Function):
    """``index_select`` of rows, its gradient summed in C."""

    @staticmethod
    def forward(ctx: Any, table: Tensor, index: Tensor) -> Tensor:
        """``[N, X]``, int64 ``[P]`` -> ``[P, X]``."""
        ctx.save_for_backward(index)
        ctx.rows = len(table)
        return table.index_select(0, index)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        """``[P, X]`` -> ``[N, X]``."""
        (index,) = ctx.saved_tensors
        return sum_rows(index.contiguous(), grads[0].contiguous(), ctx.rows), None
