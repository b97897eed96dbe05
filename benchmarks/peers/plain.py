"""The loop of a textbook: ``nn.Embedding``, ``DataLoader``, ``Adam``; the models are this project's."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from autodpq_lib.config import RunConfig
from autodpq_lib.models.build import assemble
from benchmarks.peers.timed import BATCH, DIM, HIDDEN, RATE, SCORING, SEED, Arrays, Loop, report

Loader = Callable[[Arrays, str, int], Iterable[list[torch.Tensor]]]


def of_torch(arrays: Arrays, part: str, size: int) -> Iterable[list[torch.Tensor]]:
    """Batches of a part of the data, shuffled for training, put together sample by sample."""
    ids, labels = (torch.from_numpy(arrays[f"{part}_{name}"]) for name in ("ids", "labels"))
    return DataLoader(TensorDataset(ids, labels), batch_size=size, shuffle=part == "train")


def begin(model: str, data: Path, arrays: Arrays, loader: Loader = of_torch) -> Loop:
    """FE, with a table of torch's own."""
    del data
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    config = RunConfig.model_validate(
        {"dataset": "ml-1m", "strategy": "fe", "model": model, "embedding_dim": DIM, "hidden": HIDDEN}
    )
    rows, fields = int(arrays["sizes"].sum()), len(arrays["sizes"])
    tables = [nn.Embedding(rows, DIM)] + ([nn.Embedding(rows, 1)] if model == "deepfm" else [])
    for table, sd in zip(tables, (0.01, 0.0), strict=False):
        nn.init.normal_(table.weight, std=sd)
    ctr = assemble(config, fields, *tables)
    optimizer = torch.optim.Adam(ctr.parameters(), lr=RATE)
    train, valid = loader(arrays, "train", BATCH), loader(arrays, "valid", SCORING)

    def epoch() -> None:
        ctr.train()
        for ids, labels in train:
            optimizer.zero_grad()
            loss = F.binary_cross_entropy_with_logits(ctr(ids), labels)
            loss.backward()
            optimizer.step()

    @torch.no_grad()
    def score() -> NDArray[np.float32]:
        ctr.eval()
        return np.concatenate([ctr(ids).numpy() for ids, _ in valid])

    return epoch, score


if __name__ == "__main__":
    report(begin)
