"""Write a trained model as one packed file. The raw rows of coded features are not in it."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import save
from torch import Tensor, nn

from autodpq_data.schema import Schema
from autodpq_lib.embedding.dpq import DPQ
from autodpq_lib.embedding.others import Others
from autodpq_lib.models.ctr_model import CTRModel
from autodpq_lib.models.mlp import BatchNorm, Dropout
from autodpq_packed.bits import bits_for, pack
from autodpq_packed.check import check
from autodpq_packed.container import FORMAT, HEADER_LIMIT, SHA256_DIGITS, VOCABULARY, Tensors
from autodpq_packed.grouped import GROUPS, digest
from autodpq_packed.rest import rest
from autodpq_runs.record import Record
from autodpq_system.atomic import atomic_path, check_place
from autodpq_system.sentence import shortened

#: How the kept rows of the embedding are stored; first-order weights are always float32.
Kept = Literal["float32", "float16", "int8"]
#: Features whose vectors are read at a time.
CHUNK = 65_536
KINDS = {nn.Linear: "linear", BatchNorm: "batchnorm", nn.ReLU: "relu"}


def export(
    model: CTRModel,
    schema: Schema,
    record: Record,
    vocabulary: Mapping[str, list[str]],
    path: Path | str,
    kept: Kept = "float32",
) -> dict[str, int]:
    """Write ``path`` (``.safetensors``) and, beside it, ``<name>.vocabulary.json``; return the bytes of each tensor.

    Args:
        model: of any strategy; rows that are neither codes nor groups are written as they are. It is put into
            evaluation mode.
        schema: of the data that it was trained on.
        record: of its run; its configuration and identity go into the header.
        vocabulary: field -> raw values in the order of their ids; or none of any field, if raw values are not to be
            scored.
        path: of the file.
        kept: what the kept rows are stored as; with float32 vectors are those of the model, to the bit.

    Raises:
        ValueError: the vocabulary is not the schema's, the path has another ending, the MLP has a layer that the
            format does not know, or a weight is no number.
    """
    _check_vocabulary(vocabulary, schema)
    path = Path(path)
    check_path(path)
    model.eval()
    tensors = _tables(model, schema, kept) | {
        f"rest.{name}": tensor.float().numpy() for name, tensor in rest(model).items()
    }
    known = json.dumps(vocabulary)
    about = {
        "model": record.config.model,
        "fields": schema.fields,
        "sizes": schema.sizes,
        "mlp": [(kind, n) for n, layer in enumerate(model.mlp) if (kind := _kind(layer))],
        "vocabulary_sha256": hashlib.sha256(known.encode()).hexdigest(),
        "config": record.config.model_dump(mode="json"),
        "identity": record.identity,
        **_order(model),
    }
    said = json.dumps(about)
    check(json.loads(said), tensors)
    # Both are written before one has its name.
    with atomic_path(path.with_suffix(VOCABULARY)) as words, atomic_path(path) as target:
        words.write_text(known, encoding="utf-8")
        target.write_bytes(signed(tensors, said))
    return {name: array.nbytes for name, array in tensors.items()}


def _order(model: CTRModel) -> dict[str, str]:
    """Which order a model by groups numbers its features in."""
    ordered = getattr(model.embedding, "order", None)
    return {} if ordered is None else {"order": digest(ordered.numpy())}


def check_path(path: Path) -> None:
    """Refuse a path at which the file, or the vocabulary beside it, cannot be written.

    Raises:
        ValueError: the name does not end in ``.safetensors``.
        OSError: nothing can be written there.
    """
    if path.suffix != ".safetensors":
        raise ValueError(f"{path}: expected a name that ends in .safetensors, found {path.suffix or 'no ending'}")
    for each in (path, path.with_suffix(VOCABULARY)):
        check_place(each)


def _check_vocabulary(vocabulary: Mapping[str, list[str]], schema: Schema) -> None:
    for field, size in zip(schema.fields, schema.sizes, strict=True):
        found = len(vocabulary[field]) if field in vocabulary else None
        if found != size and any(vocabulary.values()):
            raise ValueError(f"vocabulary of {field}: expected {size} values, found {found or 'none'}")
        values = vocabulary.get(field, ())
        other = [value for value in values if not isinstance(value, str)]
        if wrong := other or [value for value, times in Counter(values).items() if times > 1]:
            raise ValueError(f"vocabulary of {field}: expected texts, all different, found {shortened(wrong[0])}")


def _kind(layer: nn.Module) -> str | None:
    """What the header calls a layer of the MLP; None for one that does nothing in evaluation."""
    if isinstance(layer, Dropout):
        return None
    if type(layer) not in KINDS:
        raise ValueError(f"mlp: expected {', '.join(kind.__name__ for kind in KINDS)} or Dropout, found {layer}")
    return KINDS[type(layer)]


def signed(tensors: Tensors, said: str) -> bytes:
    """The file's bytes, with the digest of themselves in the header.

    Raises:
        ValueError: the header is longer than a reader takes, for the names of the fields are many or long.
    """
    raw = _in_order(save(tensors, {"format": FORMAT, "model": said, "sha256": "0" * SHA256_DIGITS}))
    if (length := int.from_bytes(raw[:8], "little")) > HEADER_LIMIT:
        raise ValueError(f"fields: expected names for a header of at most {HEADER_LIMIT} bytes, found {length}")
    # With its quotation marks: in what is said of the model they are escaped, so no name there is taken for it.
    blank, full = (f'"{digits}"' for digits in ("0" * SHA256_DIGITS, hashlib.sha256(raw).hexdigest()))
    return raw.replace(blank.encode(), full.encode(), 1)


def _in_order(raw: bytes) -> bytes:
    """The texts of the header by name, where safetensors has another order each time: one model gives one file."""
    end = 8 + int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:end])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return b"".join((len(text).to_bytes(8, "little"), text, memoryview(raw)[end:]))  # tensors are copied once


def _tables(model: CTRModel, schema: Schema, kept: Kept) -> Tensors:
    """The tensors of embedding and first-order weights."""
    arrays: Tensors = {}
    for name, table in (("embedding", model.embedding), ("first_order", model.first_order)):
        if table is not None:
            every, numbers = vectors(table, schema), kept if name == "embedding" else "float32"
            arrays |= {f"{name}.{key}": array for key, array in _table(table, every, schema, numbers).items()}
            arrays[f"unknown.{name}"] = _unknown(every, schema)
    groups = getattr(model.embedding, "groups", None)
    return arrays if groups is None else arrays | {GROUPS: groups.numpy()}


def _table(embedding: nn.Module, every: Tensor, schema: Schema, kept: Kept) -> Tensors:
    """A table as the reader wants it: kept rows, a bit a feature, codes and centroids; or by groups."""
    if (by_groups := getattr(embedding, "stored", None)) is not None:
        return by_groups()
    coded = schema.low if isinstance(embedding, Others | DPQ) else torch.zeros_like(schema.low)
    arrays = stored(every[~coded].numpy(), kept) | {"low": np.packbits(coded.numpy(), bitorder="little")}
    if isinstance(embedding, Others):
        shared = embedding.table[len(embedding.table) - len(schema.low_fields) :].detach().numpy()
        for n, field in enumerate(schema.low_fields):  # K = 1: a code of no bits
            arrays[f"codes.{field}"] = np.zeros(0, np.uint8)
            arrays[f"centroids.{field}"] = shared[n][None, None]
    if isinstance(embedding, DPQ):
        for field, codes in embedding.codes().items():
            (quantiser,) = embedding.quantisers_of(field)
            arrays[f"codes.{field}"] = pack(codes.flatten().numpy(), bits_for(embedding.decision[field][0]))
            arrays[f"centroids.{field}"] = quantiser.decoder[0].detach().numpy()
    return arrays


def stored(rows: NDArray[np.float32], kept: Kept) -> Tensors:
    """Rows ``[kept, X]`` as numbers of a type; as int8 each is ``round(row / scale)``, ``scale = max |row| / 127``."""
    if kept != "int8":
        return {"kept": rows.astype(kept)}
    scale = np.abs(rows).max(1, keepdims=True, initial=0) / np.float32(127)
    scale[scale == 0] = 1
    return {"kept": np.rint(rows / scale).astype(np.int8), "scale": scale}


@torch.inference_mode()
def vectors(embedding: nn.Module, schema: Schema) -> Tensor:
    """Vectors of all features in evaluation mode, in the order of their ids: ``[N, X]``."""
    return torch.cat([embedding(ids[:, None])[:, 0] for ids in torch.arange(schema.num_features).split(CHUNK)])


def _unknown(every: Tensor, schema: Schema) -> NDArray[np.float32]:
    """The row of a value never seen, per field: mean of the low-frequency vectors, or of all if none is, ``[M, X]``."""
    fields = zip(every.split(schema.sizes), schema.low.split(schema.sizes), strict=True)
    return np.asarray(torch.stack([own[low if low.any() else ~low].mean(0) for own, low in fields]).numpy())
