"""MGQE, multi-granular quantised embeddings (Kang et al., WWW 2020): DPQ-VQ with fewer centroids for rare features."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from autodpq_data.schema import Schema
from autodpq_rivals.books import Books
from autodpq_rivals.rival import Table, ranks
from autodpq_rivals.vq import VQ

#: Share of the features, the most frequent, that may use all centroids; how many there are, and how many the rest use.
HEAD, ALL, FEW = 0.1, 256, 64
#: Of TensorFlow's BatchNorm, in which the authors wrote.
EPSILON, MOMENTUM = 1e-3, 0.01


class MGQE(VQ):
    """One book of 256 centroids a subspace; the 10 % most frequent features use all, the others the first 64.

    Centroids are compared after :class:`CentroidNorm`.

    Args:
        table: the full table.
        subspaces: D, a divisor of X.
    """

    def __init__(self, table: Table, *, subspaces: int) -> None:
        super().__init__(table, granular(table.schema), subspaces)
        self.norm = CentroidNorm(self.centroids.shape[2])

    @staticmethod
    def size(table: Table, *, subspaces: int) -> int:
        """Codes of 8 bits for the frequent and of 6 for the others, and centroids."""
        return granular(table.schema).size(table.dim, subspaces)


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
        """``[D, U, K]`` of features that occur int64 ``[U]`` times, each centroid's standardised, in place."""
        share = counts / (counts.sum() * len(responses))  # [U]
        mean = (share @ responses).sum(0) if self.training else self.mean
        responses -= mean
        variance = (share @ responses.square()).sum(0) if self.training else self.variance
        if self.training:
            self.mean.lerp_(mean, MOMENTUM)
            self.variance.lerp_(variance, MOMENTUM)
        return responses.mul_((variance + EPSILON).rsqrt())


def granular(schema: Schema) -> Books:
    """The book of all features, and how much of it each may use."""
    n = schema.num_features
    frequent = ranks(schema.counts) < math.ceil(HEAD * n)
    return Books(torch.zeros(n, dtype=torch.int64), torch.where(frequent, ALL, FEW))
