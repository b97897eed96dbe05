"""MPE, mixed-precision embeddings (Li et al., VLDB 2025, section 3): features of like frequency share a bit width."""

from __future__ import annotations

import torch
from pydantic import NonNegativeFloat, PositiveInt
from torch import Tensor, nn
from torch.nn import functional as F

from autodpq_rivals.rival import FLOAT, FullTable, packed_bytes, ranks
from autodpq_rivals.rounding import Rounding

GROUPS = 128
#: Candidate bit widths beside 0, which makes a vector zero.
BITS = (1, 2, 3, 4, 5, 6)
TAU = 3e-3
#: Epochs of the search where nothing is said: more than any training has.
LONGEST = 1000
#: Bits that store a group's bit width, 0 to 6.
CODE = 3


class MPE(Rounding):
    """Search: ``e_x = sum_b softmax(gamma_g / tau)_b Q_b(w_x)``, g the group of x, ``Q_0 = 0``, ``gamma`` from 0.

    Features, the most frequent first, are cut into 128 groups of equal size. The loss gets ``price sum_g sum_b p_gb b /
    (count_g / min count)``: rare features give up bits first. :meth:`settle` ends the search. Each group gets its
    largest b with ``p_gb >= 1 / (2 * 7)``, the rows start again where they began, and steps, c and the rest go on.

    Args:
        table: the full table.
        price: the price of a bit, the paper's lambda.
        search_epochs: the most that the search may take; it ends earlier where validation AUC no longer rises.
    """

    group: Tensor
    weight: Tensor
    bits: Tensor
    start: Tensor

    def __init__(self, table: FullTable, *, price: NonNegativeFloat, search_epochs: PositiveInt = LONGEST) -> None:
        super().__init__(table, BITS)
        self.price = price
        self.search_epochs = search_epochs
        group = ranks(table.schema.counts) // -(-table.rows // GROUPS)
        counts = torch.zeros(int(group.max()) + 1).index_add_(0, group, table.schema.counts.float())
        self.gamma = nn.Parameter(torch.zeros(len(counts), 1 + len(BITS)))
        self.register_buffer("group", group, persistent=False)  # [N]
        self.register_buffer("weight", counts.min() / counts, persistent=False)  # [G]
        self.register_buffer("bits", torch.full_like(counts, -1, dtype=torch.int64))  # [G], -1 while searching
        self.register_buffer("start", self.rows.table.detach().clone())

    def probabilities(self) -> Tensor:
        """p_gb, ``[G, 7]``: a softmax during the search, then 1 for the group's width."""
        if self.bits[0] < 0:
            return torch.softmax(self.gamma / TAU, 1)
        return F.one_hot(self.bits, 1 + len(BITS)).to(self.gamma.dtype)

    def vectors(self, features: Tensor) -> Tensor:
        """Vectors of distinct features: int64 ``[U]`` -> ``[U, X]``."""
        p = F.embedding(self.group[features], self.probabilities())[:, 1:]  # [U, 6]
        return torch.einsum("ub,bux->ux", p, self.rounded(features))

    def extra_loss(self) -> Tensor:
        """The price of the bits, ``[]``."""
        bits = self.probabilities()[:, 1:] @ self.widths.float()  # [G]
        return self.price * bits @ self.weight

    @torch.no_grad()
    def settle(self) -> None:
        """End the search: each group gets its width, and the rows go back to their start."""
        likely = self.probabilities()[:, 1:] >= 1 / (2 * (1 + len(BITS)))  # [G, 6]
        self.bits.copy_((likely * self.widths).amax(1))
        self.rows.table.copy_(self.start)

    @staticmethod
    def size(table: FullTable, **_: float) -> int:
        """The least, when no group has any bits: the search decides."""
        groups = -(-table.rows // -(-table.rows // GROUPS))
        return packed_bytes(groups, CODE) + FLOAT * (len(BITS) + table.dim)

    def served_bytes(self) -> int:
        """Each group's codes and its width, six steps, and c."""
        sizes, dim = torch.bincount(self.group), len(self.centre)
        codes = sum(packed_bytes(n * dim, b) for n, b in zip(sizes.tolist(), self.bits.tolist(), strict=True))
        return codes + packed_bytes(len(sizes), CODE) + FLOAT * (len(BITS) + dim)
