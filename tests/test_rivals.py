"""Each rival against a loop over features, its size by hand, and what all of them have in common."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from conftest import COUNTS, small_config
from torch import Tensor, nn
from torch.nn import functional as F

from autodpq_data.schema import Schema
from autodpq_lib.embedding.full import Full
from autodpq_lib.models.build import assemble
from autodpq_rivals.dhe import DHE, primes
from autodpq_rivals.double_hash import PRIME, DoubleHash
from autodpq_rivals.int_b import IntB, quantise
from autodpq_rivals.lsq import LSQ, Rounded
from autodpq_rivals.mpe import MPE, TAU
from autodpq_rivals.qr import QR
from autodpq_rivals.rival import Rival, packed, ranks

N = 14
IDS = torch.tensor([[2, 6, 12], [0, 7, 13], [2, 8, 9], [5, 6, 10]])


def normal(tensor: Tensor) -> Tensor:
    return tensor.normal_()


def by_hand(rival: Rival, x: int) -> Tensor:
    """The vector of one feature, as the definitions in the docstrings say it."""
    return HAND[type(rival)](rival, x)


def double_hash(rival: DoubleHash, x: int) -> Tensor:
    rank = sorted(range(N), key=lambda n: (-int(COUNTS[n]), n)).index(x)
    if rank < rival.kept:
        return rival.rows.table[rank]
    a, b = rival.slope.tolist(), rival.offset.tolist()
    return sum(rival.rows.table[rival.kept + (a[i] * rank + b[i]) % PRIME % rival.shared] for i in range(2))


def qr(rival: QR, x: int) -> Tensor:
    return rival.quotient.table[x // rival.collisions] * rival.remainder.table[x % rival.collisions]


def dhe(rival: DHE, x: int) -> Tensor:
    numbers = zip(rival.slope.tolist(), rival.offset.tolist(), rival.prime.tolist(), strict=True)
    u = [(a * (x + 1) + b) % p % 10**6 for a, b, p in numbers]
    return rival.net(torch.tensor([[2 * n / (10**6 - 1) - 1 for n in u]]))[0]


def lsq(rival: LSQ, x: int) -> Tensor:
    return rounded(rival, x, 0)


def rounded(rival: LSQ, x: int, t: int) -> Tensor:
    bits, a, out = int(rival.widths[t]), float(rival.step[t].abs()), []
    for w, c in zip(rival.rows.table[x].tolist(), rival.centre.tolist(), strict=True):
        nearest = min(range(-(2 ** (bits - 1)), 2 ** (bits - 1)), key=lambda n: abs((w - c) / a - n))
        out.append(a * nearest + c)
    return torch.tensor(out)


def mpe(rival: MPE, x: int) -> Tensor:
    rank = sorted(range(N), key=lambda n: (-int(COUNTS[n]), n)).index(x)  # a group of its own for each: 14 < 128
    p = [math.exp(float(g) / TAU) for g in rival.gamma[rank]]
    return sum(p[t + 1] / sum(p) * rounded(rival, x, t) for t in range(6))


def int_b(rival: IntB, x: int) -> Tensor:
    return rival.table[x]


HAND = {DoubleHash: double_hash, QR: qr, DHE: dhe, LSQ: lsq, MPE: mpe, IntB: int_b}


def wide(rival: Rival) -> Rival:
    """Weights far from where they start, so that clips, sums and statistics matter."""
    for p in rival.parameters():
        p.data.normal_(0.1, 0.5)
    return rival


def every(schema: Schema, dim: int) -> list[Rival]:
    torch.manual_seed(1)
    return [
        wide(DoubleHash(schema, dim, normal, kept=4, shared=5)),
        wide(QR(schema, dim, collisions=4)),
        wide(DHE(schema, dim, normal, hashes=6, width=5)),
        wide(LSQ(schema, dim, bits=3)),
        wide(MPE(schema, dim, price=0.1)),
        IntB(schema, dim, bits=3),
    ]
