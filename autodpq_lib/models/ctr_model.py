"""What every click-through-rate model is: an embedding, and something on it that gives one logit a sample."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class CTRModel(nn.Module):
    """Base of the models; the strategies know no more of a model than this. Only DeepFM has first-order weights.

    Args:
        embedding: ids ``[B, M]`` -> vectors ``[B, M, X]``; strategies differ in it and in the first-order weights.
    """

    first_order: nn.Module | None
    mlp: nn.Sequential

    def __init__(self, embedding: nn.Module) -> None:
        super().__init__()
        self.embedding = embedding
        self.first_order = None

    def forward(self, ids: Tensor) -> Tensor:
        """Logits ``[B]`` of ids int64 ``[B, M]``."""
        raise NotImplementedError

    def extra_loss(self) -> Tensor | None:
        """What embedding and first-order weights add to the loss of a batch; the paper's add nothing."""
        own = [getattr(part, "extra_loss", None) for part in (self.embedding, self.first_order)]
        losses = [loss() for loss in own if loss is not None]
        return torch.stack(losses).sum() if losses else None
