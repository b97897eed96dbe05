"""The readings of AutoDPQ's words and the protocols: what each part does, and that the sets are made of the parts."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from conftest import small_config, small_run
from torch import Tensor

from autodpq_data.schema import Schema
from autodpq_lib.config import READINGS, RunConfig
from autodpq_lib.embedding.candidates import Candidates, FieldNorm
from autodpq_lib.embedding.compressed import Compressed
from autodpq_lib.embedding.dpq import DPQ
from autodpq_lib.embedding.kmeans import kmeans
from autodpq_lib.embedding.quantiser import Coding, Quantiser
from autodpq_lib.models.build import candidates_model, dpq_model, full_model
from autodpq_lib.strategies import STRATEGY
from autodpq_lib.strategies.autodpq import pretrain, retrain, search
from autodpq_lib.training.run import Run
from autodpq_lib.training.search import Search
from autodpq_lib.training.trainer import Trainer, batches
from autodpq_runs.finish import finish
from autodpq_runs.record import Record
from autodpq_system.seeding import seed_for

NEAREST = Coding(distance="nearest")


def normal(tensor: Tensor) -> Tensor:
    return tensor.normal_(0, 0.5)


def vectors(rows: int = 9) -> Tensor:
    return torch.randn(rows, 16, generator=torch.Generator().manual_seed(3), requires_grad=True)


@pytest.mark.parametrize("subspaces", [1, 2, 8])
def test_nearest_codes_are_the_arg_min_of_the_distance(subspaces: int) -> None:
    torch.manual_seed(0)
    q, e = Quantiser([3, 8], subspaces, 16, normal, NEAREST), vectors()
    codes, width = q.encode(e), 16 // subspaces
    for t, size in enumerate((3, 8)):
        for i in range(subspaces):
            part = e[:, i * width : (i + 1) * width]
            distances = ((part[:, None] - q.centroids[t, i, :size]) ** 2).sum(-1)  # [P, K]
            assert torch.equal(codes[t, i], distances.argmin(1))


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("tau", [1.0, 0.3])
def test_gradient_of_nearest_is_that_of_the_softmax_over_minus_the_distance(tied: bool, tau: float) -> None:
    torch.manual_seed(0)
    q, e = Quantiser([5], 2, 16, normal, Coding("nearest", tied, tau)), vectors()
    parts = e.unflatten(1, (2, 8)).transpose(0, 1)  # [D, P, w]
    distances = (parts[:, :, None] - q.centroids[0][:, None]).square().sum(-1)  # [D, P, K]
    soft = torch.softmax(-distances / tau, -1)
    hard = torch.nn.functional.one_hot(distances.argmin(-1), 5)
    naive = ((hard + soft - soft.detach()) @ q.decoder[0]).transpose(0, 1).flatten(1)
    weights = torch.randn(9, 16)
    # Of soft alone the values get a gradient too; the straight-through one has them get that of the choice.
    values = q.decoder[0].detach()
    through = ((hard + soft - soft.detach()) @ values).transpose(0, 1).flatten(1)
    expected_e, expected_keys = torch.autograd.grad((through * weights).sum(), [e, q.centroids], retain_graph=True)
    got = q(e).squeeze(1)
    torch.testing.assert_close(got, naive, atol=1e-6, rtol=1e-6)
    got_e, got_keys = torch.autograd.grad((got * weights).sum(), [e, q.centroids])
    chosen = torch.zeros_like(values)
    grad = weights.unflatten(1, (2, 8)).transpose(0, 1)
    for i in range(2):
        chosen[i].index_add_(0, distances.argmin(-1)[i], grad[i])
    torch.testing.assert_close(got_e, expected_e, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(got_keys, expected_keys + (chosen if tied else 0), atol=1e-5, rtol=1e-5)


def test_kmeans_of_two_heaps_by_hand() -> None:
    heaps = torch.tensor([[0.0, 0], [0, 2], [10, 0], [10, 2], [10, 4]])
    assert sorted(kmeans(heaps, 2, seed=1).tolist()) == [[0, 1], [10, 2]]
    assert torch.equal(kmeans(heaps, 2, seed=1), kmeans(heaps, 2, seed=1))
    assert sorted(kmeans(heaps[[0, 0, 3]], 4, seed=1).tolist()) == [[0, 0], [10, 2]]


def test_centroids_start_from_the_raw_rows_field_by_field(schema: Schema) -> None:
    torch.manual_seed(0)
    module = DPQ(schema, 16, normal, {"a": (2, 2), "c": (4, 4)}, NEAREST)
    before = module.quantisers["c"].centroids.detach().clone()
    module.cluster(seed=5)
    rows = module.table[schema.low & (schema.field_of == 0)]
    for i in range(2):
        assert torch.equal(module.quantisers["a"].centroids[0, i], kmeans(rows[:, 8 * i : 8 * i + 8].detach(), 2, 5))
    after = module.quantisers["c"].centroids  # two rows for four centroids
    assert torch.equal(after[..., 2:, :], before[..., 2:, :])
    codes = module.codes()["c"]
    torch.testing.assert_close(module.decode(module.codes())[-2:], module.table[schema.low][-2:], atol=0, rtol=0)
    assert codes.max() < 2


def test_eq_2_can_keep_the_scale_of_the_raw_rows() -> None:
    norm, e, rows = FieldNorm(3, 4), torch.randn(50, 3, 4) * 7 + 2, torch.randn(30, 4) * 0.1 + 1
    norm.bring_back_to(rows)
    for t in range(3):
        torch.testing.assert_close(norm(e)[:, t].mean(0), rows.mean(0), atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(norm(e)[:, t].std(0, correction=0), rows.std(0, correction=0), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("spared", [True, False])
def test_rows_that_only_feed_an_encoder_can_be_spared_weight_decay(run: Run, spared: bool) -> None:
    """A batch that touches no row of field a's: Adam moves what decays by lr in its first step, and nothing else."""
    config = small_config(recipe="paper", weight_decay=0.5, encoder_decay=not spared)
    model = dpq_model(config, run.schema, {"a": (2, 2), "c": (2, 2)})
    before = model.embedding.table.detach().clone()
    Trainer(model, run.train, config).step((torch.tensor([[0, 6, 9], [0, 7, 9]]), torch.tensor([0.0, 1.0])))
    moved = (model.embedding.table - before).abs().amax(1) > 1e-6
    assert bool(moved[2:6].any()) is not spared  # low-frequency
    assert moved[1]  # kept


