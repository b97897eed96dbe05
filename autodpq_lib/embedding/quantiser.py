"""The product quantiser of one field: differentiable encode and decode (section 2)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from autodpq_lib.embedding.init import Init
from autodpq_lib.embedding.straight_through import StraightThrough, look_up


class Quantiser(nn.Module):
    """T product quantisers of one field, with D subspaces each and a K of their own.

    The softmax form of DPQ (DPQ-SX): the code of a vector ``e`` in subspace ``i`` is
    ``argmax_k <e^(i), q_k^(i)>`` (Eq. 1), and the vector used instead is the concatenation of the chosen
    centroids. Going forward the choice is hard; going backward its gradient is that of
    ``softmax_k(<e^(i), q_k^(i)> / tau)`` (straight-through).

    Args:
        sizes: K of each of the T quantisers.
        subspaces: D, a divisor of ``dim``.
        dim: embedding dimension X.
        init: fills the centroids.
        tied: decode with the centroids that encode (Figure 1 and the paper's Space say so).
        tau: softmax temperature of the backward pass, the paper's tau_KD.
        noise: add Gumbel noise to the responses while training.
    """

    absent: Tensor
    sizes: Tensor

    def __init__(
        self,
        sizes: Sequence[int],
        subspaces: int,
        dim: int,
        init: Init,
        *,
        tied: bool = True,
        tau: float = 1.0,
        noise: bool = False,
    ) -> None:
        super().__init__()
        shape = (len(sizes), subspaces, max(sizes), dim // subspaces)  # [T, D, K, X/D]
        # With several K the smaller tables are padded to the largest; a padded centroid is never chosen.
        self.register_buffer("sizes", torch.tensor(sizes), persistent=False)  # [T]
        absent = torch.arange(shape[2]) >= self.sizes[:, None]
        self.register_buffer("absent", absent[:, None, None], persistent=False)  # [T, 1, 1, K]
        self.centroids = nn.Parameter(self._table(shape, init))
        self.values = None if tied else nn.Parameter(self._table(shape, init))
        self.padded, self.tau, self.noise = len(set(sizes)) > 1, tau, noise

    def _table(self, shape: Sequence[int], init: Init) -> Tensor:
        return init(torch.empty(*shape)).masked_fill_(self.absent[:, :, 0, :, None], 0.0)

    @property
    def decoder(self) -> Tensor:
        """The table that decodes, ``[T, D, K, X/D]``: the centroids themselves when tied."""
        return self.centroids if self.values is None else self.values

    def tables(self) -> tuple[Tensor, ...]:
        """The centroids and, if they are not tied, the values."""
        return (self.centroids,) if self.values is None else (self.centroids, self.values)

    def forward(self, e: Tensor) -> Tensor:
        """Encode, decode, and let gradients through: ``[P, X]`` -> ``[P, T, X]``.

        In evaluation mode the vectors come from integer codes, with no gradient to the encoder.
        """
        if not self.training:
            return self.decode(self.encode(e))
        with torch.no_grad():
            responses = self.responses(e)
            if self.noise:
                responses += gumbel(responses)
        parts = self._parts(e)
        return _joined(StraightThrough.apply(parts, self.centroids, self.decoder, responses, self.tau))

    def responses(self, e: Tensor) -> Tensor:
        """``<e^(i), q_k^(i)>``: ``[P, X]`` -> ``[T, D, P, K]``."""
        responses = self._parts(e) @ self.centroids.transpose(2, 3)
        return responses.masked_fill(self.absent, -torch.inf) if self.padded else responses

    def encode(self, e: Tensor) -> Tensor:
        """Codes by Eq. 1: ``[P, X]`` -> int64 ``[T, D, P]``."""
        return self.responses(e).argmax(-1)

    def decode(self, codes: Tensor) -> Tensor:
        """Concatenated centroids of the codes: int64 ``[T, D, P]`` -> ``[P, T, X]``."""
        return _joined(look_up(self.decoder, codes))

    def _parts(self, e: Tensor) -> Tensor:
        """The D subspaces of vectors: ``[P, X]`` -> ``[D, P, X/D]``."""
        return e.unflatten(1, (self.centroids.shape[1], -1)).transpose(0, 1)


def _joined(parts: Tensor) -> Tensor:
    """``[T, D, P, X/D]`` -> ``[P, T, X]``."""
    return parts.permute(2, 0, 1, 3).flatten(2)


def gumbel(like: Tensor) -> Tensor:
    """Standard Gumbel noise of the shape of ``like`` (Jang et al., 2016)."""
    return -torch.empty_like(like).exponential_().log()
