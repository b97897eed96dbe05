"""Measure what a model without any embedding reaches: the constant predictor and a logistic regression."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy.sparse import csr_matrix

from autodpq_data.prepared import load_samples, load_schema
from autodpq_data.samples import Samples
from autodpq_eval.references import measured, references_path
from autodpq_lib.training.metrics import Metrics, score
from autodpq_system.atomic import write_text

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression

#: Inverse strengths of the L2 penalty; validation logloss chooses.
STRENGTHS = (0.03, 0.1, 0.3, 1.0, 3.0)
#: Above so many rows a one-hot matrix in memory is out of proportion.
ROWS = 2_000_000


def write_references(dataset: str, out: Path) -> None:
    """Write ``<out>/<dataset>/references.json`` where it is missing or of other data; not for very large data sets."""
    if measured(dataset, out) is None and len(load_samples(dataset, "train").all_ids) <= ROWS:
        found = {"data_fingerprint": load_schema(dataset, 1).fingerprint, **_measure(dataset)}
        write_text(references_path(dataset, out), json.dumps(found, indent=1) + "\n")


def _measure(dataset: str) -> dict[str, object]:
    train, valid, test = (load_samples(dataset, part) for part in ("train", "valid", "test"))
    rate = torch.full((len(test),), float(torch.logit(train.labels.mean())))
    fits = {strength: _fitted(train, strength) for strength in STRENGTHS}
    strength = min(fits, key=lambda s: _scored(fits[s], valid).logloss)
    return {
        "constant": score(rate, test.labels).model_dump(),
        "logistic": _scored(fits[strength], test).model_dump(),
        "strength": strength,
        "test": {"positives": (positives := int(test.labels.sum())), "negatives": len(test) - positives},
    }


def _fitted(train: Samples, strength: float) -> LogisticRegression:
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - as in autodpq_lib/training/metrics.py

    return LogisticRegression(C=strength, max_iter=500).fit(one_hot(train), train.labels.numpy())


def _scored(model: LogisticRegression, samples: Samples) -> Metrics:
    return score(torch.from_numpy(model.decision_function(one_hot(samples, model.n_features_in_))), samples.labels)


def one_hot(samples: Samples, width: int | None = None) -> csr_matrix:
    """One column a feature: float32 ``[rows, N]`` with M ones a row."""
    ids = samples.ids.numpy()
    rows, fields = ids.shape
    ends = np.arange(0, rows * fields + 1, fields)
    shape = (rows, width or int(samples.all_ids.max()) + 1)
    return csr_matrix((np.ones(ids.size, np.float32), ids.ravel(), ends), shape=shape)
