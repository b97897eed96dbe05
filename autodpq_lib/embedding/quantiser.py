"""The product quantiser of one field: differentiable encode and decode (section 2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from autodpq_lib.embedding.init import Init
from autodpq_lib.embedding.kmeans import kmeans
from autodpq_lib.embedding.straight_through import StraightThrough, look_up

TAKEN = frozenset(dir(nn.ModuleDict()))


@dataclass(frozen=True)
class Coding:
    """How a quantiser encodes and decodes, apart from its size.

    Attributes:
        distance: a code is the centroid with the largest ``inner`` product (Eq. 1), or the ``nearest`` one (the text
            of section 2).
        tied: decode with the centroids that encode (Figure 1 and the paper's Space say so).
        tau: softmax temperature of the backward pass, the paper's tau_KD.
        noise: add Gumbel noise to the responses while training.
    """

    distance: Literal["inner", "nearest"] = "inner"
    tied: bool = True
    tau: float = 1.0
    noise: bool = False


def module_name(field: str) -> str:
    """The field's name if torch accepts it as a submodule's; otherwise a hex form of it.

    Torch wants a name that is not empty, has no dot, and does not clash with ``nn.ModuleDict``, as ``type`` does.
    """
    return f"field-{field.encode().hex()}" if not field or "." in field or field in TAKEN else field


class Quantiser(nn.Module):
    """T product quantisers of one field, with D subspaces each and a K of their own.

    The softmax form of DPQ (DPQ-SX): the code of a vector ``e`` in subspace ``i`` is ``argmax_k r_k`` with the response
    ``r_k = <e^(i), q_k^(i)>`` (Eq. 1) or, for the nearest centroid, ``r_k = -|e^(i) - q_k^(i)|^2``. The output
    is the concatenation of the chosen centroids, or of their values if untied. In the forward pass the choice is hard;
    in the backward pass its gradient is that of ``softmax_k(r_k / tau)`` (straight-through).

    Args:
        sizes: K of each of the T quantisers.
        subspaces: D, a divisor of ``dim``.
        dim: embedding dimension X.
        init: fills the centroids.
        coding: how it encodes and decodes.

    Example:
        >>> quantiser = Quantiser([4], 2, 8, nn.init.normal_).eval()
        >>> e = torch.randn(5, 8)
        >>> codes = quantiser.encode(e)  # [T, D, P]
        >>> codes.shape, quantiser.decode(codes).shape
        (torch.Size([1, 2, 5]), torch.Size([5, 1, 8]))
    """

    absent: Tensor
    sizes: Tensor

    def __init__(self, sizes: Sequence[int], subspaces: int, dim: int, init: Init, coding: Coding = Coding()) -> None:
        super().__init__()
        shape = (len(sizes), subspaces, max(sizes), dim // subspaces)  # [T, D, K, X/D]
        # With several K the smaller tables are padded to the largest; a padded centroid is never chosen.
        self.register_buffer("sizes", torch.tensor(sizes), persistent=False)  # [T]
        absent = torch.arange(shape[2]) >= self.sizes[:, None]
        self.register_buffer("absent", absent[:, None, None], persistent=False)  # [T, 1, 1, K]
        self.centroids = nn.Parameter(self._table(shape, init))
        self.values = None if coding.tied else nn.Parameter(self._table(shape, init))
        self.padded, self.coding = len(set(sizes)) > 1, coding

    def _table(self, shape: Sequence[int], init: Init) -> Tensor:
        return init(torch.empty(*shape)).masked_fill_(self.absent[:, :, 0, :, None], 0.0)

    @property
    def decoder(self) -> Tensor:
        """The table that decodes, ``[T, D, K, X/D]``: the centroids themselves when tied."""
        return self.centroids if self.values is None else self.values

    def keys_and_bias(self) -> tuple[Tensor, Tensor | None]:
        """Keys ``[T, D, K, X/D]`` and bias ``[T, D, K]``, if there is one: a response is ``<e, key> + bias``.

        The keys are the centroids (Eq. 1) or, for the nearest, ``2 q`` with the bias ``-|q|^2``: the responses are then
        ``-|e - q|^2 + |e|^2``, and ``|e|^2``, which all k share, changes neither the arg max nor the softmax.
        """
        if self.coding.distance == "nearest":
            return 2 * self.centroids, -self.centroids.square().sum(-1)
        return self.centroids, None

    def forward(self, e: Tensor) -> Tensor:
        """Encode, decode, and let gradients through: ``[P, X]`` -> ``[P, T, X]``.

        In evaluation mode the vectors come from integer codes, with no gradient to the encoder.
        """
        if not self.training:
            return self.decode(self.encode(e))
        with torch.no_grad():
            responses = self.responses(e)  # [T, D, P, K]
            if self.coding.noise:
                responses += gumbel(responses)
        keys, bias = self.keys_and_bias()
        return _joined(StraightThrough.apply(self._parts(e), keys, self.decoder, bias, responses, self.coding.tau))

    def responses(self, e: Tensor) -> Tensor:
        """``r_k``, up to what all k share: ``[P, X]`` -> ``[T, D, P, K]``."""
        keys, bias = self.keys_and_bias()
        responses = self._parts(e) @ keys.transpose(2, 3)  # [T, D, P, K]
        if bias is not None:
            responses = responses + bias.unsqueeze(2)
        return responses.masked_fill(self.absent, -torch.inf) if self.padded else responses

    @torch.no_grad()
    def cluster(self, e: Tensor, seed: int) -> None:
        """Set the centroids, keys and values alike, to the k-means centres of vectors ``[P, X]`` in each subspace.

        Where a subspace has fewer distinct parts than centroids, the remaining centroids stay as they are.
        """
        for t, size in enumerate(self.sizes.tolist()):
            for i, part in enumerate(self._parts(e)):
                centres = kmeans(part, size, seed)  # [<= K, X/D]
                for table in self.parameters():
                    table[t, i, : len(centres)] = centres

    def encode(self, e: Tensor) -> Tensor:
        """Codes, by Eq. 1 or the nearest centroid: ``[P, X]`` -> int64 ``[T, D, P]``."""
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
