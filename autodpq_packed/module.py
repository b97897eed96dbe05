"""The packed table as a torch module, interchangeable with the embeddings that were trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import shorten
from typing import Any

import numpy as np
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from autodpq_data.schema import Schema
from autodpq_lib.config import RunConfig
from autodpq_lib.models.build import assemble
from autodpq_lib.models.ctr_model import CTRModel
from autodpq_packed.bits import bits_for
from autodpq_packed.check import GROUPS
from autodpq_packed.container import PackedError, Tensors
from autodpq_packed.grouped import Grouped, digest, file_ids, groups, order
from autodpq_packed.groups_in_c import GroupsInC
from autodpq_packed.packed_groups import PackedGroups
from autodpq_packed.packed_in_c import PackedInC
from autodpq_packed.read_in_c import works
from autodpq_packed.reader import BITS, PackedTable, read, tables
from autodpq_packed.rest import rest
from autodpq_system.sentence import sentence

#: Keys of a configuration that say which layers a model has.
SHAPE = ("model", "recipe", "embedding_dim", "hidden", "dropout", "batchnorm")


class Packed(nn.Module):
    """Looks up kept rows and decodes the rest from packed codes, to the bits of the trained module.

    Operators of torch alone, and no step that depends on the data, so that it can be exported.

    Args:
        table: read from a packed file.

    Example:
        >>> tensors = {
        ...     "embedding.kept": np.zeros((3, 4), np.float32),
        ...     "embedding.low": np.array([0b111000], np.uint8),  # of six features: the last three are coded
        ...     "embedding.codes.zip": np.array([0b101], np.uint8),  # a bit each, as K = 2 and D = 1
        ...     "embedding.centroids.zip": np.array([[[0, 0, 0, 0], [1, 2, 3, 4]]], np.float32),  # [D, K, X/D]
        ... }
        >>> packed = Packed(PackedTable("embedding", {"fields": ["age", "zip"], "sizes": [2, 4]}, tensors))
        >>> packed(torch.tensor([[0, 3], [1, 4]]))[:, 1].tolist()
        [[1.0, 2.0, 3.0, 4.0], [0.0, 0.0, 0.0, 0.0]]
    """

    low: Tensor
    before: Tensor
    bits: Tensor
    kept: Tensor
    scale: Tensor | None

    def __init__(self, table: PackedTable) -> None:
        super().__init__()
        buffers = {"kept": table.kept, "low": table.low, "before": table.before, "bits": BITS}
        for name, array in buffers.items():
            self.register_buffer(name, torch.tensor(array))
        self.register_buffer("scale", None if table.scale is None else torch.tensor(table.scale))
        self.first: dict[int, int] = {}
        for m, (first, codes, centroids) in table.fields.items():
            self.first[m] = first
            padded = np.append(codes, np.uint8(0))  # two bytes are read at a time
            self.register_buffer(f"codes_{m}", torch.tensor(padded))
            self.register_buffer(f"centroids_{m}", torch.tensor(centroids))

    def forward(self, ids: Tensor) -> Tensor:
        """Vectors of features: ids int64 ``[B, M]`` -> ``[B, M, X]``; that each is one of its field is not checked."""
        byte, bit = ids >> 3, ids & 7
        bits = self.low[byte].long()
        coded = torch.bitwise_right_shift(bits, bit) & 1 == 1
        before = self.before[byte].long() + self.bits[bits & torch.bitwise_left_shift(1, bit) - 1]
        columns = list(self._rows(torch.where(coded, 0, ids - before)).unbind(1))
        for m, first in self.first.items():
            decoded = self._decode(m, torch.where(coded[:, m], before[:, m] - first, 0))
            columns[m] = torch.where(coded[:, m, None], decoded, columns[m])
        return torch.stack(columns, 1)

    def _rows(self, places: Tensor) -> Tensor:
        """Rows of kept features, in float32 whatever they are stored as."""
        rows = self.kept[places].float()
        return rows if self.scale is None else rows * self.scale[places]

    def _decode(self, m: int, rank: Tensor) -> Tensor:
        """Vectors of the coded features of field m with these ranks: ``[B]`` -> ``[B, X]``."""
        codes, centroids = self.get_buffer(f"codes_{m}"), self.get_buffer(f"centroids_{m}")
        subspaces, k, width = centroids.shape
        b, d = bits_for(k), torch.arange(subspaces, device=rank.device)
        start = (rank[:, None] * subspaces + d) * b
        code = torch.zeros_like(start)
        if b:  # a code lies in at most two bytes
            window = codes[start >> 3].long() | codes[(start >> 3) + 1].long() << 8
            code = torch.bitwise_right_shift(window, start & 7) & (1 << b) - 1
        return centroids.view(subspaces * k, width)[code + d * k].flatten(1)


class Renumbered(nn.Module):
    """A table of groups that takes a data set's own ids.

    Args:
        table: of ids as the file has them.
        schema: of the data set.
    """

    rank: Tensor

    def __init__(self, table: nn.Module, schema: Schema) -> None:
        super().__init__()
        self.table = table
        every = np.arange(schema.num_features)
        self.register_buffer("rank", torch.from_numpy(file_ids(every, schema.sizes, schema.counts.numpy())))

    def forward(self, ids: Tensor) -> Tensor:
        """Vectors of features: ids int64 ``[B, M]`` -> ``[B, M, X]``."""
        return self.table(self.rank[ids])


def load(
    path: Path | str, table: Callable[[PackedTable], nn.Module] | None = None, *, schema: Schema | None = None
) -> CTRModel:
    """The complete model in evaluation mode, on packed tables: those in C where that works, else :class:`Packed`.

    A compressed file (``make compress``) numbers features by frequency. Its model takes such ids, and is not to be
    evaluated on the data set's, unless ``schema`` is given; of other files ids are the data set's anyway.

    Args:
        path: of the file.
        table: what to put tables into instead; of groups :class:`PackedGroups` for :class:`Packed`, and so on.
        schema: of the data set whose ids the model shall take.

    Raises:
        PackedError: the file is not a packed model, or not as it was written; or the schema is not its own.
    """
    path = Path(path)
    about, tensors = read(path)
    config = _config(about, path)
    parts = [
        by_groups(found, table) if isinstance(found, Grouped) else (table or packed)(found)
        for found in tables(about, tensors).values()
    ]
    if schema is not None:
        _check_schema(schema, about, path)
        if GROUPS in tensors:
            _check_counts(schema, about, tensors, path)
            parts = [Renumbered(part, schema) for part in parts]
    model = assemble(config, len(about["fields"]), *parts)
    kept = {name.removeprefix("rest."): array for name, array in tensors.items() if name.startswith("rest.")}
    _fill(model, kept, path)
    return model.eval()


def _check_schema(schema: Schema, about: Mapping[str, Any], path: Path) -> None:
    """Whether fields and sizes are those of the file."""
    found, expected = (
        list(zip(schema.fields, schema.sizes, strict=True)),
        list(zip(about["fields"], about["sizes"], strict=True)),
    )
    if found != expected:
        raise PackedError(
            f"{path}: schema: expected fields and sizes {shorten(str(expected), 200)}, found {shorten(str(found), 200)}"
        )


def _check_counts(schema: Schema, about: Mapping[str, Any], tensors: Tensors, path: Path) -> None:
    """Whether counts number the features as the file does; of an older one, whether they give its groups at least."""
    own, what = (schema.sizes, schema.counts.numpy()), "order" if "order" in about else GROUPS
    expected, found = (
        (about["order"], digest(order(*own))) if what == "order" else (tensors[GROUPS].tolist(), groups(*own).tolist())
    )
    if found != expected:
        said = f"expected counts that give the {what} {shorten(str(expected), 200)}, found {shorten(str(found), 200)}"
        raise PackedError(f"{path}: schema: {said}")


def _config(about: Mapping[str, Any], path: Path) -> RunConfig:
    """Whatever trained the model, on whatever data, need not be known here."""
    shape = {key: value for key, value in about["config"].items() if key in SHAPE}
    try:
        return RunConfig.model_validate(shape | {"dataset": "ml-1m", "strategy": "fe", "subspaces": (1,)})
    except ValidationError as error:
        raise PackedError(f"{path}: config: {shorten(sentence(error), 500)}") from error


def _fill(model: CTRModel, kept: Tensors, path: Path) -> None:
    """Put the file's numbers into all of the model that is no table."""
    own = rest(model)
    if {n: tuple(t.shape) for n, t in own.items()} != {n: array.shape for n, array in kept.items()}:
        raise PackedError(f"{path}: expected the tensors that the model of its configuration has, found others")
    for name, tensor in own.items():
        tensor.copy_(torch.tensor(kept[name]))


def packed(table: PackedTable) -> nn.Module:
    """The faster of the two modules that can read this table here."""
    return PackedInC(table) if PackedInC.takes(table) else Packed(table)


def by_groups(table: Grouped, kind: object) -> nn.Module:
    """The same for a table of groups, or the module that stands beside ``kind``."""
    return GroupsInC(table) if kind is PackedInC or (kind is None and works()) else PackedGroups(table)
