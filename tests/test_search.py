"""Algorithm 1: who learns on what, the temperature, and the second-order gradient."""

from __future__ import annotations

import pytest
import torch
from conftest import small_config, small_run
from torch import Tensor, nn
from torch.nn import functional as F

from autodpq_data.schema import Schema
from autodpq_lib.models.build import candidates_model
from autodpq_lib.training.run import Run
from autodpq_lib.training.search import Search, second_order, temperature
from autodpq_lib.training.trainer import Trainer


def search(run: Run, **changed: object) -> Search:
    config = small_config(**changed)
    return Search(candidates_model(config, run.schema), run.train, run.valid, config)


@pytest.mark.parametrize(("s", "tau"), [(0, 1.0), (1, 0.99995), (3000, 0.85), (19_800, 0.01), (10**6, 0.01)])
def test_temperature_by_hand(s: int, tau: float) -> None:
    assert temperature(s) == pytest.approx(tau, abs=1e-12)


@pytest.mark.parametrize(("unit", "expected"), [("steps", 1 - 6 * 5e-5), ("epochs", 1.0)])
def test_tau_counts_steps_or_epochs(run: Run, unit: str, expected: float) -> None:
    noted = search(run, tau_unit=unit).round(0)  # 200 rows in batches of 32: 7 steps, the last one at s = 6
    assert noted["steps"] == 7
    assert noted["tau"] == pytest.approx(expected, abs=1e-12)


def test_tau_counts_epochs_and_not_validations(run: Run) -> None:
    assert search(run, tau_unit="epochs").round(3)["tau"] == pytest.approx(1 - 3 * 5e-5, abs=1e-12)
    assert search(run, tau_unit="epochs", validations=2).round(3)["tau"] == pytest.approx(1 - 5e-5, abs=1e-12)


def test_alpha_moves_at_the_rate_of_the_run(run: Run) -> None:
    """The first step of Adam is the rate, but for epsilon, whatever the size of a gradient."""
    trainer = search(run, learning_rate=0.003)
    before = trainer.alpha.detach().clone()
    batch = run.valid.ids[:32].long(), run.valid.labels[:32]
    trainer.update_alpha(batch, batch)
    g = trainer.alpha.grad
    torch.testing.assert_close(trainer.alpha.detach(), before - 0.003 * g / (g.abs() + 1e-8), atol=1e-7, rtol=1e-5)


def test_alpha_step_moves_alpha_alone_and_weight_step_all_else(run: Run) -> None:
    trainer = search(run)
    batch = run.train.ids[:32].long(), run.train.labels[:32]
    held_out = run.valid.ids[:32].long(), run.valid.labels[:32]
    before = {name: p.detach().clone() for name, p in trainer.model.named_parameters()}

    def moved() -> set[str]:
        return {name for name, p in trainer.model.named_parameters() if not torch.equal(p, before[name])}

    trainer.update_alpha(held_out, batch)
    assert moved() == {"embedding.alpha"}
    before["embedding.alpha"] = trainer.alpha.detach().clone()
    Trainer.step(trainer, batch)
    assert "embedding.alpha" not in moved()
    assert {"embedding.table", "first_order.table", "bias", "mlp.0.weight"} <= moved()


@pytest.mark.parametrize("recipe", ["paper", "tuned"])
@pytest.mark.parametrize("second_order", [False, True])
def test_batches_without_low_frequency_features_leave_alpha(run: Run, second_order: bool, recipe: str) -> None:
    """In recipe ``paper``, too: weight decay is for the weights."""
    trainer = search(run, recipe=recipe)
    trainer.config = trainer.config.model_copy(update={"second_order": second_order})
    kept, before = (torch.tensor([[0, 6, 10], [1, 7, 11]]), torch.tensor([0.0, 1.0])), trainer.alpha.detach().clone()
    trainer.held_out = iter([kept])
    assert torch.isfinite(trainer.step(kept))
    assert torch.equal(trainer.alpha, before)


