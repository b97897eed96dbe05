"""The compressor as a strategy of the batch: recorded, with its actual bytes, and loaded again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from conftest import small_config, small_run

from autodpq_budget.strategy import STRATEGY as NAME
from autodpq_budget.strategy import register_budget
from autodpq_data.schema import Schema
from autodpq_lib.models.build import EMBEDDING
from autodpq_lib.space import model_bytes
from autodpq_lib.strategies import STRATEGY
from autodpq_lib.training.metrics import evaluate
from autodpq_rivals.budget import rest_bytes
from autodpq_runs.explore import load_run
from autodpq_runs.finish import finish


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    register_budget()
    yield
    for registry in (EMBEDDING, STRATEGY):
        del registry[NAME]


@pytest.mark.parametrize("model", ["deepfm", "pnn", "dcn"])
@pytest.mark.parametrize("onward", [False, True])
def test_a_run_is_recorded_with_its_bytes_and_comes_back(
    model: str, onward: bool, tmp_path: Path, schema: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"bytes": 250, "factor": 4, "onward": onward}
    config = small_config(strategy=NAME, options=options, embedding_dim=8, model=model)
    run = small_run(tmp_path / "work", schema, config)
    for place in ("autodpq_runs.finish", "autodpq_runs.explore"):
        monkeypatch.setattr(f"{place}.load_samples", lambda *_: run.valid)
    monkeypatch.setattr("autodpq_runs.explore.load_schema", lambda *_: schema)
    full, compressed = STRATEGY[NAME](run)
    assert (len(compressed.curve) > 1) == onward
    assert not full.scored
    record = finish(run, [full, compressed], tmp_path / "out")
    loaded = load_run(record)
    assert evaluate(loaded.model, loaded.test) == record.test
    tables = record.space.model_bytes - rest_bytes(config, 3)
    assert tables == model_bytes(loaded.model) - rest_bytes(config, 3)
    parts = [loaded.model.embedding, loaded.model.first_order] if model == "deepfm" else [loaded.model.embedding]
    stored = sum(array.nbytes for part in parts for array in part.stored().values())
    assert tables == stored + 4 * len(loaded.model.embedding.groups) <= 250


def test_an_interrupted_run_goes_on_to_the_same_bits(tmp_path: Path, schema: Schema) -> None:
    config = small_config(strategy=NAME, options={"bytes": 250}, embedding_dim=8)
    first = STRATEGY[NAME](small_run(tmp_path / "a", schema, config))[1].weights
    STRATEGY[NAME](small_run(tmp_path / "b", schema, config))
    again = STRATEGY[NAME](small_run(tmp_path / "b", schema, config))[1].weights
    assert all(torch.equal(first[name], again[name]) for name in first)
