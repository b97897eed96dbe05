"""What all loops share: the arrays, the clock and the answer. NumPy and scikit-learn alone."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

BATCH, SCORING, DIM, HIDDEN, CROSS, RATE, SEED = 2048, 8192, 16, (16, 16), 3, 1e-3, 1
Arrays = dict[str, NDArray[Any]]
#: Train one epoch; and score the validation part.
Loop = tuple[Callable[[], object], Callable[[], NDArray[np.floating]]]


def columns(arrays: Arrays, part: str) -> Arrays:
    """Ids of a part, counted within each field, by the field's name."""
    ids, sizes = arrays[f"{part}_ids"], arrays["sizes"]
    return {str(m): ids[:, m] - offset for m, offset in enumerate(np.cumsum(sizes) - sizes)}


def report(begin: Callable[[str, Path, Arrays], Loop]) -> None:
    """Train and validate as the command line says, and print the seconds of each epoch and the AUC after it.

    Args:
        begin: model and folder of the data (``arrays.npz`` and whatever a loader wants) -> :data:`Loop`.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--epochs", type=int, required=True)
    asked = parser.parse_args()
    arrays = dict(np.load(asked.data / "arrays.npz"))
    train, score = begin(asked.model, asked.data, arrays)
    found: dict[str, list[float]] = {"train": [], "validation": [], "auc": []}
    for _ in range(asked.epochs):
        start = perf_counter()
        train()
        trained = perf_counter()
        found["auc"].append(float(roc_auc_score(arrays["valid_labels"], score())))
        found["train"].append(trained - start)
        found["validation"].append(perf_counter() - trained)
    sys.stdout.write("\n" + json.dumps(found))
