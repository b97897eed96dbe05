"""What a newcomer adds from outside: an embedding with a strategy of its own, run, recorded and loaded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from conftest import restored, small_config, small_run
from torch import Tensor, nn

from autodpq_data.schema import Schema
from autodpq_lib.config import METHOD_VERSION, RunConfig
from autodpq_lib.embedding.full import Full
from autodpq_lib.models.build import EMBEDDING, final_model
from autodpq_lib.space import model_bytes
from autodpq_lib.strategies import STRATEGY, register
from autodpq_lib.training.metrics import evaluate
from autodpq_lib.training.run import Run
from autodpq_lib.training.trainer import Trainer
from autodpq_runs.explore import load_run
from autodpq_runs.finish import finish


class Modulo(Full):
    """A toy: features share rows by the remainder of their id, and the rows are kept small by an extra loss."""

    ROWS = 5

    def forward(self, ids: Tensor) -> Tensor:
        return super().forward(ids % self.ROWS)

    def extra_loss(self) -> Tensor:
        return 0.1 * self.table.square().mean()


def modulo(config: RunConfig, schema: Schema) -> Modulo:
    return Modulo(Modulo.ROWS, config.embedding_dim, lambda tensor: tensor.normal_(0, 0.1))


@pytest.fixture
def registered() -> Iterator[None]:
    with restored(METHOD_VERSION, EMBEDDING, STRATEGY):
        register("modulo", modulo)
        yield


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize("model", ["deepfm", "pnn", "dcn"])
def test_an_embedding_registered_from_outside_runs_end_to_end(
    model: str, tmp_path: Path, schema: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = small_run(tmp_path / "work", schema, small_config(strategy="modulo", model=model))
    for place in ("autodpq_runs.finish", "autodpq_runs.explore"):
        monkeypatch.setattr(f"{place}.load_samples", lambda *_: run.valid)
        monkeypatch.setattr(f"{place}.load_schema", lambda *_: schema)
    record = finish(run, STRATEGY["modulo"](run), tmp_path / "out")
    assert record.space.paper == Modulo.ROWS * 16
    loaded = load_run(record)
    assert evaluate(loaded.model, loaded.test) == record.test


@pytest.mark.usefixtures("registered")
def test_its_extra_loss_is_trained_on(run: Run, schema: Schema) -> None:
    config = small_config(strategy="modulo")
    model = final_model(config, schema, None)
    batch = torch.tensor([[0, 6, 9]]), torch.tensor([1.0])
    with_it = Trainer(model, run.train, config).loss(batch)
    logloss = torch.nn.functional.binary_cross_entropy_with_logits(model(batch[0]), batch[1])
    torch.testing.assert_close(with_it, logloss + model.embedding.extra_loss())


class Plain(nn.Module):
    """No more than torch's own table."""

    def __init__(self, rows: int, dim: int) -> None:
        super().__init__()
        self.rows = nn.Embedding(rows, dim)

    def forward(self, ids: Tensor) -> Tensor:
        return self.rows(ids)


class WithWeights(Plain):
    def make_first_order(self) -> nn.Module:
        return Plain(self.rows.num_embeddings, 1)


@pytest.mark.parametrize("kind", [Plain, WithWeights])
def test_an_embedding_needs_none_of_the_hooks(
    kind: type[Plain], run: Run, schema: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(EMBEDDING, "fe", lambda config, schema: kind(schema.num_features, config.embedding_dim))
    (fit,) = STRATEGY["fe"](replace(run, config=small_config(strategy="fe")))
    model = final_model(small_config(strategy="fe"), schema, None)
    model.load_state_dict(fit.weights)
    assert evaluate(model, run.valid).auc == fit.result["valid_auc"]
    assert model_bytes(model) == 4 * sum(p.numel() for p in model.parameters())
    assert model.extra_loss() is None
    assert isinstance(model.first_order, Full if kind is Plain else Plain)


def test_a_strategy_that_nobody_registered_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected one of fe, others, grid, random, autodpq, .*, found modulo"):
        small_config(strategy="modulo")
