"""Score with a packed model: NumPy and the standard library alone, to be ported to any language."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from numbers import Integral
from pathlib import Path
from reprlib import repr as shortened

import numpy as np
from numpy.typing import ArrayLike, NDArray

from autodpq_packed.container import VOCABULARY, PackedError
from autodpq_packed.reader import Floats, read, tables
from autodpq_system.strict_json import loads


class PackedModel:
    """A complete CTR model from a file.

    Args:
        path: the packed file. Beside it lies ``<name>.vocabulary.json``, needed for raw values alone.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.model, self.tensors = read(self.path)
        found = tables(self.model, self.tensors)
        self.embedding, self.first_order = found["embedding"], found.get("first_order")
        self._numbers: list[dict[str, int]] | None = None

    def logits(self, ids: ArrayLike) -> NDArray[np.float64]:
        """Logits ``[B]`` of ids, whole numbers ``[B, M]``.

        Raises:
            IndexError: an id is none of its field's.
            ValueError: ids of another type or shape.
            PackedError: the numbers of the file are so large that a logit is none.
        """
        ids = np.asarray(ids)
        first = self.first_order(ids) if self.first_order else None
        return self._finite(self._forward(self.embedding(ids), first))

    def score(self, samples: Iterable[Mapping[str, str | int]]) -> NDArray[np.float64]:
        """Probability of a click for raw values, field -> value; a value never seen gets the field's ``unknown`` row.

        The unknown row is the mean of the field's low-frequency vectors, or of all its vectors if it has none. Keys
        that are no fields of the model count for nothing. A value is written as in the vocabulary: that of a CSV as its
        cell; of Parquet ``2026-01-20`` for a date, ``true`` or ``false``, and a whole float without decimals.

        Raises:
            PackedError: a sample is no mapping, lacks a field or has a value that is neither text nor whole number; or
                the vocabulary is missing or not the model's; or as in :meth:`logits`.
        """
        ids, unknown = self._encode(samples)
        e = np.where(unknown[..., None], self.tensors["unknown.embedding"], self.embedding(ids))
        first = None
        if self.first_order:
            first = np.where(unknown[..., None], self.tensors["unknown.first_order"], self.first_order(ids))
        return np.exp(-np.logaddexp(0, -self._finite(self._forward(e, first))))

    def _encode(self, samples: Iterable[Mapping[str, str | int]]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Ids ``[B, M]``, and which of them stand for a value never seen."""
        if self._numbers is None:
            self._numbers = self._vocabulary()
        if isinstance(samples, Mapping) or not isinstance(samples, Iterable):
            raise PackedError(f"samples: expected a list of mappings, found {type(samples).__name__}")
        found = [
            [place.get(value, -1) for place, value in zip(self._numbers, self._values(n, sample), strict=True)]
            for n, sample in enumerate(samples)
        ]
        ids = np.array(found, np.int64).reshape(-1, len(self.model["fields"]))
        offsets = self.embedding.offsets[:-1]
        return np.where(ids < 0, offsets, ids + offsets), ids < 0

    def _values(self, n: int, sample: object) -> list[str]:
        """Raw values of the n-th sample, in the order of the fields."""
        if not isinstance(sample, Mapping):
            raise PackedError(f"sample {n}: expected a mapping of fields to values, found {type(sample).__name__}")
        for field in self.model["fields"]:
            if field not in sample:
                raise PackedError(f"sample {n}: expected a value for {field}, found {_shown(list(sample))}")
        return [
            _text(sample[field], f"sample {n}: expected text or a whole number for {field}")
            for field in self.model["fields"]
        ]

    def _vocabulary(self) -> list[dict[str, int]]:
        """Of each field the place of every value."""
        path = self.path.with_suffix(VOCABULARY)
        if not path.exists():
            raise PackedError(f"{path}: expected the vocabulary of {self.path.name}, found no such file")
        raw = path.read_bytes()
        if hashlib.sha256(raw).hexdigest() != self.model["vocabulary_sha256"]:
            raise PackedError(f"{path}: expected the vocabulary of {self.path.name}, found another")
        try:
            known = loads(raw)
            return [
                _numbers_of(known[m], size) for m, size in zip(self.model["fields"], self.model["sizes"], strict=True)
            ]
        except (ValueError, KeyError, TypeError) as error:
            raise PackedError(f"{path}: expected of each field a list of its values, all different") from error

    def _finite(self, logits: NDArray[np.float64]) -> NDArray[np.float64]:
        """The logits, if all are finite: the file's numbers are, but their products may overflow."""
        if not (finite := np.isfinite(logits)).all():
            raise PackedError(f"{self.path}: expected finite logits, found {logits[~finite][0]}")
        return logits

    def _forward(self, e: NDArray[np.floating], first: Floats | None) -> NDArray[np.float64]:
        """The model on vectors ``[B, M, X]`` and first-order weights ``[B, M, 1]``: logits ``[B]``, in float64."""
        t = self.tensors
        e = np.asarray(e, np.float64)
        x: NDArray[np.float64] = np.reshape(e, (len(e), e.shape[1] * e.shape[2]))
        if self.model["model"] == "deepfm":
            assert first is not None
            pairs = (np.square(e.sum(1)).sum(1) - np.square(e).sum((1, 2))) / 2
            return t["rest.bias"] + first.sum((1, 2), dtype=np.float64) + pairs + self._mlp(x)[:, 0]
        if self.model["model"] == "pnn":
            m, n = np.triu_indices(e.shape[1], 1)
            products = (e @ e.transpose(0, 2, 1))[:, m, n]
            return self._mlp(np.concatenate([x, products], 1))[:, 0]
        cross = x
        for layer in range(sum(name.startswith("rest.cross.biases.") for name in t)):
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


def _text(value: object, expected: str) -> str:
    """A raw value as a vocabulary has it."""
    if isinstance(value, str | Integral) and not isinstance(value, bool):
        with suppress(ValueError):  # Python prints no whole number of so many digits
            return str(value)
    raise PackedError(f"{expected}, found {_shown(value)}")


def _shown(value: object) -> str:
    """A value for a message, cut where it is long."""
    try:
        return shortened(value)
    except ValueError:
        return f"{type(value).__name__} of too many digits"


def _numbers_of(values: list[str], size: int) -> dict[str, int]:
    """Place of each value of a field among its ids."""
    places = {value: n for n, value in enumerate(values)}
    if not isinstance(values, list) or len(places) != len(values) or len(values) != size:
        raise ValueError(f"expected {size} values, all different")
    if not all(isinstance(value, str) for value in values):
        raise TypeError("expected texts")
    return places
