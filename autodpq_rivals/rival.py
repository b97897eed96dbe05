"""What every rival is: an embedding that knows how many bytes serving it takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor, nn

from autodpq_data.schema import Schema
from autodpq_lib.embedding.init import Init
from autodpq_lib.embedding.rows import rows

#: Bytes of a served number: float16, as in the compressor.
FLOAT = 2
#: Bits of an integer; float16 would do from 16 on.
Bits = Annotated[int, Field(ge=1, lt=16)]
#: Bytes of a seed, from which a server draws the hash functions again.
SEED = 8
#: What a rival's constructor takes by name, e.g. ``{"bits": 4}``.
Options = dict[str, Any]
#: Before an option's name: it is that of the first-order weights, which otherwise have the embedding's.
FIRST_ORDER = "first_order_"


@dataclass(frozen=True)
class FullTable:
    """The full table that a rival stands for.

    Attributes:
        schema: the features of its N rows and their counts.
        dim: embedding dimension X; 1 for first-order weights.
        init: how its rows start; some methods have a start of their own.
    """

    schema: Schema
    dim: int
    init: Init

    @property
    def rows(self) -> int:
        """N."""
        return self.schema.num_features


class Rival(nn.Module):
    """Embedding of ids ``[B, M]``, interchangeable with :class:`autodpq_lib.embedding.full.Full`.

    It is made from a :class:`FullTable` and options, which tell its ``size`` in bytes before it is made. A rival that
    has a term of its own in the loss has a method ``extra_loss() -> Tensor``, ``[]``, for the last batch.

    Attributes:
        make_first_order: makes DeepFM's first-order weights, by the same method.
    """

    size: Callable[..., int]
    make_first_order: Callable[[], Rival]

    @staticmethod
    def for_weights(options: Options) -> Options:
        """Options of first-order weights, an embedding of width 1, but for their own: made from the embedding's."""
        return options

    def forward(self, ids: Tensor) -> Tensor:
        """Vectors of the features: ids int64 ``[B, M]`` -> ``[B, M, X]``; each feature's is made once."""
        features, places, _ = distinct(ids)
        return rows(self.vectors(features), places.flatten()).view(*ids.shape, -1)

    def vectors(self, features: Tensor) -> Tensor:
        """Vectors of distinct features: int64 ``[U]`` -> ``[U, X]``."""
        raise NotImplementedError

    @torch.no_grad()
    def store(self) -> None:
        """Round every trained number to the nearest float16.

        Of rivals with codes that includes the rows that codes are made from, which are not stored: a few codes move by
        it. DHE stores its layers with BatchNorm folded in, which differ by about a thousandth of a vector.
        """
        for number in self.parameters():
            number.copy_(number.half())

    def served_bytes(self) -> int:
        """Bytes of all that serving needs: the trained numbers, where a rival does not say otherwise."""
        return FLOAT * sum(number.numel() for number in self.parameters())


def split_options(options: Options) -> tuple[Options, Options]:
    """Options of the embedding, and those that first-order weights have of their own, without :data:`FIRST_ORDER`."""
    own = {key.removeprefix(FIRST_ORDER): value for key, value in options.items() if key.startswith(FIRST_ORDER)}
    return {key: value for key, value in options.items() if not key.startswith(FIRST_ORDER)}, own


def distinct(ids: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Ascending features ``[U]`` of a batch, each id's place among them ``[B, M]``, how often each occurs ``[U]``.

    The same as ``unique``, but without sorting all B M ids, which took a fifth of a step.
    """
    counts = ids.flatten().bincount()
    features = counts.nonzero().squeeze(1)
    return features, (counts.bool().cumsum(0) - 1)[ids], counts[features]


def packed_bytes(codes: int, bits: int) -> int:
    """Bytes of ``codes`` codes of ``bits`` bits each, one after the other: ``ceil(codes * bits / 8)``."""
    return -(-codes * bits // 8)


def ranks(counts: Tensor) -> Tensor:
    """Rank of each feature by descending count, int64 ``[N]``; ties go to the smaller id.

    Methods that treat features by frequency number them so. Training maps the suite's ids, which are sorted by value,
    to these ranks; a server would use ranks as ids from the start, so the map is not counted.
    """
    return counts.argsort(descending=True, stable=True).argsort()


def hash_functions(k: int, below: int) -> tuple[Tensor, Tensor]:
    """Slopes in ``[1, below)`` and offsets in ``[0, below)`` of k hash functions ``a x + b``, int64 ``[k]`` each."""
    return torch.randint(1, below, (k,)), torch.randint(below, (k,))
