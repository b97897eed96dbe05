"""A synthetic data set whose right answer is known: fields that need a rich codebook beside fields that do not.

Each row has one feature of every field. The label depends on how the row's context agrees with the hidden
vector of each low-frequency feature. In the ``rich`` fields a hidden vector is one of sixteen codewords, which few
codes cannot tell apart; in the ``plain`` field it is one of two, which any (K, D) tells apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

ROWS = 24_000
RICH, PLAIN, CONTEXT = ("rich_a", "rich_b"), ("plain",), "context"
FEATURES, CONTEXTS, CODEWORDS = 48, 8, 16
STRENGTH = 1.5
SEED = 2023


@dataclass(frozen=True)
class Planted:
    """The rows, and the truth behind them.

    Attributes:
        frame: one string column a field, and ``label``.
        hidden: field -> hidden vectors of its features, ``[FEATURES, CODEWORDS]``, in the order of ids.
        context: hidden vectors of the contexts for each field, in the order of ids.
        logits: the true logit of each row.
    """

    frame: pl.DataFrame
    hidden: dict[str, NDArray[np.float64]]
    context: dict[str, NDArray[np.float64]]
    logits: NDArray[np.float64]


def make_planted() -> Planted:
    """Draw the data set; the same on every call."""
    rng = np.random.default_rng(SEED)
    words = {**dict.fromkeys(RICH, CODEWORDS), **dict.fromkeys(PLAIN, 2)}
    hidden = {name: np.eye(CODEWORDS)[rng.permutation(FEATURES) % n] for name, n in words.items()}
    context = {name: rng.normal(size=(CONTEXTS, CODEWORDS)) for name in hidden}
    where = rng.integers(CONTEXTS, size=ROWS)
    logits, columns = np.zeros(ROWS), {}
    for name, vectors in hidden.items():
        feature = rng.integers(FEATURES, size=ROWS)
        logits += STRENGTH * (vectors[feature] * context[name][where]).sum(1)
        columns[name] = _names(name, feature)
    columns[CONTEXT] = _names(CONTEXT, where)
    label = rng.random(ROWS) < 1 / (1 + np.exp(-logits))
    return Planted(pl.DataFrame({**columns, "label": label}), hidden, context, logits)


def _names(field: str, numbers: NDArray[np.int64]) -> list[str]:
    return [f"{field}-{n:03d}" for n in numbers]


def lossy(pair: tuple[int, int]) -> bool:
    """Whether a pair is too small for a rich field: K centroids in D subspaces express ``K ** D`` vectors."""
    k, d = pair
    return k**d < CODEWORDS
