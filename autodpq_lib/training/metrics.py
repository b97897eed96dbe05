"""AUC and logloss, the paper's two metrics (section 4.1.1)."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from autodpq_data.samples import Samples
from autodpq_system.strict import Strict


class Metrics(Strict):
    """AUC (higher is better) and logloss in nats (lower is better)."""

    auc: float = Field(ge=0, le=1)
    logloss: float = Field(ge=0)


def predict(model: nn.Module, samples: Samples) -> Tensor:
    """Logits float32 ``[rows]``, on the CPU. The model takes the data set's own ids; it is left in evaluation mode."""
    model.eval()
    if getattr(getattr(model, "embedding", None), "by_frequency", False):
        raise ValueError("ids: expected a model of the data's ids, found one of a file's own; load(path, schema=...)")
    with torch.inference_mode():
        return torch.cat([model(ids) for ids, _ in samples.in_order()]).cpu()


def score(logits: Tensor, labels: Tensor) -> Metrics:
    """Metrics of logits ``[rows]``, on the CPU, against labels ``[rows]``, on any device; the logits must be finite."""
    # Importing it takes seconds, which most processes of a batch spare.
    from sklearn.metrics import roc_auc_score  # noqa: PLC0415

    if not logits.isfinite().all():
        raise ValueError("logits: expected finite numbers, found others, for the training has diverged")
    logloss = F.binary_cross_entropy_with_logits(logits.double(), labels.cpu().double())
    return Metrics(auc=float(roc_auc_score(labels.cpu().numpy(), logits.numpy())), logloss=float(logloss))


def evaluate(model: nn.Module, samples: Samples) -> Metrics:
    """Metrics of a model on samples."""
    return score(predict(model, samples), samples.labels)
