"""The search's embedding: a Gumbel-softmax mixture of all candidates (section 3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from autodpq_data.schema import Schema
from autodpq_lib.config import Decision
from autodpq_lib.embedding.compressed import Compressed
from autodpq_lib.embedding.init import Init
from autodpq_lib.embedding.quantiser import Coding, Quantiser, gumbel, module_name
from autodpq_lib.embedding.quantisers import quantise

#: Spread of the initial structural weights, as in DARTS: no candidate is preferred, ties are broken.
ALPHA_SD = 1e-3


class FieldNorm(nn.Module):
    """Eq. 2 for one field: BatchNorm without affine, separately for each candidate t and dimension.

    A single row has no variance: it is normalised with the running statistics, which stay as they are. Rows that are
    all alike become zero.
    Eq. 2 is there "to unify the order of the magnitude"; under the text's reading that order is the raw rows' own.

    Args:
        candidates: their number T.
        dim: embedding dimension X.
    """

    mean: Tensor
    variance: Tensor
    scale: Tensor | None  # [X]
    shift: Tensor | None  # [X]

    def __init__(self, candidates: int, dim: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(candidates * dim))
        self.register_buffer("variance", torch.ones(candidates * dim))
        self.register_buffer("scale", None, persistent=False)
        self.register_buffer("shift", None, persistent=False)

    def forward(self, e: Tensor) -> Tensor:
        """Normalise over the rows of the batch: ``[P, T, X]`` -> ``[P, T, X]``."""
        own = self.training and len(e) >= 2
        # [P, T, X]: a mean and a variance for each of the T * X columns.
        unit = F.batch_norm(e.flatten(1), self.mean, self.variance, training=own).view_as(e)
        return unit if self.scale is None or self.shift is None else unit * self.scale + self.shift

    @torch.no_grad()
    def bring_back_to(self, e: Tensor) -> None:
        """From now on, scale the output to the per-dimension mean and standard deviation of ``e``, ``[L, X]``."""
        self.shift, self.scale = e.mean(0), e.std(0, correction=0)


class Candidates(Compressed):
    """Weighted sum of all T candidates of each field, ``e_m = sum_t p_m^t * ~e_m^t`` (Eq. 3).

    ``p_m = softmax((alpha_m + g) / tau)`` with Gumbel noise g ``[T]`` while training, drawn afresh in each forward pass
    for each field and shared by its rows; no noise in evaluation. The search sets :attr:`tau` as it anneals.

    Args:
        schema: the data set's fields and low-frequency features.
        dim: embedding dimension X.
        init: fills raw rows and centroids.
        candidates: the T pairs (K, D).
        coding: how the quantisers encode and decode.
        batchnorm: apply Eq. 2.
        quantise: False (a control) makes each candidate the raw vector itself.

    Example:
        >>> counts = torch.tensor([90, 90, 90, 1, 2, 3])  # of six features: the last three are low-frequency
        >>> schema = Schema("example", ("age", "zip"), (2, 4), counts, threshold=40, fingerprint="")
        >>> embedding = Candidates(schema, 8, nn.init.normal_, [(4, 2), (8, 2), (4, 4)])
        >>> embedding(torch.tensor([[0, 3], [1, 2]])).shape
        torch.Size([2, 2, 8])
        >>> embedding.alpha.shape  # one field to decide on, three candidates
        torch.Size([1, 3])
    """

    def __init__(
        self,
        schema: Schema,
        dim: int,
        init: Init,
        candidates: Sequence[tuple[int, int]],
        coding: Coding = Coding(),
        *,
        batchnorm: bool = True,
        quantise: bool = True,
    ) -> None:
        super().__init__(schema, dim, init)
        #: The pairs in the order of alpha and of the mixture, which is by D.
        self.pairs = sorted(candidates, key=lambda pair: pair[1])
        self.tau, self.quantise = 1.0, quantise
        sizes = {d: [k for k, other in self.pairs if other == d] for _, d in self.pairs}
        self.quantisers = nn.ModuleDict()
        for name in self.low_fields:
            each = {str(d): Quantiser(ks, d, dim, init, coding) for d, ks in sizes.items()}
            self.quantisers[module_name(name)] = nn.ModuleDict(each)
        self.norms = nn.ModuleList(FieldNorm(len(self.pairs), dim) for _ in self.low_fields) if batchnorm else None
        self.alpha = nn.Parameter(torch.randn(len(self.low_fields), len(self.pairs)) * ALPHA_SD)

    def quantisers_of(self, name: str) -> list[Quantiser]:
        """A field's quantisers, one for each D."""
        return cast(list[Quantiser], list(cast(nn.ModuleDict, self.quantisers[module_name(name)]).values()))

    def keep_scale(self) -> None:
        """From now on, scale Eq. 2's output to the mean and deviation that each field's raw rows have now."""
        for n, norm in enumerate(self.norms or ()):
            cast(FieldNorm, norm).bring_back_to(self.rows(self.low_of(n)))

    def compress(self, e: Tensor, sizes: list[int]) -> Tensor:
        """Mixture of the candidates: raw vectors, field by field, ``[P, X]`` -> ``[P, X]``."""
        of_rows = torch.tensor(sizes, device=e.device)
        p = self.probabilities().repeat_interleave(of_rows, 0, output_size=len(e))  # [P, T]
        return torch.bmm(p[:, None], self.each(e, sizes)).squeeze(1)  # [P, 1, T] @ [P, T, X]

    def each(self, e: Tensor, sizes: list[int]) -> Tensor:
        """All candidates' vectors, normalised in each field: ``[P, X]`` -> ``[P, T, X]``."""
        if self.quantise:
            decoded = quantise(e, sizes, [self.quantisers_of(name) for name in self.low_fields])
        else:
            decoded = e[:, None].expand(-1, len(self.pairs), -1)
        if self.norms is None:
            return decoded
        parts = zip(self.norms, decoded.split(sizes), strict=True)
        return torch.cat([norm(part) for norm, part in parts if len(part)])

    def probabilities(self) -> Tensor:
        """``p_m^t``, ``[F, T]`` for F fields with low-frequency features; while training, each call draws new noise."""
        logits = self.alpha + gumbel(self.alpha) if self.training else self.alpha
        return torch.softmax(logits / self.tau, dim=-1)

    def decision(self) -> Decision:
        """The candidate with the largest weight, for each field (section 3.3)."""
        best = self.alpha.argmax(1).tolist()
        return {name: self.pairs[t] for name, t in zip(self.low_fields, best, strict=True)}

    def quantiser(self, name: str, pair: tuple[int, int]) -> tuple[Quantiser, int]:
        """The quantiser that holds a field's candidate, and the candidate's index t in it."""
        alike = [other for other in self.pairs if other[1] == pair[1]]
        return cast(Quantiser, cast(nn.ModuleDict, self.quantisers[module_name(name)])[str(pair[1])]), alike.index(pair)
