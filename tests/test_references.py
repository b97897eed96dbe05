"""The constant predictor and the logistic regression."""

import json
import math

import numpy as np
import pytest
from conftest import small_samples
from sklearn.metrics import roc_auc_score

from autodpq_eval import references as reading
from autodpq_eval.references import references
from scripts import references as module
from scripts.references import one_hot, write_references


@pytest.fixture
def parts(schema, monkeypatch):
    """A tiny data set in three parts."""
    parts = {
        name: small_samples(schema, rows, seed)
        for name, rows, seed in (("train", 300, 1), ("valid", 90, 2), ("test", 90, 3))
    }
    monkeypatch.setattr(module, "load_samples", lambda _, part: parts[part])
    monkeypatch.setattr(module, "load_schema", lambda *_: schema)
    monkeypatch.setattr(reading, "known_fingerprint", lambda _: schema.fingerprint)
    return parts


def test_one_hot_has_a_one_where_a_naive_loop_has_it(parts):
    ids = parts["valid"].ids.tolist()
    expected = np.zeros((90, 14))
    for row, features in enumerate(ids):
        expected[row, features] = 1
    assert (one_hot(parts["valid"], 14).toarray() == expected).all()


def test_constant_predicts_the_training_rate(parts, tmp_path):
    write_references("toy", tmp_path)
    found = references("toy", tmp_path).loc["constant predictor"]
    p, y = float(parts["train"].labels.mean()), parts["test"].labels
    assert found["auc"] == 0.5
    labels = parts["test"].labels.tolist()
    assert reading.measured("toy", tmp_path)["test"] == {"positives": labels.count(1), "negatives": labels.count(0)}
    assert found["logloss"] == pytest.approx(-float((y * math.log(p) + (1 - y) * math.log(1 - p)).mean()), abs=1e-6)


def test_logistic_is_scored_on_test_with_the_strength_that_validation_chose(parts, tmp_path, monkeypatch):
    seen = {}
    fit = module._fitted
    monkeypatch.setattr(module, "_fitted", lambda train, c: seen.setdefault(c, fit(train, c)))
    write_references("toy", tmp_path)
    found = references("toy", tmp_path).iloc[1]
    losses = {c: module._scored(model, parts["valid"]).logloss for c, model in seen.items()}
    best = min(losses, key=losses.get)
    assert found.name == f"logistic regression, C = {best}"
    logits = seen[best].decision_function(one_hot(parts["test"], 14))
    assert found["auc"] == pytest.approx(roc_auc_score(parts["test"].labels, logits), abs=1e-9)


@pytest.mark.usefixtures("parts")
def test_nothing_is_measured_twice_and_nothing_of_other_data_believed(tmp_path, monkeypatch):
    assert references("toy", tmp_path).empty
    write_references("toy", tmp_path)
    first = references("toy", tmp_path)
    assert len(first) == 2
    monkeypatch.setattr(module, "_measure", lambda _: pytest.fail("measured again"))
    write_references("toy", tmp_path)
    path = tmp_path / "toy" / "references.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"data_fingerprint": "other"}))
    assert references("toy", tmp_path).empty
    with pytest.raises(pytest.fail.Exception):
        write_references("toy", tmp_path)


@pytest.mark.usefixtures("parts")
def test_large_data_are_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "ROWS", 50)
    write_references("toy", tmp_path)
    assert references("toy", tmp_path).empty
    assert not list(tmp_path.iterdir())
