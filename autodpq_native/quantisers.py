"""The quantisers of all fields on the rows of a batch."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.profiler import record_function

from autodpq_native.door import INTEGER, NUMBER, POINTER, address, function


class Codebooks(NamedTuple):
    """What one quantiser encodes and decodes with.

    Attributes:
        tables: ``(keys,)`` where they decode too, or ``(keys, values)``, both ``[T, D, K, X/D]``, or
            ``(keys, values, bias)`` with ``[T, D, K]``.
        sizes: int64 ``[T]``, how many of the K centroids each table has.
        tau: softmax temperature of the backward pass.
    """

    tables: tuple[Tensor, ...]
    sizes: Tensor
    tau: float


class Struct(ctypes.Structure):
    """What C calls ``quantiser``."""

    _fields_ = (
        *((name, POINTER) for name in ("keys", "values", "bias", "key_grads", "value_grads", "bias_grads", "sizes")),
        *((name, INTEGER) for name in ("tables", "subspaces", "centroids", "first", "rows", "place")),
        ("tau", NUMBER),
    )


class Quantisers:
    """The codebooks of all fields, and how many rows of a batch go through each field's.

    Args:
        rows: number of vectors of each field, P in all; a field without vectors is skipped.
        fields: codebooks of each field; those of a field have T tables in all, the same T in every field with vectors.
        dim: embedding dimension X.

    Raises:
        ValueError: fields differ in T, or a tensor is not one that C reads.
    """

    def __init__(self, rows: Sequence[int], fields: Sequence[Sequence[Codebooks]], dim: int) -> None:
        used = [(count, field) for count, field in zip(rows, fields, strict=True) if count]
        widths = {sum(len(each.sizes) for each in field) for _, field in used}
        if len(widths) != 1 or min(rows) < 0:
            raise ValueError(f"fields: expected rows, and one number of tables for all, found {rows} and {widths}")
        self._shape = sum(rows), *widths, dim  # P, T, X
        self._codebooks = [each for _, field in used for each in field]  # keeps alive what C has the addresses of
        self._structs = (Struct * len(self._codebooks))(*_structs(used, dim))
        self._parts = max(struct.subspaces for struct in self._structs)  # largest D
        # For what C keeps of one table: K padded by less than a block of 8.
        numbers = max((s.centroids + 8) * (3 * (dim // s.subspaces) + 4) for s in self._structs)
        self._scratch = torch.empty(numbers, dtype=torch.float32)

    def forward(self, e: Tensor) -> tuple[Tensor, Tensor]:
        """Raw vectors ``[P, X]`` -> the vectors used instead ``[P, T, X]``, and codes int32 ``[P, T, largest D]``.

        Raises:
            ValueError: a number of centroids is none of its table's, or ``e`` is not what C reads.
        """
        p, t, x = self._shape
        out, codes = e.new_empty(p, t, x), torch.empty(p, t, self._parts, dtype=torch.int32)
        self._call("quantisers_forward", address("e", e, torch.float32, p, x), out.data_ptr(), codes.data_ptr())
        return out, codes

    def backward(self, e: Tensor, codes: Tensor, grad: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Gradient ``[P, T, X]`` of the vectors -> that of the raw ones ``[P, X]``, and of all tables in order.

        Raises:
            ValueError: a code is none of its table's, or a tensor is not what C reads.
        """
        p, t, x = self._shape
        e_grad, table_grads = torch.zeros_like(e), []
        for struct, codebooks in zip(self._structs, self._codebooks, strict=True):
            own = [torch.zeros_like(table) for table in codebooks.tables]
            struct.key_grads, struct.value_grads, struct.bias_grads = _three([each.data_ptr() for each in own])
            table_grads += own
        given = address("e", e, torch.float32, p, x), address("grad", grad, torch.float32, p, t, x)
        self._call(
            "quantisers_backward", *given, address("codes", codes, torch.int32, p, t, self._parts), e_grad.data_ptr()
        )
        return e_grad, table_grads

    def _call(self, name: str, *addresses: int) -> None:
        called = function(name, POINTER, INTEGER, *[POINTER] * len(addresses), *[INTEGER] * 3, POINTER)
        lengths, scratch = (self._shape[2], self._shape[1], self._parts), self._scratch.data_ptr()
        with record_function("quantisers"):
            refused = called(self._structs, len(self._structs), *addresses, *lengths, scratch)
        if refused >= 0:
            k, found = self._structs[refused].centroids, self._codebooks[refused].sizes.tolist()
            raise ValueError(f"quantiser {refused}: expected sizes of 1 to {k}, and codes below them, found {found}")


def _structs(used: Sequence[tuple[int, Sequence[Codebooks]]], dim: int) -> Iterator[Struct]:
    first = 0
    for rows, field in used:
        place = 0
        for codebooks in field:
            yield _struct(codebooks, dim, first, rows, place)
            place += len(codebooks.sizes)
        first += rows


def _struct(codebooks: Codebooks, dim: int, *rows: int) -> Struct:
    keys, tables = codebooks.tables[0], len(codebooks.sizes)
    if keys.dim() != 4 or not keys.shape[1] * keys.shape[3] == dim > 0:
        raise ValueError(f"keys: expected [T, D, K, X/D] of X = {dim}, found {list(keys.shape)}")
    shape = tables, *keys.shape[1:]  # [T, D, K, X/D]
    shapes = (("keys", shape), ("values", shape), ("bias", shape[:3]))
    own = [
        address(name, table, torch.float32, *size)
        for (name, size), table in zip(shapes, codebooks.tables, strict=False)
    ]
    sizes = address("sizes", codebooks.sizes, torch.int64, tables)
    return Struct(*_three(own), None, None, None, sizes, *shape[:3], *rows, codebooks.tau)


def _three(own: Sequence[int]) -> tuple[int, int, int | None]:
    """Addresses for keys, values, which may be the same, and bias, if there is one."""
    return own[0], own[min(1, len(own) - 1)], own[2] if len(own) == 3 else None
