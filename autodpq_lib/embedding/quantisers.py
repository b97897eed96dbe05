"""The quantisers of all fields on the rows of a batch."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import accumulate, repeat
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.profiler import record_function

from autodpq_lib.embedding.quantiser import Quantiser
from autodpq_lib.native.compiled import library

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
    if _in_c(e, quantisers):
        used = list(_used(sizes, quantisers))
        return QuantisersInC.apply(e, used, *(table for use in used for table in use.quantiser.tables()))
    fields = zip(e.split(list(sizes)), quantisers, strict=True)
    return torch.cat([torch.cat([quantiser(part) for quantiser in of], 1) for part, of in fields if len(part)])


def _in_c(e: Tensor, quantisers: Sequence[Sequence[Quantiser]]) -> bool:
    fits = e.device.type == "cpu" and e.dtype == torch.float32 and library(SOURCE) is not None
    return fits and all(one.training and one.in_c for of in quantisers for one in of)


class Use(NamedTuple):
    """A quantiser, the rows of the batch that it takes, and the place of its vectors among the T."""

    quantiser: Quantiser
    first: int
    rows: int
    place: int


def _used(sizes: Sequence[int], quantisers: Sequence[Sequence[Quantiser]]) -> Iterator[Use]:
    firsts = list(accumulate(sizes, initial=0))[:-1]
    for first, rows, of in zip(firsts, sizes, quantisers, strict=True):
        place = 0
        for one in of if rows else ():
            yield Use(one, first, rows, place)
            place += len(one.sizes)


class QuantisersInC(Function):
    """:class:`autodpq_lib.embedding.straight_through.StraightThrough` for many quantisers at once."""

    @staticmethod
    def forward(ctx: Any, e: Tensor, used: list[Use], *tables: Tensor) -> Tensor:
        """``[P, X]`` -> ``[P, T, X]``; ``tables`` are those of the quantisers used, in order."""
        width = max(use.place + len(use.quantiser.sizes) for use in used)
        parts = max(use.quantiser.centroids.shape[1] for use in used)
        e, out = e.contiguous(), e.new_empty(len(e), width, e.shape[1])
        codes = torch.empty(len(e), width, parts, dtype=torch.int32)
        ctx.save_for_backward(e, codes, *tables)
        ctx.used = used
        _call(_compiled().quantisers_forward, _structs(used, tables, ()), e, out, codes)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of the raw vectors and of the tables."""
        e, codes, *tables = ctx.saved_tensors
        e_grad, table_grads = torch.zeros_like(e), [torch.zeros_like(table) for table in tables]
        structs = _structs(ctx.used, tables, table_grads)
        _call(_compiled().quantisers_backward, structs, e, grads[0].contiguous(), codes, e_grad)
        return e_grad, None, *table_grads


class Struct(ctypes.Structure):
    """What C calls ``quantiser``."""

    _fields_ = (
        *((name, ctypes.c_void_p) for name in ("keys", "values", "key_grads", "value_grads", "sizes")),
        *((name, ctypes.c_int64) for name in ("tables", "subspaces", "centroids", "first", "rows", "place")),
        ("tau", ctypes.c_double),
    )


def _structs(used: Sequence[Use], tables: Sequence[Tensor], grads: Sequence[Tensor]) -> Any:
    """An array of :class:`Struct`, with the addresses of the tables and, going backward, of their gradients."""
    into: Iterable[tuple[int | None, int | None]] = _addresses(used, grads) if grads else repeat((None, None))
    structs = [
        Struct(*own, *theirs, q.sizes.data_ptr(), *q.centroids.shape[:3], first, rows, place, q.coding.tau)
        for (q, first, rows, place), own, theirs in zip(used, _addresses(used, tables), into, strict=False)
    ]
    return (Struct * len(structs))(*structs)


def _addresses(used: Sequence[Use], tensors: Sequence[Tensor]) -> Iterator[tuple[int, int]]:
    """Of the keys and the values of each, one and the same where they are tied."""
    rest = iter(tensors)
    for use in used:
        own = [next(rest).data_ptr() for _ in use.quantiser.tables()]
        yield own[0], own[-1]


def _call(function: Any, structs: Any, e: Tensor, vectors: Tensor, codes: Tensor, *e_grad: Tensor) -> None:
    addresses = [tensor.data_ptr() for tensor in (e, vectors, codes, *e_grad)]
    # For what C keeps of one table: three copies, and two numbers a centroid, K padded by less than a block of 8.
    scratch = (ctypes.c_float * max((s.centroids + 8) * (3 * (e.shape[1] // s.subspaces) + 2) for s in structs))()
    with record_function("quantisers"):
        function(structs, len(structs), *addresses, e.shape[1], *codes.shape[1:], scratch)


@cache
def _compiled() -> ctypes.CDLL:
    """The C functions."""
    compiled = library(SOURCE)
    assert compiled is not None
    pointer, integer = ctypes.c_void_p, ctypes.c_int64
    compiled.quantisers_forward.argtypes = (pointer, integer, *[pointer] * 3, *[integer] * 3, pointer)
    compiled.quantisers_backward.argtypes = (pointer, integer, *[pointer] * 4, *[integer] * 3, pointer)
    return compiled
