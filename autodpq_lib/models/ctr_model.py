"""What every click-through-rate model is: an embedding, and something on it that gives one logit a sample."""

from __future__ import annotations

from torch import Tensor, nn

from autodpq_lib.embedding.full import Full


class CTRModel(nn.Module):
    """Base of the models; the strategies know no more of a model than this.

    Args:
        embedding: ids ``[B, M]`` -> vectors ``[B, M, X]``; it alone differs between strategies.
    """

    def __init__(self, embedding: Full) -> None:
        super().__init__()
        self.embedding = embedding

    def forward(self, ids: Tensor) -> Tensor:
        """Logits ``[B]`` of ids int64 ``[B, M]``."""
        raise NotImplementedError