def test_rows_that_are_used_as_they_are_decay(run: Run) -> None:
    """Without compression they feed no encoder, so there is nothing to spare."""
    config = small_config(recipe="paper", weight_decay=0.5, encoder_decay=False, quantise=False)
    model = candidates_model(config, run.schema)
    before = model.embedding.table.detach().clone()
    Trainer(model, run.train, config).step((torch.tensor([[0, 6, 9], [0, 7, 9]]), torch.tensor([0.0, 1.0])))
    assert ((model.embedding.table - before).abs().amax(1) > 1e-6)[2:6].all()


@pytest.mark.parametrize(("every", "times"), [(1, 7), (3, 3), (10, 1)])
def test_alpha_has_its_turn_every_so_many_steps(run: Run, every: int, times: int, monkeypatch: object) -> None:
    config = small_config(alpha_every=every)
    trainer, turns = Search(candidates_model(config, run.schema), run.train, run.valid, config), []
    monkeypatch.setattr(trainer, "update_alpha", lambda *_: turns.append(trainer.steps))
    trainer.round(0)  # 200 rows in batches of 32: 7 steps
    assert len(turns) == times
    assert all(step % every == 0 for step in turns)


def test_the_order_of_the_rows_can_be_kept(run: Run) -> None:
    def order(number: int, **changed: object) -> Tensor:
        return torch.cat([ids for ids, _ in batches(run.train, small_config(**changed), number)])

    assert torch.equal(order(0, fixed_order=True), order(5, fixed_order=True))
    assert torch.equal(order(0, fixed_order=True), order(0))
    assert not torch.equal(order(0), order(5))


