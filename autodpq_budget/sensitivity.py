"""How sensitive the loss is to an error in each field and dimension: the empirical Fisher information."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from autodpq_budget.outputs import outputs_of
from autodpq_data.samples import Samples
from autodpq_lib.models.ctr_model import CTRModel

#: Samples that it is estimated from.
SAMPLES, BATCH = 120_000, 2048


def sensitivities(model: CTRModel, samples: Samples) -> dict[str, NDArray[np.float32]]:
    """Mean square gradient of a sample's loss by its vectors, table -> float32 ``[M, X]``.

    Args:
        model: with ``embedding`` and, if it has them, ``first_order`` weights; put into evaluation mode.
        samples: of the training part; some of them are drawn.
    """
    tables = {name: part for name in ("embedding", "first_order") if (part := getattr(model, name)) is not None}
    places = torch.randperm(len(samples), generator=torch.Generator().manual_seed(0))[:SAMPLES]
    totals = [torch.zeros(())] * len(tables)
    model.eval()
    with outputs_of([*tables.values()]) as vectors:
        for chunk in places.int().split(BATCH):
            ids, labels = samples.take(chunk.to(samples.rows.device))
            loss = F.binary_cross_entropy_with_logits(model(ids), labels, reduction="sum")
            grads = torch.autograd.grad(loss, vectors)
            totals = [total + grad.square().sum(0) for total, grad in zip(totals, grads, strict=True)]
    return {name: (total / len(places)).cpu().numpy() for name, total in zip(tables, totals, strict=True)}
