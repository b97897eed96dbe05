"""What DPQ and the search share: low-frequency features are replaced, kept ones pass through."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from autodpq_data.schema import Schema
from autodpq_lib.embedding.full import Full
from autodpq_lib.embedding.init import Init
from autodpq_lib.embedding.quantiser import Quantiser

#: Features compressed together in evaluation; a bound on memory.
AT_ONCE = 1 << 16


class Compressed(Full):
    """Raw table of all features, whose low-frequency rows go through :meth:`compress` before use.

    While training, only the batch's low-frequency (row, field) pairs are compressed. In evaluation mode all such
    features are compressed once, until mode, weights, device or centroids are set anew.
    """

    low: Tensor
    low_field: Tensor
    low_rank: Tensor

    def __init__(self, schema: Schema, dim: int, init: Init) -> None:
        super().__init__(schema.num_features, dim, init)
        self.low_fields = schema.low_fields
        self.register_buffer("low", schema.low, persistent=False)
        self.register_buffer("low_field", schema.low_field, persistent=False)
        # Low-frequency feature -> its rank among all low-frequency features.
        self.register_buffer("low_rank", torch.cumsum(schema.low, 0) - 1, persistent=False)
        self._lookup: Tensor | None = None
        # Not a bound method: a copied model would still call the original's. Not a lambda: models are pickled.
        self.register_load_state_dict_post_hook(Compressed._forget)

    def quantisers_of(self, name: str) -> list[Quantiser]:
        """The quantisers of a low-frequency field."""
        raise NotImplementedError

    def cluster(self, seed: int) -> None:
        """Start all centroids from the k-means of the raw rows, as they are now, field by field."""
        for n, name in enumerate(self.low_fields):
            for quantiser in self.quantisers_of(name):
                quantiser.cluster(self.rows(self.low_of(n)).detach(), seed)
        self._forget()

    def spare_raw_rows(self, weight_decay: float) -> None:
        """Take coupled weight decay off the raw low-frequency rows, which only feed an encoder."""

        def spare(grad: Tensor) -> Tensor:
            low = self.low.nonzero().squeeze(1)
            return grad.index_add(0, low, self.table.data[low], alpha=-weight_decay)

        self.table.register_hook(spare)

    def compress(self, e: Tensor, sizes: list[int]) -> Tensor:
        """Raw vectors, field by field, ``sizes[n]`` of the n-th, -> the vectors used instead; both ``[P, X]``."""
        raise NotImplementedError

    def forward(self, ids: Tensor) -> Tensor:
        """Vectors of the features: ids int64 ``[B, M]`` -> ``[B, M, X]``."""
        flat = ids.flatten()  # [B * M]
        e = self.rows(flat)  # [B * M, X]
        field, row = self.low.index_select(0, flat).view_as(ids).T.nonzero(as_tuple=True)  # [P] each
        pairs = row * ids.shape[1] + field  # [P], positions of low-frequency features in `flat`, field by field
        if len(pairs):
            low = flat[pairs]  # [P]
            raw = e.index_select(0, pairs)  # [P, X]
            used = self._compress_rows(raw, low) if self.training else self.low_vectors()[self.low_rank[low]]
            e.index_copy_(0, pairs, used)
        return e.view(*ids.shape, -1)

    def _compress_rows(self, e: Tensor, low: Tensor) -> Tensor:
        """Low-frequency features, field by field, int64 ``[P]``: raw vectors -> the vectors used instead ``[P, X]``."""
        return self.compress(e, torch.bincount(self.low_field[low], minlength=len(self.low_fields)).tolist())

    def low_of(self, n: int) -> Tensor:
        """The low-frequency features of the n-th field that has any, int64 ``[L_n]``."""
        return (self.low_field == n).nonzero().squeeze(1)

    @torch.no_grad()
    def low_vectors(self) -> Tensor:
        """Vectors of all low-frequency features in the order of ids, ``[L, X]``, computed once per evaluation."""
        if self._lookup is None:
            self._lookup = self.table.new_empty(int(self.low.sum()), self.table.shape[1])
            for n in range(len(self.low_fields)):
                for part in self.low_of(n).split(AT_ONCE):
                    self._lookup[self.low_rank[part]] = self._compress_rows(self.rows(part), part)
        return self._lookup

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Compressed:
        """Forget what evaluation has looked up: on another device, or of another type, it is another."""
        self._forget()
        super()._apply(fn, recurse)
        return self

    def train(self, mode: bool = True) -> Compressed:
        """Switch mode and forget what evaluation has looked up."""
        self._forget()
        super().train(mode)
        return self

    def _forget(self, *_: object) -> None:
        self._lookup = None
