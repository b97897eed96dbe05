"""AUC and logloss by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from autodpq_eval.references import constant_logloss
from autodpq_lib.training.metrics import score


def test_auc_is_the_share_of_pairs_in_order_ties_half() -> None:
    logits, labels = torch.tensor([0.1, 0.4, 0.35, 0.8, 0.4]), torch.tensor([0.0, 0, 1, 1, 1])
    pairs = [(p, n) for p in (0.35, 0.8, 0.4) for n in (0.1, 0.4)]
    expected = sum(1.0 if p > n else 0.5 if p == n else 0.0 for p, n in pairs) / len(pairs)
    assert score(logits, labels).auc == pytest.approx(expected, abs=1e-12)


def test_logloss_is_mean_cross_entropy_in_nats() -> None:
    logits, labels = torch.tensor([0.3, -2.0, 5.0]), torch.tensor([1.0, 0, 0])
    p = [1 / (1 + math.exp(-x)) for x in logits.tolist()]
    expected = -(math.log(p[0]) + math.log(1 - p[1]) + math.log(1 - p[2])) / 3
    assert score(logits, labels).logloss == pytest.approx(expected, abs=1e-6)


def test_logloss_of_a_certain_mistake_is_finite() -> None:
    assert score(torch.tensor([200.0, -1.0]), torch.tensor([0.0, 1.0])).logloss == pytest.approx(100, abs=1)


def test_constant_logloss_is_the_entropy_of_the_rate() -> None:
    labels = np.array([1, 1, 1, 0], dtype=np.uint8)
    assert constant_logloss(labels) == pytest.approx(-0.75 * math.log(0.75) - 0.25 * math.log(0.25))
