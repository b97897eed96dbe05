"""DPQ with a (K, D) of its own for each field: what Grid, Random and the retrain step train."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn

from autodpq_data.schema import Schema
from autodpq_lib.config import Decision
from autodpq_lib.embedding.candidates import Candidates
from autodpq_lib.embedding.compressed import AT_ONCE, Compressed
from autodpq_lib.embedding.init import Init
from autodpq_lib.embedding.quantiser import Coding, Quantiser, module_name
from autodpq_lib.embedding.quantisers import quantise


class DPQ(Compressed):
    """Product-quantised low-frequency features (sections 2 and 3.3; no BatchNorm).

    Args:
        schema: the data set's fields and low-frequency features.
        dim: embedding dimension X.
        init: fills raw rows and centroids.
        decision: (K, D) of every field that has low-frequency features.
        coding: how the quantisers encode and decode.

    Raises:
        ValueError: the fields of ``decision`` are not exactly those with low-frequency features.

    Example:
        >>> counts = torch.tensor([90, 90, 90, 1, 2, 3])  # of six features: the last three are low-frequency
        >>> schema = Schema("example", ("age", "zip"), (2, 4), counts, threshold=40, fingerprint="")
        >>> embedding = DPQ(schema, 8, nn.init.normal_, {"zip": (4, 2)})
        >>> embedding(torch.tensor([[0, 3], [1, 2]])).shape
        torch.Size([2, 2, 8])
        >>> embedding.codes()["zip"].shape  # three features, D = 2
        torch.Size([3, 2])
    """

    def __init__(self, schema: Schema, dim: int, init: Init, decision: Decision, coding: Coding = Coding()) -> None:
        if set(decision) != set(schema.low_fields):
            raise ValueError(f"decision: expected a pair for {schema.low_fields}, found {tuple(decision)}")
        super().__init__(schema, dim, init)
        self.decision = {name: decision[name] for name in schema.low_fields}
        each = {module_name(name): Quantiser([k], d, dim, init, coding) for name, (k, d) in self.decision.items()}
        self.quantisers = nn.ModuleDict(each)

    def quantisers_of(self, name: str) -> list[Quantiser]:
        """A field's one quantiser."""
        return [cast(Quantiser, self.quantisers[module_name(name)])]

    def compress(self, e: Tensor, sizes: list[int]) -> Tensor:
        """Encode and decode each field's vectors with its quantiser: ``[P, X]`` -> ``[P, X]``."""
        return quantise(e, sizes, [self.quantisers_of(name) for name in self.low_fields]).squeeze(1)

    def codes(self) -> dict[str, Tensor]:
        """Integer codes of the low-frequency features, per field, in the order of ids: int64 ``[L_m, D_m]``."""
        return {name: self._codes(n, *self.quantisers_of(name)) for n, name in enumerate(self.low_fields)}

    def _codes(self, n: int, quantiser: Quantiser) -> Tensor:
        # In the same parts as the look-up: other shapes may round differently, and so break ties differently.
        return torch.cat([quantiser.encode(self.rows(part))[0].T for part in self.low_of(n).split(AT_ONCE)])

    def codebook_use(self) -> dict[str, float]:
        """Share of the K_m * D_m centroids of each field that some feature's code names; the rest are dead."""
        used = {name: sum(len(column.unique()) for column in codes.T) for name, codes in self.codes().items()}
        return {name: used[name] / (k * d) for name, (k, d) in self.decision.items()}

    def decode(self, codes: Mapping[str, Tensor]) -> Tensor:
        """Vectors of all low-frequency features, in the order of ids, from :meth:`codes`: ``[L, X]``."""
        parts = [self.quantisers_of(name)[0].decode(codes[name].T[None]) for name in self.low_fields]
        return torch.cat(parts).squeeze(1)

    @torch.no_grad()
    def adopt(self, mixture: Candidates) -> None:
        """Start from the centroids that the search trained for the pairs of this decision."""
        for name, (k, d) in self.decision.items():
            theirs, t = mixture.quantiser(name, (k, d))
            (mine,) = self.quantisers_of(name)
            for target, source in zip(mine.parameters(), theirs.parameters(), strict=True):
                target[0] = source[t, :, :k]
        self._forget()
