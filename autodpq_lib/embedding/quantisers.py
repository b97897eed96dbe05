"""The quantisers of all fields on the rows of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

import autodpq_native as native
from autodpq_lib.embedding.quantiser import Quantiser
from autodpq_native import quantisers as in_c


def quantise(e: Tensor, sizes: Sequence[int], quantisers: Sequence[Sequence[Quantiser]]) -> Tensor:
    """Each field's vectors through its quantisers.

    While training without noise on a CPU with a C compiler it is one call of C: :class:`Quantiser` up to rounding.

    Args:
        e: raw vectors, field by field, ``[P, X]``.
        sizes: number of vectors of each field; their sum is P.
        quantisers: the quantisers of each field, which have T tables together.

    Returns:
        The T vectors that replace each raw one, ``[P, T, X]``.

    Raises:
        ValueError: the sizes do not fit ``e`` or the quantisers.
    """
    if sum(sizes) != len(e):
        raise ValueError(f"sizes: expected a sum of {len(e)}, the number of vectors, found {sum(sizes)}")
    fields = list(zip(sizes, quantisers, strict=True))
    plain = all(one.training and not one.coding.noise for field in quantisers for one in field)
    if plain and native.takes(e):
        codebooks = [[_codebooks(one) for one in field if size] for size, field in fields]
        tables = [table for field in codebooks for each in field for table in each.tables]
        return InC.apply(e, in_c.Quantisers(sizes, codebooks, e.shape[1]), *tables)
    parts = zip(e.split(list(sizes)), quantisers, strict=True)
    return torch.cat([torch.cat([quantiser(part) for quantiser in field], 1) for part, field in parts if len(part)])


def _codebooks(one: Quantiser) -> in_c.Codebooks:
    """A quantiser's tables as C takes them: a table that is keys and values is given once.

    Its gradient is then summed in one buffer; two buffers, added at the end, would round differently.
    """
    (keys, bias), values = one.keys_and_bias(), one.decoder
    tables = (keys,) if values is keys else (keys, values)
    return in_c.Codebooks(tables if bias is None else (keys, values, bias), one.sizes, one.coding.tau)


class InC(Function):
    """:class:`autodpq_lib.embedding.straight_through.StraightThrough` for many quantisers at once."""

    @staticmethod
    def forward(ctx: Any, e: Tensor, quantisers: in_c.Quantisers, *tables: Tensor) -> Tensor:
        """``[P, X]`` -> ``[P, T, X]``; ``tables`` are those of the quantisers, in order."""
        e = e.contiguous()
        out, codes = quantisers.forward(e)
        ctx.save_for_backward(e, codes, *tables)  # the tables only so that a change before backward is noticed
        ctx.quantisers = quantisers
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of the raw vectors and of the tables."""
        e, codes, *_ = ctx.saved_tensors
        e_grad, table_grads = ctx.quantisers.backward(e, codes, grads[0].contiguous())
        return e_grad, None, *table_grads
