"""Where a run's files lie below ``runs/``, and what they are called."""

from __future__ import annotations

from pathlib import Path

import autodpq_native as native
from autodpq_lib.config import RunConfig
from autodpq_system.paths import runs_root

#: Names of files in a run's :func:`model_folder`.
WEIGHTS, LOGITS = "model.safetensors", "test_logits.npy"


def identity_of(config: RunConfig, fingerprint: str) -> str:
    """sha256 over configuration, data, method and whether C is used, as it is on this machine."""
    return config.identity(fingerprint, compiled=native.available())


def work_folder(identity: str) -> Path:
    """Where a run that is not finished keeps its checkpoints."""
    return runs_root() / "work" / identity


def model_folder(identity: str) -> Path:
    """Where the trained model and the test predictions of a run are kept."""
    return runs_root() / "models" / identity[:16]


def weights_path(identity: str) -> Path:
    """The trained model's tensors."""
    return model_folder(identity) / WEIGHTS


def logits_path(identity: str) -> Path:
    """The test predictions, float32 ``[samples]``."""
    return model_folder(identity) / LOGITS
