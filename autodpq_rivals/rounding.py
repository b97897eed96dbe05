"""A table whose rows are rounded while it is trained: LSQ+ (Bhalgat et al., CVPR workshops 2020, section 3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from autodpq_lib.embedding.full import Full
from autodpq_rivals.rival import FullTable, Rival

#: Standard deviation of the rows at the start.
SD = 0.003
#: Keeps the step from zero.
EPSILON = 1e-10


class Rounded(Function):
    """``Q_b(w) = a_b clamp(round(v), l_b, h_b) + c``, ``v = (w - c) / a_b``, ``l_b = -2^(b-1)``, ``h_b = 2^(b-1) - 1``.

    Backward, with y = Q_b(w) and s_b a scale: ``dw = dy`` inside the clip and 0 outside; ``da_b = s_b sum dy (l_b | h_b
    | round(v) - v)`` below, above and inside; ``dc = s_b sum dy`` outside.
    """

    @staticmethod
    def forward(ctx: Any, w: Tensor, a: Tensor, c: Tensor, bits: Tensor, scale: Tensor) -> Tensor:
        """Rows ``[U, X]``, steps and scales ``[T, 1 or U]``, ``c`` ``[X]``, bits int64 ``[T]`` -> ``[T, U, X]``."""
        v = (w - c) / a[..., None]
        half = (2.0 ** (bits - 1))[:, None, None]
        rounded = v.round().clamp(-half, half - 1)
        ctx.save_for_backward(v, rounded, half, scale)
        return rounded * a[..., None] + c

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:
        """Gradients of rows, steps and ``c``."""
        (dy,) = grads
        v, rounded, half, scale = ctx.saved_tensors
        inside = ((v >= -half) & (v <= half - 1)).to(dy.dtype)
        slope = rounded - v * inside
        passed = dy * inside
        da = scale * (dy * slope).sum_to_size(*scale.shape, 1).squeeze(2)
        clipped = (dy - passed).sum_to_size(*scale.shape, dy.shape[2])
        return passed.sum(0), da, scale.flatten() @ clipped.flatten(0, 1), None, None


class Rounding(Rival):
    """A full table, and ``Q_b`` of its rows for some widths b, see :class:`Rounded`.

    The step a_b, one for the whole table or one a field, starts at ``2 mean|w| / sqrt(2^(b-1))``; c is one for a
    dimension and starts at 0; ``s_b = 1 / sqrt(2^(b-1) N X)``, N the rows that share the step. Rows start as
    N(0, sd 0.003), whatever the recipe says.

    Args:
        table: the full table.
        widths: the T widths b, in bits.
        by_field: a step for each of the M fields.
    """

    widths: Tensor
    scale: Tensor
    field: Tensor

    def __init__(self, table: FullTable, widths: Sequence[int], *, by_field: bool = False) -> None:
        super().__init__()
        self.rows = Full(table.rows, table.dim, lambda tensor: tensor.normal_(0, SD))
        self.register_buffer("widths", torch.tensor(widths), persistent=False)
        self.register_buffer(
            "field", table.schema.field_of if by_field else torch.zeros(1, dtype=torch.int64), persistent=False
        )
        levels = 2.0 ** (self.widths - 1)[:, None]  # [T, 1]
        sizes = torch.tensor(table.schema.sizes if by_field else [table.rows])  # [M] or [1]
        self.register_buffer("scale", (levels * (sizes * table.dim)).rsqrt(), persistent=False)  # [T, M or 1]
        start = 2 * self.rows.table.detach().abs().mean() / levels.sqrt()
        self.step = nn.Parameter(start.expand(-1, len(sizes)).clone())  # [T, M or 1]
        self.centre = nn.Parameter(torch.zeros(table.dim))

    def rounded(self, features: Tensor) -> Tensor:
        """``Q_b`` of the rows of distinct features: int64 ``[U]`` -> ``[T, U, X]``."""
        step, scale = self.step.abs() + EPSILON, self.scale
        if step.shape[1] > 1:
            step, scale = step[:, self.field[features]], scale[:, self.field[features]]  # [T, U]
        return cast(Tensor, Rounded.apply(self.rows(features), step, self.centre, self.widths, scale))
