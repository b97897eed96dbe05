"""Whether the model on this machine comes from the training that a record describes, or from another of that run."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from autodpq_lib.training.metrics import score
from autodpq_runs.kept import predictions
from autodpq_runs.record import Record

#: AUCs of the same predictions differ by less, in whatever way they are summed and written.
SAME = 1e-6


def agrees(record: Record, logits: Path, labels: Tensor) -> bool:
    """Whether predictions on test have the record's metrics: another processor trains the same run to other bits.

    Raises:
        DamagedError: the file has no predictions.
    """
    if (predicted := predictions(logits)).shape != labels.shape:
        return False
    made = score(torch.from_numpy(predicted), labels)
    return abs(made.auc - record.test.auc) < SAME and abs(made.logloss - record.test.logloss) < SAME
