"""What a model without any embedding reaches on the same split, read from where :mod:`scripts.references` left it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from autodpq_data.prepared import known_fingerprint


def references(dataset: str, out: Path) -> pd.DataFrame:
    """Test AUC and logloss of constant predictor and logistic regression; empty where they were not measured."""
    values = measured(dataset, out)
    if values is None:
        return pd.DataFrame(columns=["auc", "logloss"])
    rows = {
        "constant predictor": values["constant"],
        f"logistic regression, C = {values['strength']}": values["logistic"],
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def measured(dataset: str, out: Path) -> dict[str, Any] | None:
    """Content of the file; None if it is missing, or is of other data than those that are known here."""
    path = references_path(dataset, out)
    values = dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}
    return values if values and known_fingerprint(dataset) in (None, values["data_fingerprint"]) else None


def references_path(dataset: str, out: Path) -> Path:
    """``<out>/<dataset>/references.json``."""
    return out / dataset / "references.json"


def constant_logloss(labels: NDArray[np.uint8]) -> float:
    """Logloss of the best constant predictor: the entropy of the label rate, in nats."""
    p = float(labels.mean())
    return float(stats.entropy([p, 1 - p]))
