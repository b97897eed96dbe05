"""DHE, deep hash embedding (Kang et al., KDD 2021, section 4): no rows, but a net on many hashes of the id."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import torch
from pydantic import PositiveInt
from torch import Tensor, nn

from autodpq_lib.embedding.init import NORMAL_SD
from autodpq_rivals.rival import FLOAT, SEED, FullTable, Options, Rival, hash_functions

#: m: a hash function maps to 0 to m - 1.
BUCKETS = 10**6
HIDDEN = 5


class DHE(Rival):
    """``e_x = net(2 u / (m - 1) - 1)`` with ``u_j = ((a_j (x + 1) + b_j) mod p_j) mod m``, j = 1 to k, m = 10^6.

    The net is five times Linear, BatchNorm, Mish, and a last Linear, one net for the features of all fields. BatchNorm
    takes its statistics over the distinct features of a batch. The last layer starts small in every recipe: of weights
    N(0, 1), as recipe ``paper`` starts first-order weights, a net makes logits of about ten.

    Args:
        table: the full table.
        hashes: k.
        width: d, the width of the five hidden layers.
    """

    slope: Tensor
    offset: Tensor
    prime: Tensor
    inputs: Tensor

    def __init__(self, table: FullTable, *, hashes: PositiveInt, width: PositiveInt) -> None:
        super().__init__()
        slope, offset = hash_functions(hashes, BUCKETS)
        found = primes()
        self.register_buffer("slope", slope)
        self.register_buffer("offset", offset)
        self.register_buffer("prime", found[torch.randint(len(found), (hashes,))])
        layers: list[nn.Module] = []
        for inputs in [hashes] + [width] * (HIDDEN - 1):
            layers += [nn.Linear(inputs, width), nn.BatchNorm1d(width), nn.Mish()]
        last = nn.Linear(width, table.dim)
        nn.init.normal_(last.weight, std=NORMAL_SD)
        self.net = nn.Sequential(*layers, last)
        # Hashed once: to hash in every step would take longer than the net. A server has no such table.
        self.register_buffer("inputs", self.encode(torch.arange(table.rows)), persistent=False)
        self.register_load_state_dict_post_hook(DHE.hash_again)

    @staticmethod
    def for_weights(options: Options) -> Options:
        """A net of its own, small beside the other: 32 hashes, a quarter of the width."""
        return {"hashes": 32, "width": max(1, options["width"] // 4)}

    def encode(self, features: Tensor) -> Tensor:
        """The net's inputs, in [-1, 1]: int64 ``[U]`` -> ``[U, k]``."""
        hashed = ((features[:, None] + 1) * self.slope + self.offset) % self.prime % BUCKETS
        return hashed * (2 / (BUCKETS - 1)) - 1

    def hash_again(self, *_: object) -> None:
        """Make the inputs of all features again, by the hash functions that were loaded."""
        self.inputs.copy_(self.encode(torch.arange(len(self.inputs), device=self.inputs.device)))

    def vectors(self, features: Tensor) -> Tensor:
        """Vectors of distinct features: int64 ``[U]`` -> ``[U, X]``."""
        return self.net(self.inputs.index_select(0, features))

    @staticmethod
    def size(table: FullTable, *, hashes: int, width: int) -> int:
        """``(k + 1) d + 4 d (d + 1) + X (d + 1)`` floats, BatchNorm folded into the layer before it, and a seed."""
        floats = (hashes + 1) * width + (HIDDEN - 1) * width * (width + 1) + table.dim * (width + 1)
        return FLOAT * floats + SEED

    def served_bytes(self) -> int:
        """The linear layers, into which BatchNorm is folded, and the seed of the hash functions."""
        linear = [layer for layer in self.net if isinstance(layer, nn.Linear)]
        return FLOAT * sum(p.numel() for layer in linear for p in layer.parameters()) + SEED


@cache
def primes() -> Tensor:
    """The primes between m and 2 m, int64."""
    sieve = np.ones(2 * BUCKETS, bool)
    for n in range(2, math.isqrt(len(sieve)) + 1):
        sieve[n * n :: n] = False
    return torch.from_numpy(np.flatnonzero(sieve[BUCKETS:]) + BUCKETS)
