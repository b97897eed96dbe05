"""Holm, Hedges' g and the bootstrap against hand computation or an independent library."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from autodpq_eval import compared, ten_seeds
from autodpq_eval.stats import hedges_g, holm
from autodpq_eval.ten_seeds import _Auc, bootstrap, comparisons, is_of
from autodpq_lib.training.metrics import Metrics

LABELS = np.random.default_rng(2).integers(0, 2, 400).astype(np.float32)


def test_holm_by_hand() -> None:
    p = np.array([0.01, 0.04, np.nan, 0.03, 0.005])
    np.testing.assert_allclose(holm(p), [0.03, 0.06, np.nan, 0.06, 0.02])


def test_holm_stops_at_one() -> None:
    np.testing.assert_allclose(holm(np.array([0.6, 0.9])), [1.0, 1.0])


def test_hedges_g_by_hand() -> None:
    ours, base = {1: 3.0, 2: 5.0}, {1: 1.0, 2: 2.0, 3: 3.0}
    pooled = math.sqrt((2.0 * 1 + 1.0 * 2) / 3)
    assert hedges_g(ours, base) == pytest.approx((4 - 2) / pooled * (1 - 3 / 11), abs=1e-12)
    assert math.isnan(hedges_g({1: 1.0}, base))


def test_seeds_that_one_side_lacks_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = {"a": {1: 0.80, 2: 0.81, 3: 0.83, 4: 0.50}, "b": {1: 0.81, 2: 0.83, 3: 0.84}}
    monkeypatch.setattr(compared, "more_is_better", lambda records, _: records)
    row = comparisons(runs).iloc[0]
    assert (row["a"], row["b"], row["n"]) == ("b", "a", 3)
    assert row["effect"] == pytest.approx(0.04 / 3, abs=1e-12)


def test_weighted_auc_equals_scikit_learn() -> None:
    rng = np.random.default_rng(1)
    scores, labels = rng.integers(0, 20, 300).astype(np.float32), rng.integers(0, 2, 300).astype(np.float32)
    weights = rng.multinomial(300, np.full(300, 1 / 300))
    expected = roc_auc_score(labels, scores, sample_weight=weights)
    assert _Auc(scores, labels)(weights) == pytest.approx(expected, abs=1e-12)


class Stub:
    """A record's seed and test AUC, with predictions that this noise helps."""

    def __init__(self, seed: int, noise: float) -> None:
        self.config, self.seed = self, seed
        rng = np.random.default_rng(seed)
        self.identity = (LABELS * (1 + noise) + rng.normal(0, 2, 400)).astype(np.float32)
        self.test = Metrics(auc=roc_auc_score(LABELS, self.identity), logloss=0.0)

    def name(self) -> str:
        return f"stub-{self.seed}"

    def claims(self, more: float) -> None:
        """Another AUC than that of the predictions."""
        self.test = Metrics(auc=self.test.auc + more, logloss=0.0)


@pytest.fixture
def sides(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Stub]]:
    monkeypatch.setattr(ten_seeds, "logits_path", lambda identity: identity)
    monkeypatch.setattr(ten_seeds, "predictions", lambda logits: logits)
    monkeypatch.setattr(ten_seeds, "RESAMPLES", 50)
    return {name: [Stub(1, noise), Stub(2, noise)] for name, noise in {"base": 0, "same": 0, "better": 0.5}.items()}


def test_bootstrap_is_paired(sides: dict[str, list[Stub]]) -> None:
    """A gap between equal predictions has no spread; resampling is the same for both sides."""
    table = bootstrap(sides, LABELS).set_index(["a", "b"])
    assert table.loc[("same", "base")].tolist() == [2, 0.0, 0.0, 0.0]
    found = table.loc[("better", "base")]
    assert 0 < found["low"] < found["gap"] < found["high"]


def test_bootstrap_s_interval_is_that_of_a_loop(sides: dict[str, list[Stub]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ten_seeds, "RESAMPLES", 50)
    found = bootstrap(sides, LABELS).set_index(["a", "b"]).loc[("better", "base")]
    rng, even, gaps = np.random.default_rng(0), np.full(len(LABELS), 1 / len(LABELS)), []
    for _ in range(50):
        weights = rng.multinomial(len(LABELS), even)
        better, base = (
            np.mean([roc_auc_score(LABELS, stub.identity, sample_weight=weights) for stub in sides[name]])
            for name in ("better", "base")
        )
        gaps.append(better - base)
    assert found[["low", "high"]].tolist() == pytest.approx(list(np.quantile(gaps, [0.025, 0.975])), abs=1e-9)


def test_bootstrap_refuses_predictions_of_another_training(sides: dict[str, list[Stub]]) -> None:
    sides["same"][1].claims(2e-6)
    with pytest.raises(ValueError, match="stub-2: expected predictions of AUC"):
        bootstrap(sides, LABELS)


def test_a_bootstrap_is_of_the_runs_that_it_was_made_from(sides: dict[str, list[Stub]]) -> None:
    table = bootstrap(sides, LABELS)
    assert is_of(table, sides)
    assert not is_of(table, {name: sides[name] for name in ("base", "same")})
    sides["better"][0].claims(1e-5)
    assert not is_of(table, sides)
