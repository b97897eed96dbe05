"""k-means, by scikit-learn: where centroids start under the text's reading."""

from __future__ import annotations

import torch
from threadpoolctl import threadpool_limits
from torch import Tensor


def kmeans(points: Tensor, k: int, seed: int) -> Tensor:
    """Centres of at most k clusters, ``[P, w]`` -> ``[min(k, distinct points), w]``, by one thread whatever is set."""
    from sklearn.cluster import KMeans  # noqa: PLC0415 - as in training/metrics.py

    distinct = torch.unique(points, dim=0)
    if len(distinct) <= k:
        return distinct
    with threadpool_limits(1):
        fit = KMeans(k, n_init=1, random_state=seed % 2**32).fit(points.cpu().numpy())
    return torch.from_numpy(fit.cluster_centers_).to(points)
