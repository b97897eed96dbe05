"""DeepCTR-Torch's loop; without the training metrics that it would compute at every step."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from deepctr_torch import models
from deepctr_torch.inputs import SparseFeat
from numpy.typing import NDArray

from benchmarks.peers.timed import BATCH, CROSS, DIM, HIDDEN, RATE, SCORING, SEED, Arrays, Loop, columns, report

NO_DECAY = {"l2_reg_embedding": 0.0, "l2_reg_linear": 0.0, "seed": SEED}


def begin(model: str, data: Path, arrays: Arrays) -> Loop:
    """Its own model, ``fit`` and ``predict``."""
    del data
    torch.set_num_threads(1)
    fields = [SparseFeat(str(m), int(size), DIM) for m, size in enumerate(arrays["sizes"])]
    make = {
        "deepfm": lambda: models.DeepFM(fields, fields, dnn_hidden_units=HIDDEN, **NO_DECAY),
        "dcn": lambda: models.DCN([], fields, cross_num=CROSS, dnn_hidden_units=HIDDEN, l2_reg_cross=0.0, **NO_DECAY),
        "pnn": lambda: models.PNN(fields, dnn_hidden_units=HIDDEN, l2_reg_embedding=0.0, seed=SEED),
    }
    ctr = make[model]()
    ctr.compile(torch.optim.Adam(ctr.parameters(), lr=RATE), "binary_crossentropy")
    inputs = {part: columns(arrays, part) for part in ("train", "valid")}

    def score() -> NDArray[np.float32]:
        return np.asarray(ctr.predict(inputs["valid"], SCORING)).ravel()

    labels = arrays["train_labels"]
    return lambda: ctr.fit(inputs["train"], labels, batch_size=BATCH, epochs=1, verbose=0, shuffle=True), score


if __name__ == "__main__":
    report(begin)
