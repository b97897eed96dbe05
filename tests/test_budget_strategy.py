"""The compressor as a strategy of the batch: recorded, with its actual bytes, and loaded again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from conftest import small_config, small_run

from autodpq_budget import plan
from autodpq_budget.batch import register_all
from autodpq_budget.strategy import STRATEGY as NAME
from autodpq_budget.strategy import register_budget
from autodpq_data.schema import Schema
from autodpq_eval.batch import NOTEBOOKS, Status
from autodpq_eval.plans import PLANS
from autodpq_eval.request import Request
from autodpq_lib.config import OUTSIDE
from autodpq_lib.models.build import EMBEDDING
from autodpq_lib.space import model_bytes
from autodpq_lib.strategies import STRATEGY
from autodpq_lib.training.metrics import Metrics, evaluate
from autodpq_rivals.budget import rest_bytes
from autodpq_runs.explore import load_run
from autodpq_runs.finish import finish
from autodpq_runs.record import Record


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    kept = [dict(registry) for registry in (EMBEDDING, STRATEGY, NOTEBOOKS, PLANS)]
    register_budget()
    yield
    for registry, before in zip((EMBEDDING, STRATEGY, NOTEBOOKS, PLANS), kept, strict=True):
        registry.clear()
        registry.update(before)


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


# The batch at equal bytes.


@pytest.fixture
def all_done(schema: Schema, monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """The tiny data set in the place of a prepared one, and records, name -> validation AUC."""
    aucs: dict[str, float] = {}

    def read(path: Path) -> Record:
        metrics = Metrics(auc=aucs[path.stem], logloss=0.5)
        return Record.model_construct(valid=metrics)

    monkeypatch.setattr(plan, "load_schema", lambda *_: schema)
    monkeypatch.setattr(plan, "status", lambda _, run, **__: Status("done" if run.name() in aucs else "missing"))
    monkeypatch.setattr(plan, "read_record", read)
    return aucs


def test_every_setting_fits_its_budget(all_done: dict[str, float], schema: Schema) -> None:
    found = plan.candidates("ml-100k", "tuned", 11)
    assert {method for _, method in found} > {NAME, "int-b", "others", "fe", "double-hash"}
    for (share, method), runs in found.items():
        assert len(runs) <= 6
        assert {run.strategy for run in runs} == {method}
        if method == NAME:
            assert [run.embedding_dim for run in runs] == [16, 8]
            assert {run.options["bytes"] for run in runs} == {int(share * 4 * 14 * 17)}


def test_the_best_setting_on_the_seed_of_choice_is_run_on_the_others(
    all_done: dict[str, float], tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="the settings of a budget: expected the records of seed 11, found none"):
        plan.budget_plan("ml-100k", "tuned", [1], out=tmp_path)
    first = plan.budget_plan("ml-100k", "tuned", [11], out=tmp_path)
    assert len(first) == len(set(first)) > 50
    wide, narrow = plan.candidates("ml-100k", "tuned", 11)[0.25, NAME]
    all_done |= {wide.name(): 0.7, narrow.name(): 0.8}
    found = plan.budget_plan("ml-100k", "tuned", [1, 2], out=tmp_path)
    assert [(run.strategy, run.seed, run.embedding_dim) for run in found] == [
        ("fe", 1, 16), ("fe", 2, 16), (NAME, 1, 8), (NAME, 2, 8),
    ]  # fmt: skip


def test_the_batch_knows_the_part_and_the_notebook() -> None:
    register_all()
    assert Request.model_validate({"part": "budget"}).part == "budget"
    assert {NOTEBOOKS[name] for name in OUTSIDE} == {"14_at_equal_bytes"}
    assert set(OUTSIDE) <= set(STRATEGY)
