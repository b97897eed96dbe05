"""The complete model from a packed file."""

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
from autodpq_packed.container import PackedError, Tensors
from autodpq_packed.grouped import GROUPS, Grouped, check_ids, digest, file_ids, groups, order
from autodpq_packed.groups_in_c import GroupsInC
from autodpq_packed.packed import Packed
from autodpq_packed.packed_groups import PackedGroups
from autodpq_packed.packed_in_c import PackedInC
from autodpq_packed.read_in_c import works
from autodpq_packed.reader import PackedTable, read, tables
from autodpq_packed.rest import rest
from autodpq_system.sentence import sentence

#: Keys of a configuration that say which layers a model has.
SHAPE = ("model", "recipe", "embedding_dim", "hidden", "dropout", "batchnorm")


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
        self.offsets = np.cumsum([0, *schema.sizes])
        every = np.arange(schema.num_features)
        self.register_buffer("rank", torch.from_numpy(file_ids(every, schema.sizes, schema.counts.numpy())))

    def forward(self, ids: Tensor) -> Tensor:
        """Vectors of features: ids int64 ``[B, M]`` -> ``[B, M, X]``.

        Raises:
            IndexError: an id is none of its field's.
            ValueError: ids of another type or shape.
        """
        check_ids(ids.cpu().numpy(), self.offsets)
        return self.table(self.rank[ids.long()])


def load(
    path: Path | str, table: Callable[[PackedTable], nn.Module] | None = None, *, schema: Schema | None = None
) -> CTRModel:
    """The complete model in evaluation mode, on packed tables: those in C where that works, else :class:`Packed`.

    A compressed file (``make compress``) numbers the features of each field by frequency, and its model expects these
    ids: give ``schema`` to use the data set's own instead. With any other file ids are the data set's own anyway.

    Args:
        path: of the file.
        table: class of module to use instead. For tables of groups :class:`PackedInC` means :class:`GroupsInC`, and
            :class:`Packed` means :class:`PackedGroups`.
        schema: of the data set whose ids the model is to take.

    Raises:
        PackedError: the file is not a packed model, or not as it was written; or the schema has other fields or
            sizes or, of a compressed file, another order.
        ValueError: ``table`` can't read the file: another class a compressed one, PackedInC rows that are not float32.
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
    """Refuse a schema whose fields or sizes are not the file's."""
    found, expected = (
        list(zip(schema.fields, schema.sizes, strict=True)),
        list(zip(about["fields"], about["sizes"], strict=True)),
    )
    if found != expected:
        raise PackedError(
            f"{path}: schema: expected fields and sizes {shorten(str(expected), 200)}, found {shorten(str(found), 200)}"
        )


def _check_counts(schema: Schema, about: Mapping[str, Any], tensors: Tensors, path: Path) -> None:
    """Refuse counts that put features in another order than the file's, or for older files in other groups."""
    own, what = (schema.sizes, schema.counts.numpy()), "order" if "order" in about else GROUPS
    expected, found = (
        (about["order"], digest(order(*own))) if what == "order" else (tensors[GROUPS].tolist(), groups(*own).tolist())
    )
    if found != expected:
        said = f"expected counts that give the {what} {shorten(str(expected), 200)}, found {shorten(str(found), 200)}"
        raise PackedError(f"{path}: schema: {said}")


def _config(about: Mapping[str, Any], path: Path) -> RunConfig:
    """A configuration with the file's layers; data set, strategy and subspaces are placeholders that nothing uses."""
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
    """The module for a table of groups that stands beside ``kind``; without a kind the one in C, where that works."""
    beside: dict[object, type[nn.Module]] = {Packed: PackedGroups, PackedInC: GroupsInC}
    if kind is None:
        kind = PackedInC if works() else Packed
    if kind not in beside:
        raise ValueError(f"table: expected Packed or PackedInC for a compressed file, found {kind}")
    return beside[kind](table)
