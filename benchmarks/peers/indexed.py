"""The loop of a textbook, whose batches are taken by index from the whole arrays."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import torch
from torch.utils.data import BatchSampler, DataLoader, RandomSampler, SequentialSampler, TensorDataset

from benchmarks.peers.plain import begin
from benchmarks.peers.timed import Arrays, report


def by_index(arrays: Arrays, part: str, size: int) -> Iterable[list[torch.Tensor]]:
    """Batches of a part of the data, shuffled for training, each by one index into the tensors."""
    data = TensorDataset(*(torch.from_numpy(arrays[f"{part}_{name}"]) for name in ("ids", "labels")))
    order = RandomSampler(data) if part == "train" else SequentialSampler(data)
    return DataLoader(data, sampler=BatchSampler(order, size, drop_last=False), batch_size=None)


if __name__ == "__main__":
    report(partial(begin, loader=by_index))
