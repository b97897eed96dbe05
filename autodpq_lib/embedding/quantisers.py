"""The quantisers of all fields on the rows of a batch."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd import Function

from autodpq_lib.compiled import library
from autodpq_lib.embedding.quantiser import Quantiser

SOURCE = Path(__file__).with_suffix(".c")


def quantise(e: Tensor, sizes: Sequence[int], quantisers: Sequence[Sequence[Quantiser]]) -> Tensor:
    """Each field's vectors through its quantisers.

    While training on a CPU with a C compiler all of it is one call of C, which gives what :class:`Quantiser` gives
    but for rounding.

    Args:
        e: raw vectors, field by field, ``[P, X]``.
        sizes: number of vectors of each field; their sum is P.
        quantisers: those of each field, with T tables between them.

    Returns:
        The T vectors that replace each raw one, ``[P, T, X]``.
    """
    if _in_c(e, quantisers[0][0]):
        used = list(_used(sizes, quantisers))
        return QuantisersInC.apply(e, used, *(table for use in used for table in use.tables))
    fields = zip(e.split(list(sizes)), quantisers, strict=True)
    return torch.cat([torch.cat([quantiser(part) for quantiser in of], 1) for part, of in fields if len(part)])


def _in_c(e: Tensor, one: Quantiser) -> bool:
    fits = one.training and not one.noise and e.device.type == "cpu" and e.dtype == torch.float32
    return fits and library(SOURCE) is not None


class Use(NamedTuple):
    """A quantiser's tables, the rows that it takes and the place of its vectors among the T; as C has them."""

    tables: tuple[Tensor, ...]
    sizes: Tensor
    tau: float
    first: int
    rows: int
    place: int


def _used(sizes: Sequence[int], quantisers: Sequence[Sequence[Quantiser]]) -> Iterator[Use]:
    for first, rows, of in zip(accumulate(sizes, initial=0), sizes, quantisers, strict=False):
        place = 0
        for one in of if rows else ():
            tables = (one.centroids,) if one.values is None else (one.centroids, one.values)
            yield Use(tables, one.sizes, one.tau, first, rows, place)
            place += len(one.sizes)


class QuantisersInC(Function):
    """:class:`autodpq_lib.embedding.straight_through.StraightThrough` for many quantisers at once."""

    @staticmethod
    def forward(ctx: Any, e: Tensor, used: list[Use], *tables: Tensor) -> Tensor:
        """``[P, X]`` -> ``[P, T, X]``; ``tables`` are those of ``used``, in order."""
        width = max(use.place + len(use.sizes) for use in used)
        parts = max(use.tables[0].shape[1] for use in used)
        e, out = e.contiguous(), e.new_empty(len(e), width, e.shape[1])
        codes = torch.empty(len(e), width, parts, dtype=torch.int32)
        ctx.save_for_backward(e, codes, *tables)
        ctx.used = used
        structs = _structs(used, [tuple(0 for _ in use.tables) for use in used])
        _compiled().quantisers_forward(
            structs, len(used), *_addresses(e, out, codes), e.shape[1], width, parts, _scratch(used)
        )
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of the raw vectors and of the tables."""
        e, codes, *tables = ctx.saved_tensors
        used, e_grad, table_grads = ctx.used, torch.zeros_like(e), [torch.zeros_like(table) for table in tables]
        remaining = iter(table_grads)
        structs = _structs(used, [tuple(next(remaining).data_ptr() for _ in use.tables) for use in used])
        grad = grads[0].contiguous()
        _compiled().quantisers_backward(
            structs,
            len(used),
            *_addresses(e, grad, codes, e_grad),
            e.shape[1],
            *codes.shape[1:],
            used[0].tau,
            _scratch(used),
        )
        return e_grad, None, *table_grads


def _structs(used: Sequence[Use], grads: Sequence[tuple[int, ...]]) -> Any:
    """The array of what C calls ``quantiser``, with the addresses of the gradients; keys that are tied come twice."""
    rows = [
        (
            *(use.tables[0].data_ptr(), use.tables[-1].data_ptr(), into[0], into[-1]),
            *(use.sizes.data_ptr(), *use.tables[0].shape[:3], use.first, use.rows, use.place),
        )
        for use, into in zip(used, grads, strict=True)
    ]
    return (ctypes.c_int64 * (11 * len(rows)))(*(number for row in rows for number in row))


def _addresses(*tensors: Tensor) -> list[int]:
    return [tensor.data_ptr() for tensor in tensors]


def _scratch(used: Sequence[Use]) -> Any:
    """Room for what C keeps of one table: three copies, and two numbers a centroid, K padded by a block at most."""
    _, _, k, w = max((use.tables[0].shape for use in used), key=lambda shape: (shape[2] + 8) * (3 * shape[3] + 2))
    return (ctypes.c_float * ((k + 8) * (3 * w + 2)))()


@cache
def _compiled() -> ctypes.CDLL:
    """The C functions."""
    compiled = library(SOURCE)
    assert compiled is not None
    pointer, integer = ctypes.c_void_p, ctypes.c_int64
    compiled.quantisers_forward.argtypes = (pointer, integer, *[pointer] * 3, *[integer] * 3, pointer)
    compiled.quantisers_backward.argtypes = (pointer, integer, *[pointer] * 4, *[integer] * 3, ctypes.c_double, pointer)
    return compiled
