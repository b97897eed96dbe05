"""A model of DeepCTR-Torch in fewer bytes, through plain arrays."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from conftest import COUNTS, small_samples

from autodpq_data.schema import Schema

pytest.importorskip("deepctr_torch", reason="deepctr-torch is not installed")
outside = pytest.importorskip("benchmarks.outside")


def test_tables_of_each_share_are_put_back_and_scored(schema: Schema, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outside, "SHARES", (0.5, 0.25))
    arrays = {"sizes": np.array(schema.sizes)}
    for seed, part in enumerate(("train", "valid", "test")):
        samples = small_samples(schema, 120, seed)
        arrays |= {f"{part}_ids": samples.ids.long().numpy(), f"{part}_labels": samples.labels.numpy()}
    model = outside.trained(arrays)
    before = {name: part.weight.detach().clone() for name, part in model.embedding_dict.items()}
    full, *rows = outside.measure(model, arrays, COUNTS.numpy())
    assert (full["share"], full["bytes"]) == (1.0, 4 * 14 * 17)
    for row in rows:
        assert row["bytes"] <= row["share"] * full["bytes"]
        assert 0 <= row["auc"] <= 1
    assert all(not torch.equal(before[name], model.embedding_dict[name].weight) for name in before)


def test_gradients_are_mean_squares_of_each_sample_s(schema: Schema) -> None:
    samples = small_samples(schema, 30, 1)
    arrays = {"sizes": np.array(schema.sizes)}
    for part in ("train", "valid", "test"):
        arrays |= {f"{part}_ids": samples.ids.long().numpy(), f"{part}_labels": samples.labels.numpy()}
    model = outside.trained(arrays)
    found = outside.gradients(model, arrays, ["0", "1", "2"])
    expected = {"embedding": np.zeros(16), "first_order": np.zeros(1)}
    ids = samples.ids.float() - torch.tensor(schema.offsets)
    for row, label in zip(ids, samples.labels, strict=True):
        model.zero_grad()
        torch.nn.functional.binary_cross_entropy(model.eval()(row[None]).squeeze(1), label[None]).backward()
        for table, part in zip(expected, (model.embedding_dict, model.linear_model.embedding_dict), strict=True):
            expected[table] += part["0"].weight.grad[int(row[0])].numpy() ** 2 / len(ids)
    for table, squares in expected.items():
        np.testing.assert_allclose(found[table]["0"], squares, rtol=1e-4)
