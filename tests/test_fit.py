"""Training: one step by hand, early stopping, and going on after an interruption to the same bits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import DyingCheckpoints, KilledError, small_config, small_run, small_samples
from torch import nn

from autodpq_data.schema import Schema
from autodpq_lib.config import Limit, RunConfig
from autodpq_lib.models.build import candidates_model, full_model, others_model
from autodpq_lib.models.ctr_model import CTRModel
from autodpq_lib.training.adam import Adam
from autodpq_lib.training.checkpoints import Checkpoints
from autodpq_lib.training.fit import Fit, reached, run_fit
from autodpq_lib.training.metrics import evaluate
from autodpq_lib.training.run import Run
from autodpq_lib.training.search import Search
from autodpq_lib.training.trainer import Row, Trainer, batches, shuffled


class Scripted:
    """A trainer that sets the model so that validation AUC follows a script, and may die."""

    def __init__(self, model: nn.Module, script: list[float]) -> None:
        self.model = self.result = model
        self.script, self.config = script, small_config()

    def round(self, number: int) -> Row:
        self.model.weight.data.fill_(self.script[number])
        return {"steps": 1, "train_loss": 0.0}

    def state_dict(self) -> dict[str, int]:
        return {}

    def load_state_dict(self, state: dict[str, int]) -> None:
        pass


class Graded(nn.Module):
    """Scores the fraction ``weight`` of the validation rows right."""

    def __init__(self, labels: torch.Tensor) -> None:
        super().__init__()
        self.weight, self.labels = nn.Parameter(torch.zeros(1)), labels

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        right = torch.arange(len(ids)) < self.weight * len(ids)
        return torch.where(right, self.labels[: len(ids)] * 2 - 1, 1 - self.labels[: len(ids)] * 2).float()


def scripted(
    run: Run, script: list[float], patience: int, epochs: int = 60, **about: object
) -> tuple[Graded, list[float], Fit]:
    model = Graded(run.valid.labels)
    limit = Limit(rounds=epochs, patience=patience)
    fit = Fit(**{"name": "x", "checkpoints": run.checkpoints, **about})
    done = run_fit(fit, Scripted(model, script), run.valid, limit)
    return model, [row["valid_auc"] for row in done.curve], done


def checkpoints_of(run: Run) -> list[str]:
    return sorted(path.name for path in (run.checkpoints.folder / "kept").iterdir())


def test_training_loss_is_the_mean_of_the_steps(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer, losses = Trainer(full_model(run.config, run.schema), run.train, run.config), iter([0.5, 0.9] * 100)
    monkeypatch.setattr(trainer, "step", lambda _: torch.tensor(next(losses)))
    steps = trainer.round(0)["steps"]
    assert trainer.round(0)["train_loss"] == pytest.approx((0.5 * (steps // 2) + 0.9 * (steps - steps // 2)) / steps)


def test_stops_after_patience_and_returns_the_best_epoch_not_the_last(run: Run) -> None:
    model, aucs, _ = scripted(run, [0.3, 0.8, 0.6, 0.7, 0.9], patience=2)
    assert len(aucs) == 4
    assert model.weight.item() == pytest.approx(0.8)


def test_equal_auc_is_no_improvement(run: Run) -> None:
    _, aucs, _ = scripted(run, [0.8, 0.8, 0.8, 0.9], patience=2)
    assert len(aucs) == 3


def test_stops_at_the_largest_number_of_epochs(run: Run) -> None:
    _, aucs, _ = scripted(run, [0.1, 0.3, 0.5, 0.7, 0.9], patience=2, epochs=3)
    assert len(aucs) == 3


def test_keeps_each_improvement_and_nothing_else(run: Run) -> None:
    scripted(run, [0.3, 0.8, 0.6, 0.9, 0.1], patience=1, epochs=2)
    assert checkpoints_of(run) == ["x-000.pt", "x-001.pt"]


@pytest.mark.parametrize(
    ("about", "left", "ends"),
    [
        ({}, [0, 1, 3], 0.9),
        ({"name": "search"}, [3], 0.9),
        ({"last": True}, [4], 0.1),
    ],
)
def test_keeps_what_counts_and_ends_with_the_result(run: Run, about: dict, left: list[int], ends: float) -> None:
    model, aucs, _ = scripted(run, [0.3, 0.8, 0.6, 0.9, 0.1], patience=9, epochs=5, **about)
    assert [round(auc, 1) for auc in aucs] == [0.3, 0.8, 0.6, 0.9, 0.1]
    assert checkpoints_of(run) == [f"{about.get('name', 'x')}-{epoch:03d}.pt" for epoch in left]
    assert model.weight.item() == pytest.approx(ends)


@pytest.mark.parametrize(("below", "left"), [(-1.0, [0, 1, 3]), (0.5, [1, 3]), (0.85, [3]), (2.0, [3])])
def test_what_an_earlier_fit_was_better_than_is_forgotten_but_for_the_result(
    run: Run, below: float, left: list[int]
) -> None:
    _, _, done = scripted(run, [0.3, 0.8, 0.6, 0.9, 0.1], patience=9, epochs=5)
    done.forget(below)
    assert checkpoints_of(run) == [f"x-{epoch:03d}.pt" for epoch in left]


def test_what_an_earlier_fit_was_as_good_as_is_forgotten(run: Run) -> None:
    _, aucs, done = scripted(run, [0.3, 0.8, 0.6, 0.9, 0.1], patience=9, epochs=5)
    done.forget(aucs[1])
    assert checkpoints_of(run) == ["x-003.pt"]


@pytest.mark.parametrize(
    ("chosen", "patience", "ended"),
    [("aabbbb", 3, True), ("aabbb", 3, False), ("abab", 1, False), ("aaaa", 3, True), ("", 1, False)],
)
def test_a_search_has_settled_when_no_arg_max_moved_for_long(chosen: str, patience: int, ended: bool) -> None:
    weights = {"a": (0.6, 0.4), "b": (0.4, 0.6)}
    curve = [{"p/x/8,2": weights[c][0], "p/x/8,4": weights[c][1], "p/y/8,2": 0.9, "p/y/8,4": 0.1} for c in chosen]
    assert reached(Limit(rounds=9, patience=patience, until="settled"), curve) is ended


def test_a_step_of_descent_matches_adam_by_hand(run: Run) -> None:
    """First Adam step: each touched weight moves by lr * g / (|g| + eps)."""
    config = small_config(batch_size=200)
    model = full_model(config, run.schema)
    before = model.embedding.table.detach().clone()
    trainer = Trainer(model, run.train, config)
    trainer.round(0)
    gradient = model.embedding.table.grad
    expected = before - config.learning_rate * gradient / (gradient.abs() + 1e-8)
    torch.testing.assert_close(model.embedding.table.detach(), expected, atol=1e-7, rtol=1e-5)


@pytest.mark.parametrize("recipe", ["paper", "tuned"])
def test_the_mean_of_the_weights_is_that_of_a_loop(recipe: str, run: Run) -> None:
    trainer = Trainer(full_model(run.config, run.schema), run.train, small_config(recipe=recipe, average=0.9))
    mean: dict[str, torch.Tensor] = {}
    for batch in batches(run.train, trainer.config, 0):
        trainer.step(batch)
        for name, weights in trainer.model.named_parameters():
            mean[name] = 0.9 * mean.get(name, weights.detach()) + 0.1 * weights.detach()
    assert not torch.equal(trainer.result.embedding.table, trainer.model.embedding.table)
    expected = trainer.model.state_dict() | mean  # buffers are the model's own
    torch.testing.assert_close(dict(trainer.result.state_dict()), dict(expected), atol=1e-6, rtol=1e-6)


def test_the_mean_of_the_weights_is_what_a_fit_validates_and_ends_with(run: Run) -> None:
    config = small_config(average=0.9)
    trainer = Trainer(full_model(config, run.schema), run.train, config)
    fit = run_fit(Fit("x", run.checkpoints), trainer, run.valid, Limit(rounds=1, patience=1))
    assert all(torch.equal(fit.weights[name], mean) for name, mean in trainer.result.state_dict().items())
    assert fit.curve[0]["valid_auc"] == evaluate(trainer.result, run.valid).auc
    assert torch.equal(trainer.model.embedding.table, trainer.result.embedding.table)


def test_batches_cover_the_data_once_in_an_order_fixed_by_seed_and_epoch(run: Run) -> None:
    def order(seed: int, epoch: int) -> torch.Tensor:
        return torch.cat([ids for ids, _ in batches(run.train, small_config(seed=seed), epoch)])

    whole = order(1, 0)
    assert sorted(map(tuple, whole.tolist())) == sorted(map(tuple, run.train.ids.tolist()))
    assert torch.equal(whole, order(1, 0))
    assert not torch.equal(whole, order(1, 1))
    assert not torch.equal(whole, order(2, 0))


def test_more_validations_than_batches_are_refused(run: Run) -> None:
    with pytest.raises(ValueError, match="validations: expected at most 7, the batches of an epoch, found 8"):
        batches(run.train, small_config(validations=8), 0)


@pytest.mark.parametrize("parts", [2, 3, 7])
def test_rounds_inside_an_epoch_are_the_parts_of_its_pass(run: Run, parts: int) -> None:
    def passed(config: RunConfig, numbers: range) -> torch.Tensor:
        return torch.cat([ids for number in numbers for ids, _ in batches(run.train, config, number)])

    config = small_config(validations=parts)  # 7 batches of 32
    for epoch in (0, 1):
        whole = passed(small_config(), range(epoch, epoch + 1))
        assert torch.equal(passed(config, range(epoch * parts, (epoch + 1) * parts)), whole)
    assert config.limits.train.rounds == parts * small_config().limits.train.rounds
    assert config.limits.train.patience == small_config().limits.train.patience


@pytest.mark.parametrize("kind", ["descent", "search"])
@pytest.mark.parametrize("recipe", ["paper", "tuned"])
@pytest.mark.parametrize("switches", [{}, {"lazy": True, "validations": 2}, {"average": 0.9}], ids=str)
def test_interrupted_and_straight_fits_end_in_the_same_bits(
    kind: str, recipe: str, switches: dict[str, Any], tmp_path: Path, schema: Schema
) -> None:
    config = small_config(recipe=recipe, **switches)
    run = small_run(tmp_path, schema, config)

    def go(checkpoints: Checkpoints) -> dict[str, torch.Tensor]:
        if kind == "search":
            model = candidates_model(config, schema)
            trainer = Search(model, run.train, run.valid, config)
        else:
            model = full_model(config, schema)
            trainer = Trainer(model, run.train, config)
        done = run_fit(Fit("x", checkpoints), trainer, run.valid, Limit(rounds=4, patience=9))
        last = checkpoints.load("x")["model"]
        return done.weights | {f"last {name}": tensor for name, tensor in last.items()}

    straight = go(Checkpoints(tmp_path / "straight"))
    with pytest.raises(KilledError):
        go(DyingCheckpoints(tmp_path / "killed", lives=2))
    resumed = go(Checkpoints(tmp_path / "killed"))
    assert straight.keys() == resumed.keys()
    assert all(torch.equal(straight[name], resumed[name]) for name in straight)


@pytest.mark.parametrize("build", [full_model, others_model])
@pytest.mark.parametrize("model", ["deepfm", "pnn", "dcn"])
def test_a_step_on_another_device_is_all_on_it(model: str, build: Callable[..., CTRModel], schema: Schema) -> None:
    """On the meta device, which has no numbers, so that asking for one would fail."""
    config = small_config(model=model, recipe="paper").model_copy(update={"device": "meta"})
    descent = Trainer(build(config, schema), small_samples(schema, 70, 1).to("meta"), config)
    taken = list(batches(descent.train, config, 0))
    losses = [descent.step(batch) for batch in taken]
    states = [tensor for kind in descent.optimizer.state_dict().values() for tensor in kind]
    tensors = [
        *descent.model.state_dict().values(),
        *descent.model.buffers(),
        *losses,
        *states,
        *shuffled(descent.train, config, "order", 0),
    ]
    assert {tensor.device.type for tensor in tensors} == {"meta"}


def test_state_from_the_cpu_goes_to_the_device() -> None:
    there = Adam([nn.Parameter(torch.zeros(2, device="meta"))], 0.1)
    here = Adam([nn.Parameter(torch.zeros(2))], 0.1)
    here.parameters[0].grad = torch.ones(2)
    here.step()
    there.load_state_dict(here.state_dict())
    assert {tensor.device.type for kind in there.state_dict().values() for tensor in kind} == {"meta"}


def test_samples_on_a_device_are_the_rows_of_the_part(schema: Schema) -> None:
    part = replace(small_samples(schema, 9, 1), rows=torch.tensor([1, 4, 8], dtype=torch.int32))
    there = part.to("meta")
    assert (there.all_ids.shape, there.all_labels.shape, len(there)) == ((3, 3), (3,), 3)
    assert part.to("cpu") is part
    assert there.to("meta") is there


def test_every_round_has_noise_of_its_own_from_the_seed(tmp_path: Path, schema: Schema) -> None:
    def noise(seed: int) -> list[float]:
        run = small_run(tmp_path / f"{seed}", schema, small_config(seed=seed))
        trainer, seen = Trainer(full_model(run.config, schema), run.train, run.config), []
        trainer.round = lambda number: seen.append(torch.rand(1).item()) or {"steps": 1}  # type: ignore[method-assign]
        run_fit(Fit("x", run.checkpoints), trainer, run.valid, Limit(rounds=3, patience=9))
        return seen

    assert len({*noise(1), *noise(2)}) == 6


def test_a_training_that_diverged_says_so(run: Run) -> None:
    model = full_model(run.config, run.schema)
    model.bias.data.fill_(float("nan"))
    with pytest.raises(
        ValueError, match="logits: expected finite numbers, found others, for the training has diverged"
    ):
        evaluate(model, run.valid)
