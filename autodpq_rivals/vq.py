"""A table whose rows are replaced by their nearest centroids (Chen et al., ICML 2020, section 2, DPQ-VQ)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from autodpq_lib.embedding.full import Full
from autodpq_lib.embedding.rows import rows
from autodpq_rivals.books import Books
from autodpq_rivals.rival import FullTable, Options, Rival, distinct

#: The defaults of BatchNorm in TensorFlow, which the authors used.
EPSILON, MOMENTUM = 1e-3, 0.01


class VQ(Rival):
    """``q_x = [c^(1); ...; c^(D)]``, ``c^(i)`` the nearest of K centroids to the row's part ``e_x^(i)``.

    Forward q_x is used; backward its gradient is passed to the row. The centroids are moved by a term of the loss,
    ``|sg(e) - q|^2``, the mean over the batch's entries (sg: no gradient). Another term, ``beta |e - sg(q)|^2``, has
    beta = 0 in the authors' code and is left out. Codes and centroids are served, rows are not.

    Args:
        table: the full table.
        books: which centroids each feature may use.
        subspaces: D, a divisor of X.
        normed: standardise responses by :class:`CentroidNorm` before the arg max, as the authors' code does, so that no
            centroid goes unused.
    """

    book: Tensor
    limit: Tensor

    def __init__(self, table: FullTable, books: Books, subspaces: int, *, normed: bool) -> None:
        super().__init__()
        self.books, self.subspaces = books, subspaces
        self.rows = Full(table.rows, table.dim, table.init)
        shape = (1 if books.tied else subspaces, int(books.limit.max()), table.dim // subspaces)
        self.centroids = nn.Parameter(table.init(torch.empty(len(books.sizes), *shape)))  # [books, D or 1, K, X/D]
        self.norms = nn.ModuleList(CentroidNorm(size) for size in books.sizes) if normed else None
        self.register_buffer("book", books.book, persistent=False)
        self.register_buffer("limit", books.limit, persistent=False)
        self._apart = torch.zeros(())

    @staticmethod
    def for_weights(options: Options) -> Options:
        """A number has one part."""
        return options | {"subspaces": 1}

    def forward(self, ids: Tensor) -> Tensor:
        """Vectors of the features: ids int64 ``[B, M]`` -> ``[B, M, X]``."""
        features, places, counts = distinct(ids)
        e = self.rows(features)  # [U, X]
        q = self.decode(self.encode(e.detach(), features, counts), features)  # [U, X]
        if self.training:
            self._apart = counts.float() @ (e.detach() - q).square().mean(1) / ids.numel()
            q = e + (q - e).detach()
        return rows(q, places.flatten()).view(*ids.shape, -1)

    def extra_loss(self) -> Tensor:
        """``|sg(e) - q|^2`` of the last training batch, ``[]``; once, for a model with a graph can't be copied."""
        apart, self._apart = self._apart, torch.zeros(())
        return apart

    @torch.no_grad()
    def encode(self, e: Tensor, features: Tensor, counts: Tensor) -> Tensor:
        """Codes of rows ``[U, X]`` of ascending features int64 ``[U]``, which occur ``counts`` times: ``[U, D]``."""
        sizes = self.book[features].bincount(minlength=len(self.centroids)).tolist()
        parts = zip(*(tensor.split(sizes) for tensor in (e, self.limit[features], counts)), strict=True)
        codes = [self._encode(number, *part) for number, part in enumerate(parts) if len(part[0])]
        return torch.cat(codes, 1).T

    def _encode(self, number: int, e: Tensor, limit: Tensor, counts: Tensor) -> Tensor:
        x = e.unflatten(1, (self.subspaces, -1)).transpose(0, 1)  # [D, U, X/D]
        centroids = self.centroids[number, :, : self.books.sizes[number]].expand(self.subspaces, -1, -1)
        responses = nearness(x, centroids)
        return _largest(responses if self.norms is None else self.norms[number](responses, counts), limit)

    def decode(self, codes: Tensor, features: Tensor) -> Tensor:
        """Centroids of the codes: int64 ``[U, D]``, features int64 ``[U]`` -> ``[U, X]``."""
        subspace = torch.arange(self.subspaces, device=codes.device) % self.centroids.shape[1]
        return self.centroids[self.book[features][:, None], subspace, codes].flatten(1)

    def served_bytes(self) -> int:
        """Codes and centroids."""
        return self.books.size(self.rows.table.shape[1], self.subspaces)


class CentroidNorm(nn.Module):
    """BatchNorm without affine of the K centroids' responses, over subspaces and the features of the batch.

    Args:
        centroids: K.
    """

    mean: Tensor
    variance: Tensor

    def __init__(self, centroids: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(centroids))
        self.register_buffer("variance", torch.ones(centroids))

    def forward(self, responses: Tensor, counts: Tensor) -> Tensor:
        """Standardise each centroid's responses ``[D, U, K]``, in place; features occur ``counts`` ``[U]`` times."""
        share = counts / (counts.sum() * len(responses))  # [U]
        mean = (share @ responses).sum(0) if self.training else self.mean
        responses -= mean
        variance = (share @ responses.square()).sum(0) if self.training else self.variance
        if self.training:
            self.mean.lerp_(mean, MOMENTUM)
            self.variance.lerp_(variance, MOMENTUM)
        return responses.mul_((variance + EPSILON).rsqrt())


def _largest(responses: Tensor, limit: Tensor) -> Tensor:
    """Index of the largest of the first ``limit`` responses: ``[D, U, K]``, int64 ``[U]`` -> int64 ``[D, U]``."""
    limits = limit.unique().tolist()
    if len(limits) == 1:
        return responses[..., : limits[0]].argmax(2)
    codes = torch.empty(responses.shape[:2], dtype=torch.int64, device=responses.device)
    for most in limits:  # features of one limit together, so that no mask is needed
        those = limit == most
        codes[:, those] = responses[:, those, :most].argmax(2)
    return codes


def nearness(x: Tensor, centroids: Tensor) -> Tensor:
    """``-|x - c|^2``: ``[D, U, w]``, ``[D, K, w]`` -> ``[D, U, K]``.

    Works in place, here and after: a batch has millions of these numbers, and a new tensor of them costs more than the
    arithmetic.
    """
    lengths = -centroids.square().sum(2)[:, None]
    return torch.baddbmm(lengths, x, centroids.transpose(1, 2), alpha=2).sub_(x.square().sum(2)[..., None])
