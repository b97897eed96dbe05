"""The packed table read by a C function: what a server wants where a C compiler is at hand."""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from autodpq_lib.compiled import library
from autodpq_packed.bits import bits_for
from autodpq_packed.reader import Table

SOURCE = Path(__file__).with_suffix(".c")
#: Bytes of the bitmap with one count before them, as in C.
LINE = 64


class PackedInC(nn.Module):
    """As :class:`autodpq_packed.module.Packed`, on the CPU, for kept rows in float32.

    Needs a count of the coded features before every 512 features, where torch's operators need one before every 8.

    Args:
        table: read from a packed file; :meth:`takes` must be true of it.
    """

    kept: Tensor
    low: Tensor
    before: Tensor
    codes: Tensor
    centroids: Tensor
    places: Tensor

    def __init__(self, table: Table) -> None:
        super().__init__()
        fields = table.fields.values()
        arrays = {
            "kept": np.array(table.kept),
            "low": np.pad(table.low, (0, -len(table.low) % LINE)),
            "before": np.array(table.before[::LINE]),
            "codes": np.concatenate([*(codes for _, codes, _ in fields), np.zeros(1, np.uint8)]),
            "centroids": np.concatenate([*(each.ravel() for _, _, each in fields), np.zeros(0, np.float32)]),
            "places": _places(table),
        }
        for name, array in arrays.items():
            self.register_buffer(name, torch.from_numpy(array))

    @staticmethod
    def takes(table: Table) -> bool:
        """Whether there is a compiler, and the table is one that the C function reads."""
        return table.kept.dtype == np.float32 and library(SOURCE) is not None

    def forward(self, ids: Tensor) -> Tensor:
        """Vectors of features: ids int64 ``[B, M]`` -> ``[B, M, X]``.

        Raises:
            IndexError: an id is none of its field's.
            ValueError: ids of another type or shape, or not on the CPU.
        """
        if ids.device.type != "cpu":
            raise ValueError(f"ids: expected them on the CPU, found {ids.device}; load(path, Packed) reads anywhere")
        if ids.dtype != torch.int64 or ids.dim() != 2 or ids.shape[1] != len(self.places):
            expected = f"int64 [B, {len(self.places)}]"
            raise ValueError(f"ids: expected {expected}, found {ids.dtype} {list(ids.shape)}")
        compiled, ids = library(SOURCE), ids.contiguous()
        assert compiled is not None
        compiled.look_up.restype = ctypes.c_int64
        out = torch.empty(*ids.shape, self.kept.shape[1])
        buffers = (self.kept, self.low, self.before, self.codes, self.centroids, self.places)
        out_at, ids_at, *others = (ctypes.c_void_p(tensor.data_ptr()) for tensor in (out, ids, *buffers))
        refused = compiled.look_up(out_at, ids_at, *(ctypes.c_int64(n) for n in out.shape), *others)
        if refused >= 0:
            row, m = divmod(refused, ids.shape[1])
            begin, end = self.places[m, :2].tolist()
            raise IndexError(f"ids[{row}, {m}]: expected {begin} to {end - 1}, found {ids[row, m]}")
        return out


def _places(table: Table) -> NDArray[np.int64]:
    """What C calls ``field``, for each: int64 ``[M, 8]``."""
    places = np.zeros((len(table.offsets) - 1, 8), np.int64)
    places[:, 0], places[:, 1] = table.offsets[:-1], table.offsets[1:]
    codes_at = centroids_at = 0
    for m, (first, codes, centroids) in table.fields.items():
        subspaces, k, _ = centroids.shape
        places[m, 2:] = codes_at, centroids_at, first, subspaces, k, bits_for(k)
        codes_at, centroids_at = codes_at + codes.size, centroids_at + centroids.size
    return places
