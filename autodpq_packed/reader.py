"""Read a packed model and score with it: NumPy and the standard library alone, to be ported to any language.

The file is in the safetensors format: 8 bytes, the length n of the header as a little-endian integer; n bytes of JSON,
which gives dtype, shape and place of each tensor and, under ``__metadata__``, the texts ``format``, ``sha256`` and
``model``; then the tensors' bytes. ``sha256`` is the digest of the whole file with the 64 digits of the digest itself
set to 0.

A table of N features has the tensors ``<table>.kept`` float32 [kept, X]; ``<table>.low``, a bit a feature, set for
those that are coded; and for each field with coded features ``<table>.codes.<field>`` (:mod:`autodpq_packed.bits`) and
``<table>.centroids.<field>`` float32 [D, K, X/D]. The vector of a kept feature is the row numbered by the kept features
before it. The r-th coded feature of a field is the concatenation over d of ``centroids[d, code[r * D + d]]``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autodpq_packed.bits import bits_for, unpack

FORMAT = "autodpq-packed/1"
DTYPES: dict[str, np.dtype[Any]] = {"F32": np.dtype("<f4"), "U8": np.dtype("u1")}
Floats = NDArray[np.float32]
Tensors = dict[str, NDArray[Any]]


class PackedError(ValueError):
    """The file is not a packed model, or not as it was written."""


def read(path: Path) -> tuple[dict[str, Any], Tensors]:
    """What the header says of the model, and the tensors.

    Raises:
        PackedError: the file is truncated, altered, or something else; one sentence.
    """
    return parse(path.read_bytes(), path)


def parse(raw: bytes, path: Path) -> tuple[dict[str, Any], Tensors]:
    """:func:`read`, of a file's bytes; ``path`` is for the messages."""
    try:
        length = int.from_bytes(raw[:8], "little")
        header = json.loads(raw[8 : 8 + length])
        about = header.pop("__metadata__")
        _check(path, raw, about)
        tensors = {name: _tensor(raw[8 + length :], entry) for name, entry in header.items()}
        return json.loads(about["model"]), tensors
    except PackedError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise PackedError(f"{path}: expected a packed model, found something else or a part of one") from error


def _check(path: Path, raw: bytes, about: Mapping[str, str]) -> None:
    if about["format"] != FORMAT:
        raise PackedError(f"{path}: expected format {FORMAT}, found {about['format']!r}")
    digest = about["sha256"]
    written = raw.replace(digest.encode(), b"0" * 64)
    if len(digest) != 64 or hashlib.sha256(written).hexdigest() != digest:
        raise PackedError(f"{path}: expected the content that sha256 {digest[:12]} names, found another")


def _tensor(data: bytes, entry: Mapping[str, Any]) -> NDArray[Any]:
    start, end = entry["data_offsets"]
    flat: NDArray[Any] = np.frombuffer(data[start:end], dtype=DTYPES[entry["dtype"]])
    return flat.reshape(entry["shape"])


#: Number of set bits of each byte.
BITS = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).sum(1, dtype=np.int64)


