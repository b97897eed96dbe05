"""Initial scale of embeddings and centroids, one of the parts that the paper leaves unstated."""

from __future__ import annotations

import math
from collections.abc import Callable

from torch import Tensor

from autodpq_lib.config import Recipe

#: Fills a tensor in place.
Init = Callable[[Tensor], Tensor]
NORMAL_SD = 0.01


def embedding_init(recipe: Recipe, num_features: int, dim: int) -> Init:
    """One scale for all tables of a run, raw rows and centroids alike, set by the full table ``[N, X]``.

    ``xavier``: uniform within ``sqrt(6 / (N + X))``. ``normal``: N(0, sd 0.01).
    """
    if recipe.embedding_init == "normal":
        return lambda tensor: tensor.normal_(0.0, NORMAL_SD)
    bound = math.sqrt(6 / (num_features + dim))
    return lambda tensor: tensor.uniform_(-bound, bound)
