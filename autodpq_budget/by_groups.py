"""The chosen tables as an embedding: numbers can be trained on, codes exchanged for others."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from autodpq_budget.menu import LENGTH, all_means, bytes_of
from autodpq_data.schema import Schema
from autodpq_packed.bits import pack, unpack
from autodpq_packed.container import Tensors
from autodpq_packed.grouped import (
    BIT,
    BITS,
    CENTROIDS,
    CHUNK,
    FIRST,
    GROUPS,
    INTEGERS,
    NUMBER,
    SUBSPACES,
    Grouped,
    groups,
    order,
)

STORED = ("option", "codes", "numbers")


class Choices(NamedTuple):
    """What a group of n features has, and could have.

    Attributes:
        codes: int64 ``[n, D]``; D = X for integers, and 0 where there are no codes.
        values: what each code stands for, ``[D, K, X/D]``; integers of b bits have K = 2^b.
        dim: X.
    """

    codes: Tensor
    values: Tensor
    dim: int


class ByGroups(nn.Module):
    """Embedding of ids ``[B, M]`` of a data set, interchangeable with :class:`autodpq_lib.embedding.full.Full`.

    Every entry is ``numbers[place] + factor * numbers[step]``; codes decide place, step and factor, each ``[N, X]``.
    Numbers are trained in float32; the forward pass rounds them to float16, as in the file (straight-through gradient).

    Args:
        schema: fields and counts; these decide the groups.
        dim: embedding dimension X.
        counted: whether :meth:`served_bytes` includes the lengths of the groups, which all tables share.

    Attributes:
        groups: int32 ``[G]``, number of features of each group.
        layout: int64 ``[G + 1, 9]``, where each group begins (:func:`autodpq_packed.grouped.layout`), and the ends.
        make_first_order: makes DeepFM's first-order weights, in the same way.
    """

    groups: Tensor
    order: Tensor
    option: Tensor
    codes: Tensor
    place: Tensor
    factor: Tensor
    step: Tensor

    def __init__(self, schema: Schema, dim: int, *, counted: bool = True) -> None:
        super().__init__()
        counts = schema.counts.numpy()
        self.dim, self.sizes, self.counted = dim, schema.sizes, counted
        own = {"groups": groups(schema.sizes, counts), "order": order(schema.sizes, counts)}
        for name, array in own.items():
            self.register_buffer(name, torch.from_numpy(array), persistent=False)
        for name in ("place", "factor", "step"):
            self.register_buffer(name, torch.zeros(0), persistent=False)
        self.numbers = nn.Parameter(torch.zeros(0))
        self.fill(all_means(len(self.groups), dim))
        self.make_first_order = partial(ByGroups, schema, 1, counted=False)  # no lambda, for models are pickled

    def fill(self, stored: Tensors) -> None:
        """Take the tensors ``option``, ``codes`` and ``numbers`` of a table."""
        self.register_buffer("option", torch.from_numpy(stored["option"].copy()))
        self.register_buffer("codes", torch.from_numpy(stored["codes"].copy()))
        self.numbers.data = torch.from_numpy(stored["numbers"].astype(np.float32))
        self._find()

    def stored(self) -> dict[str, NDArray[Any]]:
        """The table's tensors as the file has them."""
        made = {name: getattr(self, name).detach().cpu().numpy() for name in STORED}
        return made | {"numbers": made["numbers"].astype(np.float16)}

    def forward(self, ids: Tensor) -> Tensor:
        """Vectors of the features: ids int64 ``[B, M]`` -> ``[B, M, X]``."""
        if len(self.place) * 2 > ids.numel():
            return self._vectors(ids)
        # Where ids come often, each vector is put together once: the same bits, and codes move in half the time.
        return F.embedding(ids, self._vectors(torch.arange(len(self.place), device=ids.device)))

    def _vectors(self, ids: Tensor) -> Tensor:
        numbers = self.numbers + (self.numbers.half().float() - self.numbers).detach()
        place, factor, step = (F.embedding(ids, part) for part in (self.place, self.factor, self.step))
        return _at(numbers, place) + factor * _at(numbers, step)

    def served_bytes(self) -> int:
        """Options, codes and numbers; the embedding also says how many features each group has."""
        own = sum(array.nbytes for array in self.stored().values())
        return own + self.counted * self.groups.nbytes

    def of_field(self, m: int) -> list[int]:
        """The groups of field m."""
        first, (start, stop) = self.layout[:-1, FIRST], np.cumsum([0, *self.sizes])[m : m + 2]
        return np.flatnonzero((start <= first) & (first < stop)).tolist()

    def members(self, group: int) -> Tensor:
        """Ids of a group's features, in the order of the file: int64 ``[n]``."""
        first, last = self.layout[group : group + 2, FIRST]
        return self.order[first:last]

    def choices(self, group: int) -> Choices:
        """A group's codes, and all values that they may stand for."""
        row, (start, stop) = self.layout[group], self._bytes(group)
        count = (len(self.members(group)), int(row[SUBSPACES]) if row[BITS] else 0)
        packed = self.codes[start:stop].cpu().numpy()
        codes = torch.from_numpy(unpack(packed, int(row[BITS]), np.arange(count[0] * count[1]).reshape(count)))
        numbers, values = self.numbers.detach().half().float()[row[NUMBER] :], torch.zeros(0, 1, 1)
        if row[INTEGERS]:
            low, step = numbers[: 2 * self.dim].view(2, self.dim, 1, 1)
            values = low + step * torch.arange(2 ** row[BITS])[:, None]
        elif row[BITS]:
            values = numbers[: row[CENTROIDS] * self.dim].view(row[SUBSPACES], row[CENTROIDS], -1)
        return Choices(codes, values, self.dim)

    def recode(self, codes: Mapping[int, Tensor]) -> None:
        """Give groups other codes, int64 ``[n, D]`` each."""
        for group, each in codes.items():
            start, stop = self._bytes(group)
            self.codes[start:stop] = torch.from_numpy(pack(each.flatten().numpy(), int(self.layout[group, BITS])))
        self._find()

    def _bytes(self, group: int) -> tuple[int, int]:
        start, stop = self.layout[group : group + 2, BIT] // 8
        return int(start), int(stop)

    def _find(self) -> None:
        """Where each feature's entries come from: ``[N, X]``, in the order of the data set's ids."""
        tensors = {f"own.{name}": array for name, array in self.stored().items()}
        table = Grouped("own", self.sizes, self.dim, tensors | {GROUPS: self.groups.cpu().numpy()})
        self.layout, rank = table.ends, self.order.argsort().cpu().numpy()
        made = [np.empty((len(rank), self.dim), kind) for kind in (np.int64, np.float32, np.int64)]
        for start in range(0, len(rank), CHUNK):
            for array, part in zip(made, table.places(rank[start : start + CHUNK]), strict=True):
                array[start : start + CHUNK] = part
        for name, array in zip(("place", "factor", "step"), made, strict=True):
            self.register_buffer(name, torch.from_numpy(array).to(self.numbers.device), persistent=False)

    def _load_from_state_dict(self, state: dict[str, Any], prefix: str, *rest: Any) -> None:
        """What is loaded may be another choice, of other lengths."""
        if f"{prefix}codes" in state:
            self.codes = torch.empty_like(state[f"{prefix}codes"], device=self.codes.device)
            self.numbers.data = torch.empty_like(state[f"{prefix}numbers"], device=self.numbers.device)
        super()._load_from_state_dict(state, prefix, *rest)
        self._find()