class Table:
    """A packed table: ids -> vectors.

    Args:
        name: ``embedding`` or ``first_order``.
        model: field names and sizes, from the header.
        tensors: of the file.
    """

    def __init__(self, name: str, model: Mapping[str, Any], tensors: Tensors) -> None:
        kept = tensors[f"{name}.kept"]
        self.kept = kept if len(kept) else np.zeros((1, kept.shape[1]), np.float32)  # where all are coded, one unused
        self.low = np.append(tensors[f"{name}.low"], np.uint8(0))
        self.before = np.concatenate([[0], np.cumsum(BITS[self.low])])  # coded features before each byte
        self.fields = {}
        for m, field in enumerate(model["fields"]):
            if f"{name}.centroids.{field}" in tensors:
                codes, centroids = tensors[f"{name}.codes.{field}"], tensors[f"{name}.centroids.{field}"]
                offset = np.array(sum(model["sizes"][:m]))
                self.fields[m] = self.coded_before(offset), codes, centroids

    def coded_before(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Number of coded features with a smaller id."""
        byte, bit = ids >> 3, ids & 7
        return self.before[byte] + BITS[self.low[byte] & (1 << bit) - 1]

    def __call__(self, ids: NDArray[np.int64]) -> Floats:
        """Vectors of features, one column of ids a field: int64 ``[B, M]`` -> float32 ``[B, M, X]``."""
        before = self.coded_before(ids)
        coded = (self.low[ids >> 3] >> (ids & 7)) & 1 == 1
        out = self.kept[np.where(coded, 0, ids - before)]
        for m, (first, codes, centroids) in self.fields.items():
            rows = np.flatnonzero(coded[:, m])
            out[rows, m] = decode(codes, centroids, before[rows, m] - first)
        return out


def decode(codes: NDArray[np.uint8], centroids: Floats, rank: NDArray[np.int64]) -> Floats:
    """Vectors of the coded features with these ranks in their field: ``[P]`` -> ``[P, X]``."""
    subspaces, k, width = centroids.shape
    d = np.arange(subspaces)
    code = unpack(codes, bits_for(k), rank[:, None] * subspaces + d)  # [P, D]
    return centroids[d, code].reshape(len(rank), subspaces * width)


class PackedModel:
    """A complete CTR model from a file.

    Args:
        path: the packed file. Beside it lies ``<name>.vocabulary.json``, needed for raw values alone.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.model, self.tensors = read(path)
        self.embedding = Table("embedding", self.model, self.tensors)
        has_first_order = "first_order.kept" in self.tensors
        self.first_order = Table("first_order", self.model, self.tensors) if has_first_order else None
        self._places: list[dict[str, int]] | None = None

    def logits(self, ids: NDArray[np.int64]) -> NDArray[np.float64]:
        """Logits ``[B]`` of ids int64 ``[B, M]``."""
        first = self.first_order(ids) if self.first_order else None
        return self._forward(self.embedding(ids), first)

    def score(self, samples: Sequence[Mapping[str, str]]) -> NDArray[np.float64]:
        """Probability of a click for raw values, field -> value; a value never seen gets the field's ``unknown`` row.

        The unknown row is the mean of the field's low-frequency vectors, or of all its vectors if it has none.

        Raises:
            PackedError: a sample lacks a field, or the vocabulary is not the model's.
        """
        ids, unknown = self._encode(samples)
        e = np.where(unknown[..., None], self.tensors["unknown.embedding"], self.embedding(ids))
        first = None
        if self.first_order:
            first = np.where(unknown[..., None], self.tensors["unknown.first_order"], self.first_order(ids))
        return 1 / (1 + np.exp(-self._forward(e, first)))

    def _encode(self, samples: Sequence[Mapping[str, str]]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        if self._places is None:
            self._places = self._vocabulary()
        for field in self.model["fields"]:
            for n, sample in enumerate(samples):
                if field not in sample:
                    raise PackedError(f"sample {n}: expected a value for {field}, found {', '.join(sample)}")
        found = [
            [place.get(str(sample[field]), -1) for field, place in zip(self.model["fields"], self._places, strict=True)]
            for sample in samples
        ]
        ids = np.array(found, np.int64)
        offsets = np.cumsum([0, *self.model["sizes"][:-1]])
        return np.where(ids < 0, offsets, ids + offsets), ids < 0

    def _vocabulary(self) -> list[dict[str, int]]:
        path = self.path.with_suffix(".vocabulary.json")
        raw = path.read_bytes()
        if hashlib.sha256(raw).hexdigest() != self.model["vocabulary_sha256"]:
            raise PackedError(f"{path}: expected the vocabulary of {self.path.name}, found another")
        known = json.loads(raw)
        return [{value: n for n, value in enumerate(known[field])} for field in self.model["fields"]]

    def _forward(self, e: NDArray[np.floating], first: Floats | None) -> NDArray[np.float64]:
        """The model on vectors ``[B, M, X]`` and first-order weights ``[B, M, 1]``: logits ``[B]``, in float64."""
        t, e = self.tensors, np.asarray(e, np.float64)
        x: NDArray[np.float64] = np.asarray(e, np.float64).reshape(len(e), -1)
        if self.model["model"] == "deepfm":
            assert first is not None
            pairs = (np.square(e.sum(1)).sum(1) - np.square(e).sum((1, 2))) / 2
            return t["rest.bias"] + first.sum((1, 2), dtype=np.float64) + pairs + self._mlp(x)[:, 0]
        if self.model["model"] == "pnn":
            m, n = np.triu_indices(e.shape[1], 1)
            products = (e @ e.transpose(0, 2, 1))[:, m, n]
            return self._mlp(np.concatenate([x, products], 1))[:, 0]
        cross = x
        for layer in range(len([name for name in t if name.startswith("rest.cross.biases.")])):
            weight, bias = t[f"rest.cross.weights.{layer}.weight"], t[f"rest.cross.biases.{layer}"]
            cross = x * (cross @ weight.T) + bias + cross
        both = np.concatenate([cross, self._mlp(x)], 1)
        return (both @ t["rest.last.weight"].T + t["rest.last.bias"])[:, 0]

    def _mlp(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """The layers in the order that the header gives: ``linear``, ``batchnorm`` or ``relu``, with their place."""
        for kind, place in self.model["mlp"]:
            name = f"rest.mlp.{place}"
            if kind == "linear":
                x = x @ self.tensors[f"{name}.weight"].T + self.tensors[f"{name}.bias"]
            elif kind == "batchnorm":
                sd = np.sqrt(self.tensors[f"{name}.running_var"] + 1e-5)
                x = np.asarray((x - self.tensors[f"{name}.running_mean"]) / sd)
                x = x * self.tensors[f"{name}.weight"] + self.tensors[f"{name}.bias"]
            else:
                x = np.maximum(x, 0)
        return x