def test_alpha_learns_from_validation_and_weights_from_training(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer, seen = search(run), []
    rows = {"train": set(map(tuple, run.train.ids.tolist())), "valid": set(map(tuple, run.valid.ids.tolist()))}
    monkeypatch.setattr(trainer, "update_alpha", lambda held_out, batch: seen.append(held_out[0]))
    trained = []
    monkeypatch.setattr(Trainer, "step", lambda _, batch: trained.append(batch[0]) or torch.zeros(()))
    trainer.round(0)
    assert {tuple(row) for ids in seen for row in ids.tolist()} <= rows["valid"]
    assert {tuple(row) for ids in trained for row in ids.tolist()} == rows["train"]


def test_alpha_gradient_is_the_validation_losss(run: Run) -> None:
    """First order: grad_alpha L_val(W, alpha), checked by central differences in double precision."""
    trainer = search(run)
    trainer.model.double()
    held_out = run.valid.ids[:40].long(), run.valid.labels[:40].double()

    def loss() -> Tensor:
        torch.manual_seed(4)
        return F.binary_cross_entropy_with_logits(trainer.model(held_out[0]), held_out[1])

    expected = {}
    for place in ((0, 0), (1, 3)):
        step = 1e-5
        trainer.alpha.data[place] += step
        above = loss()
        trainer.alpha.data[place] -= 2 * step
        below = loss()
        trainer.alpha.data[place] += step
        expected[place] = (above - below).item() / (2 * step)
    trainer.alpha_optimizer.step = lambda: None  # type: ignore[method-assign]
    torch.manual_seed(4)
    trainer.update_alpha(held_out, (run.train.ids[:40].long(), run.train.labels[:40].double()))
    for place, slope in expected.items():
        assert trainer.alpha.grad[place].item() == pytest.approx(slope, abs=1e-7)


def test_second_order_is_told_which_loss_is_which_and_the_step(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[float] = []
    monkeypatch.setattr(
        "autodpq_lib.training.search.second_order",
        lambda valid, train, _, alpha, xi: seen.extend([valid(), train(), xi]) or torch.zeros_like(alpha),
    )
    trainer = search(run, second_order=True)
    trainer.loss = lambda batch: batch[1].sum()  # type: ignore[method-assign]
    none = torch.zeros(0)
    trainer.update_alpha((none, torch.ones(3)), (none, torch.ones(5)))
    assert [float(each) for each in seen] == [3, 5, trainer.config.learning_rate]


def test_alpha_has_the_first_turn(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer, order = search(run), []
    monkeypatch.setattr(trainer, "update_alpha", lambda *_: order.append("alpha"))
    monkeypatch.setattr(Trainer, "step", lambda *_: order.append("weights") or torch.zeros(()))
    trainer.round(0)
    assert order == ["alpha", "weights"] * 7


def test_validation_batches_come_in_another_order_in_every_pass_and_round(run: Run) -> None:
    trainer = search(run)

    def passes(number: int) -> list[list[int]]:
        batches = trainer._validation_batches(number)
        return [torch.cat([next(batches)[0] for _ in range(2)]).flatten().tolist() for _ in range(2)]  # 60 rows: 2

    every = passes(0) + passes(1)
    assert len({tuple(each) for each in every}) == 4
    assert len({tuple(sorted(each)) for each in every}) == 1


def test_second_order_matches_an_unrolled_step() -> None:
    """A smooth small case whose unrolled gradient autograd can take through the weights' own step."""
    torch.manual_seed(0)
    weight = nn.Parameter(torch.randn(6, dtype=torch.double))
    alpha = nn.Parameter(torch.randn(6, dtype=torch.double))
    x, y = torch.randn(2, 9, 6, dtype=torch.double), torch.randn(2, 9, dtype=torch.double)
    xi = 0.1

    def loss(part: int, w: Tensor) -> Tensor:
        return (torch.tanh(x[part] * torch.sigmoid(alpha)) @ w - y[part]).square().mean()

    (step,) = torch.autograd.grad(loss(0, weight), weight, create_graph=True)
    (unrolled,) = torch.autograd.grad(loss(1, weight - xi * step), alpha)
    before = weight.detach().clone()
    found = second_order(lambda: loss(1, weight), lambda: loss(0, weight), [weight], alpha, xi)
    torch.testing.assert_close(found, unrolled, atol=1e-5, rtol=1e-5)
    (first,) = torch.autograd.grad(loss(1, weight), alpha)
    assert (first - unrolled).abs().max() > 1e-2  # so the test can tell the two apart
    assert torch.equal(weight, before)


def test_second_order_with_no_step_is_first_order(run: Run) -> None:
    trainer = search(run)
    batch = run.train.ids[:32].long(), run.train.labels[:32]
    state = torch.get_rng_state()
    (first,) = torch.autograd.grad(trainer.loss(batch), trainer.alpha)
    torch.set_rng_state(state)
    found = second_order(
        lambda: trainer.loss(batch), lambda: trainer.loss(batch), trainer.optimizer.parameters, trainer.alpha, xi=0.0
    )
    torch.testing.assert_close(found, first, atol=1e-6, rtol=1e-5)


def test_second_order_runs_in_the_search_and_differs(tmp_path: object, schema: Schema) -> None:
    run = small_run(tmp_path, schema, small_config())
    first, second = search(run), search(run, second_order=True)
    for trainer in (first, second):
        torch.manual_seed(1)
        trainer.round(0)
    assert not torch.equal(first.alpha, second.alpha)
    assert torch.isfinite(second.alpha).all()


def test_notes_entropy_and_weights_of_the_candidates(run: Run) -> None:
    noted = search(run).round(0)
    weights = [value for key, value in noted.items() if key.startswith("p/a/")]
    assert sum(weights) == pytest.approx(1, abs=1e-6)
    entropy = -sum(p * torch.tensor(p).log().item() for p in weights)
    assert noted["entropy/a"] == pytest.approx(entropy, abs=1e-5)