def _at(numbers: Tensor, places: Tensor) -> Tensor:
    """``numbers[places]``, to the bit and in a third of the time."""
    return numbers.index_select(0, places.flatten()).view_as(places)


def dims_of_model(dim: int, model: str) -> dict[str, int]:
    """X of each table that a model has: the embedding and, of DeepFM, first-order weights."""
    return {"embedding": dim} | ({"first_order": 1} if model == "deepfm" else {})


def means(schema: Schema, dim: int, model: str) -> list[ByGroups]:
    """The tables of a model in the fewest bytes, every group with its mean: embedding and, of DeepFM, first-order."""
    return [ByGroups(schema, x, counted=name == "embedding") for name, x in dims_of_model(dim, model).items()]


def least_bytes(schema: Schema, dim: int, model: str) -> int:
    """Bytes of :func:`means`, a model's tables with one mean for each group: no choice takes fewer."""
    found = len(groups(schema.sizes, schema.counts.numpy()))
    return LENGTH * found + sum(bytes_of(all_means(found, x)) for x in dims_of_model(dim, model).values())


def float_bytes(schema: Schema, dim: int, model: str) -> int:
    """Bytes of a model's tables in float32, ``4 N (X + 1)``; without DeepFM's first-order weights ``4 N X``."""
    return 4 * schema.num_features * sum(dims_of_model(dim, model).values())
