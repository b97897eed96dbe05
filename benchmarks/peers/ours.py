"""This project's loop."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from autodpq_data.samples import Samples
from autodpq_data.schema import Schema
from autodpq_lib.config import RunConfig
from autodpq_lib.models.build import full_model
from autodpq_lib.training.metrics import predict
from autodpq_lib.training.trainer import Trainer
from autodpq_system.process import settle
from benchmarks.peers.timed import BATCH, DIM, HIDDEN, RATE, SEED, Arrays, Loop, report


def begin(model: str, data: Path, arrays: Arrays) -> Loop:
    """FE, as a run trains it."""
    del data
    settle()
    config = RunConfig.model_validate(
        {"dataset": "ml-1m", "strategy": "fe", "model": model, "seed": SEED, "embedding_dim": DIM}
        | {"hidden": HIDDEN, "learning_rate": RATE, "batch_size": BATCH}
    )
    sizes = tuple(arrays["sizes"].tolist())
    schema = Schema("peers", tuple(map(str, range(len(sizes)))), sizes, torch.zeros(sum(sizes)), 0, "")
    train, valid = (samples(arrays, part) for part in ("train", "valid"))
    ctr, numbers = full_model(config, schema), count()
    descent = Trainer(ctr, train, config)

    def score() -> NDArray[np.float32]:
        return np.asarray(predict(ctr, valid).numpy())

    return lambda: descent.round(next(numbers)), score


def samples(arrays: Arrays, part: str) -> Samples:
    """A part of the data as the library has it."""
    ids, labels = (torch.from_numpy(arrays[f"{part}_{name}"]) for name in ("ids", "labels"))
    return Samples(ids.int(), labels.byte(), torch.arange(len(ids), dtype=torch.int32))


if __name__ == "__main__":
    report(begin)
