"""FuxiCTR's loop: its data loader, blocks, ``fit`` and ``evaluate``; the models are put together from its blocks."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from fuxictr.features import FeatureMap
from fuxictr.pytorch import layers
from fuxictr.pytorch.dataloaders.npz_dataloader import NpzDataLoader
from fuxictr.pytorch.models import BaseModel
from fuxictr.pytorch.torch_utils import seed_everything
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.peers.timed import BATCH, CROSS, DIM, HIDDEN, RATE, SCORING, SEED, Arrays, Loop, columns, report


class Model(BaseModel):  # type: ignore[misc]
    """DeepFM, DCN or IPNN."""

    def __init__(self, name: str, features: FeatureMap, folder: Path) -> None:
        super().__init__(features, verbose=0, model_root=str(folder), metrics=["AUC"])
        fields, pairs = features.num_fields, features.num_fields * (features.num_fields - 1) // 2
        self.embedding, self.name = layers.FeatureEmbedding(features, DIM), name
        x = fields * DIM
        self.mlp = layers.MLP_Block(
            x + (pairs if name == "pnn" else 0), list(HIDDEN), output_dim=None if name == "dcn" else 1
        )
        if name == "deepfm":
            self.fm = layers.FactorizationMachine(features)
        elif name == "pnn":
            self.products = layers.InnerProductInteraction(fields, output="inner_product")
        else:
            self.cross, self.last = layers.CrossNet(x, CROSS), torch.nn.Linear(x + HIDDEN[-1], 1)
        self.compile("adam", "binary_crossentropy", RATE)
        self.reset_parameters()

    def forward(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """Probabilities of a batch."""
        features = self.get_inputs(inputs)
        e = self.embedding(features)
        x = e.flatten(start_dim=1)
        if self.name == "deepfm":
            logits = self.fm(features, e) + self.mlp(x)
        elif self.name == "pnn":
            logits = self.mlp(torch.cat([x, self.products(e)], -1))
        else:
            logits = self.last(torch.cat([self.cross(x), self.mlp(x)], -1))
        return {"y_pred": self.output_activation(logits)}

    def eval_step(self) -> None:
        """Not within an epoch: the clock asks for it."""


def begin(model: str, data: Path, arrays: Arrays) -> Loop:
    """Arrays go to disk in its format, for its loader."""
    torch.set_num_threads(1)
    seed_everything(SEED)
    features = feature_map(arrays["sizes"], data)
    loaders = {part: _loader(part, features, data, arrays) for part in ("train", "valid")}
    ctr = Model(model, features, data)

    def score() -> NDArray[np.float64]:
        return np.asarray(ctr.predict(loaders["valid"]))

    return lambda: _epoch(ctr, loaders["train"]), score


def _epoch(ctr: Model, train: NpzDataLoader) -> None:
    ctr._stop_training, ctr._max_gradient_norm, ctr._total_steps, ctr._eval_steps = False, 10.0, 0, len(train)
    ctr.train_epoch(train)


def feature_map(sizes: NDArray[np.int64], folder: Path) -> FeatureMap:
    """What its preprocessing would have written."""
    found = FeatureMap("peers", str(folder))
    spec: dict[str, Any] = {"type": "categorical", "source": ""}
    found.features = OrderedDict((str(m), spec | {"vocab_size": int(size)}) for m, size in enumerate(sizes))
    found.labels = ["label"]
    found.num_fields = found.get_num_fields()
    found.set_column_index()
    return found


def _loader(part: str, features: FeatureMap, folder: Path, arrays: Arrays) -> NpzDataLoader:
    written: dict[str, Any] = columns(arrays, part) | {"label": arrays[f"{part}_labels"]}
    np.savez(folder / f"{part}.npz", **written)
    size = BATCH if part == "train" else SCORING
    return NpzDataLoader(features, str(folder / f"{part}.npz"), batch_size=size, shuffle=part == "train", num_workers=0)


if __name__ == "__main__":
    report(begin)