def record_of(tmp_path: Path, schema: Schema, monkeypatch: pytest.MonkeyPatch, **changed: object) -> Record:
    run = small_run(tmp_path / "work", schema, small_config(**changed))
    monkeypatch.setattr("autodpq_runs.finish.load_samples", lambda *_: run.valid)
    monkeypatch.setattr("autodpq_runs.finish.load_schema", lambda *_: schema)
    return finish(run, STRATEGY[run.config.strategy](run), tmp_path / "out")


@pytest.mark.parametrize("strategy", ["fe", "grid", "autodpq"])
def test_the_last_epoch_can_be_what_is_scored(
    strategy: str, tmp_path: Path, schema: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = record_of(tmp_path, schema, monkeypatch, strategy=strategy, scored="last")
    ends = {log.name: log.curve["valid_auc"][-1] for log in record.fits if log.name != "search"}
    assert all(point.valid.auc == ends[point.fit] for point in record.timeline)
    stage = record.fits[-1].name.split("-")[0]
    assert record.valid.auc == max(auc for name, auc in ends.items() if name.startswith(stage))
    assert record.test.auc == pytest.approx(record.valid.auc, abs=1e-12)  # here the test part is the validation part


@pytest.mark.parametrize("reading", ["text", "laboratory"])
def test_each_reading_runs_and_is_the_set_of_its_parts(
    reading: str, tmp_path: Path, schema: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = record_of(tmp_path, schema, monkeypatch, reading=reading)
    assert {key: getattr(record.config, key) for key in READINGS[reading]} == READINGS[reading]
    assert record.config.changed()["reading"] == reading
    assert set(record.config.changed()) - {"reading"} == set(small_config().changed())
    by_parts = small_config(**READINGS[reading])
    assert by_parts.model_copy(update={"reading": reading}) == record.config


def test_literal_is_what_there_was_before() -> None:
    config = RunConfig(dataset="ml-1m", strategy="autodpq")
    assert config.reading == "literal"
    assert READINGS["literal"] == {}
    assert "reading" not in config.model_dump(exclude_defaults=True)


def test_from_scratch_only_the_quantiser_is_the_texts(schema: Schema) -> None:
    config = small_config(strategy="grid", reading="text")
    assert (config.distance, config.encoder_decay) == ("nearest", False)
    assert (config.centroids_from, config.search_until) == ("random", "validation")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (
            {"strategy": "fe", "reading": "text"},
            "reading: expected literal for fe, which text does not change, found text",
        ),
        (
            {"strategy": "random", "reading": "laboratory"},
            "reading: expected literal for random, which laboratory does not change",
        ),
        ({"pretrain": False, "centroids_from": "kmeans"}, "centroids_from: expected random where pretrain is off"),
        ({"pretrain": False, "batchnorm_scale": "pretrained"}, "batchnorm_scale: expected unit where pretrain is off"),
        ({"recipe": "paper", "lazy": True, "encoder_decay": False}, "encoder_decay: expected true where lazy is on"),
        ({"strategy": "fee"}, "strategy: expected one of fe, others, grid, random, autodpq, .*, found fee"),
    ],
)
def test_contradictions_are_refused(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        small_config(**wrong)


def test_limits_that_are_given_apart() -> None:
    lab = RunConfig(dataset="ml-1m", strategy="autodpq", reading="laboratory")
    assert (lab.limits.search.rounds, lab.limits.search.patience) == (50, 3)
    assert (lab.pretrain_limit.rounds, lab.pretrain_limit.patience) == (2, 2)
    assert lab.limits.train == RunConfig(dataset="ml-1m", strategy="autodpq").limits.train
    protocol = RunConfig(dataset="ml-1m", strategy="fe", protocol="laboratory")
    assert (protocol.limits.train.patience, protocol.scored) == (2, "last")
    parts = RunConfig(dataset="avazu-sample", strategy="autodpq", reading="text", validations=4)
    assert (parts.limits.search.rounds, parts.limits.search.until) == (120, "settled")


def test_the_laboratory_s_pretrain_is_two_epochs(tmp_path: Path, schema: Schema) -> None:
    run = small_run(tmp_path, schema, small_config(profile="full", reading="laboratory"))
    assert len(pretrain(run).curve) == 2


@pytest.mark.parametrize("strategy", ["grid", "autodpq"])
def test_the_text_runs_with_lazy_adam_where_there_is_no_decay(strategy: str, tmp_path: Path, schema: Schema) -> None:
    """As on Avazu: nothing is left to spare the raw rows, whose gradients are sparse."""
    config = small_config(strategy=strategy, reading="text", lazy=True, recipe="tuned")
    assert STRATEGY[strategy](small_run(tmp_path, schema, config))


def test_what_a_run_says_of_its_codes_reaches_every_quantiser(schema: Schema) -> None:
    config = small_config(distance="nearest", tied=False, tau_kd=0.5, kd_noise=True)
    for model in (dpq_model(config, schema, {"a": (2, 2), "c": (4, 4)}), candidates_model(config, schema)):
        found = {part.coding for part in model.modules() if isinstance(part, Quantiser)}
        assert found == {Coding("nearest", False, 0.5, True)}


def test_a_search_without_compression_or_batchnorm_has_neither(schema: Schema) -> None:
    embedding = candidates_model(small_config(quantise=False, search_batchnorm=False), schema).embedding
    assert (embedding.quantise, embedding.norms) == (False, None)


def test_the_text_takes_centroids_of_the_search_from_the_pretrained_rows(
    tmp_path: Path, schema: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[type] = []
    monkeypatch.setattr(Compressed, "cluster", lambda self, seed: seen.append(type(self)))
    run = small_run(tmp_path, schema, small_config(reading="text"))
    search(run, pretrain(run))
    assert seen == [Candidates]


def test_the_text_starts_search_and_retrain_from_the_pretrained_rows(tmp_path: Path, schema: Schema) -> None:
    run = small_run(tmp_path, schema, small_config(reading="text"))
    pretrained = run.fit("pretrain", full_model(run.config, schema))
    rows = pretrained.weights["embedding.table"]
    searched, mixture = search(run, pretrained)
    assert searched.last
    scale = mixture.embedding.norms[0].scale
    torch.testing.assert_close(scale, rows[2:6].std(0, correction=0), atol=1e-6, rtol=1e-6)
    started: dict[str, Tensor] = {}
    run.checkpoints.save("retrain", {})  # never read: the first thing that is asked for is what the model holds
    run.checkpoints.load = lambda name: None  # type: ignore[method-assign]
    original = Trainer.round
    try:
        Trainer.round = lambda self, number: (
            started
            or started.update(  # type: ignore[method-assign]
                {name: tensor.clone() for name, tensor in self.model.state_dict().items()}
            )
            or original(self, number)
        )
        done = retrain(run, pretrained, mixture)
    finally:
        Trainer.round = original  # type: ignore[method-assign]
    assert torch.equal(started["embedding.table"], rows)
    fresh = dpq_model(run.config, schema, done.decision)
    fresh.load_state_dict({**fresh.state_dict(), "embedding.table": rows})
    assert not torch.equal(started["embedding.quantisers.a.centroids"], fresh.embedding.quantisers["a"].centroids)
    _, d = done.decision["a"]
    for n, part in enumerate(rows[2:6].chunk(d, 1)):
        expected = kmeans(part, done.decision["a"][0], seed_for(1, "kmeans"))
        assert torch.equal(started["embedding.quantisers.a.centroids"][0, n, : len(expected)], expected)
