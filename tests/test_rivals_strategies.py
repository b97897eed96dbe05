"""The rivals as strategies, from a configuration to a record and back; and what fits a budget."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import restored, small_config, small_run
from test_rivals import IDS, RIVALS, X

from autodpq_data.schema import Schema
from autodpq_lib.config import RunConfig
from autodpq_lib.models.build import EMBEDDING, final_model, full_model
from autodpq_lib.models.ctr_model import CTRModel
from autodpq_lib.space import model_bytes
from autodpq_lib.strategies import STRATEGY
from autodpq_lib.training.fit import UNSCORED, Fit
from autodpq_lib.training.metrics import evaluate
from autodpq_lib.training.run import Run
from autodpq_lib.training.trainer import Trainer
from autodpq_rivals import mgqe
from autodpq_rivals.budget import Setting, rest_bytes, settings
from autodpq_rivals.int_b import quantise
from autodpq_rivals.methods import METHODS, NEAR_ZERO
from autodpq_rivals.mpe import MPE
from autodpq_rivals.rival import Options
from autodpq_rivals.strategies import register_rivals, train_and_store
from autodpq_runs.explore import load_run
from autodpq_runs.finish import finish

NAMES = {kind: name for name, kind in METHODS.items()}


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(mgqe, "FEWER", 2)
    with restored(EMBEDDING, STRATEGY):
        register_rivals(train_and_store)
        yield


def config_of(rival: str, **changed: object) -> RunConfig:
    kind, options, _ = RIVALS[rival]
    return small_config(strategy=NAMES[kind], options=options, embedding_dim=X, **changed)


@pytest.mark.parametrize("model", ["deepfm", "pnn", "dcn"])
@pytest.mark.parametrize("rival", RIVALS)
def test_every_rival_fits_every_model(schema: Schema, rival: str, model: str) -> None:
    built = final_model(config_of(rival, model=model), schema, None)
    assert built(IDS).shape == (4,)
    assert built.eval()(IDS[:1]).shape == (1,)
    assert isinstance(built.first_order, type(built.embedding)) == (model == "deepfm")


def test_a_rival_refuses_lazy_tables_for_it_has_none(schema: Schema) -> None:
    with pytest.raises(ValueError, match=r"^lazy: expected false for lsq, whose gradients are dense, found true$"):
        final_model(config_of("lsq", lazy=True), schema, None)


@pytest.mark.parametrize("rival", RIVALS)
def test_a_model_with_a_rival_can_be_pickled(schema: Schema, rival: str) -> None:
    model = final_model(config_of(rival), schema, None).eval()
    assert torch.equal(pickle.loads(pickle.dumps(model))(IDS), model(IDS))


@pytest.mark.parametrize("rival", RIVALS)
def test_the_rest_of_the_model_starts_as_that_of_fe(schema: Schema, rival: str) -> None:
    config = config_of(rival, recipe="paper")
    ours, fe = final_model(config, schema, None), full_model(config, schema)
    assert all(torch.equal(p, q) for p, q in zip(ours.mlp.parameters(), fe.mlp.parameters(), strict=True))


@pytest.mark.parametrize("rival", [name for name in RIVALS if name != "int-b"])  # which starts as FE does
def test_how_first_order_weights_start_is_the_recipes_or_near_zero_in_every_recipe(schema: Schema, rival: str) -> None:
    configs = config_of(rival, recipe="paper"), config_of(rival, recipe="paper", first_order_sd=0.0)
    far, near = (final_model(config, schema, None).state_dict() for config in configs)
    assert all(torch.equal(far[name], near[name]) for name in far) == (configs[0].strategy in NEAR_ZERO)


@pytest.mark.parametrize("rival", [name for name in RIVALS if name != "int-b"])
def test_a_rival_learns(schema: Schema, rival: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mgqe, "FEWER", 1)  # two vectors are too few for twelve features
    config = config_of(rival, batch_size=100, learning_rate=0.02)
    run = small_run(tmp_path, schema, config)
    model = final_model(config, schema, None)
    trainer, before = Trainer(model, run.train, config), evaluate(model, run.train).logloss
    for number in range(25):
        trainer.round(number)
    assert evaluate(model, run.train).logloss < before - 0.02


@pytest.mark.parametrize("rival", RIVALS)
def test_a_run_is_recorded_and_comes_back(
    rival: str, tmp_path: Path, schema: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = small_run(tmp_path / "work", schema, config_of(rival))
    for place in ("autodpq_runs.finish", "autodpq_runs.explore"):
        monkeypatch.setattr(f"{place}.load_samples", lambda *_: run.valid)
        monkeypatch.setattr(f"{place}.load_schema", lambda *_: schema)
    record = finish(run, STRATEGY[run.config.strategy](run), tmp_path / "out")
    loaded = load_run(record)
    assert evaluate(loaded.model, loaded.test) == record.test
    assert record.space.bits == 8 * loaded.model.embedding.served_bytes()
    assert record.space.model_bytes == model_bytes(loaded.model)


def test_int_b_is_fe_with_its_tables_quantised(schema: Schema, tmp_path: Path) -> None:
    config = config_of("int-b")
    full, quantised = STRATEGY["int-b"](small_run(tmp_path, schema, config))
    for name, tensor in quantised.weights.items():
        before = full.weights[name]
        assert torch.equal(tensor, quantise(before, schema, 3) if name.endswith("table") else before)
    assert full.stage in UNSCORED


def test_a_run_ends_with_its_numbers_as_they_are_stored(schema: Schema, tmp_path: Path) -> None:
    trained, stored = STRATEGY["qr"](small_run(tmp_path, schema, config_of("qr")))
    assert (trained.stage in UNSCORED, stored.stage in UNSCORED) == (True, False)
    for name, tensor in stored.weights.items():
        table, before = name.startswith(("embedding.", "first_order.")), trained.weights[name]
        assert torch.equal(tensor, before.half().float() if table else before)


def test_mpe_is_trained_from_its_start_with_the_widths_it_found(schema: Schema, tmp_path: Path) -> None:
    config = config_of("mpe")
    search, retrained, _ = STRATEGY["mpe"](small_run(tmp_path, schema, config))
    assert (search.weights["embedding.bits"] == -1).all()
    assert (retrained.weights["embedding.bits"] >= 0).all()
    assert (retrained.weights["first_order.bits"] >= 0).all()
    assert torch.equal(retrained.weights["embedding.start"], search.weights["embedding.start"])


def test_the_search_of_mpe_ends_with_the_epochs_that_it_may_take(schema: Schema, tmp_path: Path) -> None:
    config, epochs = config_of("mpe"), []
    for own in ({}, {"search_epochs": 1}):
        run = small_run(tmp_path / str(own), schema, config.model_copy(update={"options": config.options | own}))
        epochs.append([len(fit.curve) for fit in STRATEGY["mpe"](run)])
    (long, *_), (short, after, _) = epochs
    assert long > 1
    assert (short, after > 1) == (1, True)


def test_what_searches_is_not_averaged(schema: Schema, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, seen = small_run(tmp_path, schema, config_of("mpe", average=0.9)), []
    plain = Run.fit

    def spied(self: Run, name: str, model: CTRModel, **more: Any) -> Fit:
        trainer = more.get("trainer") or Trainer(model, self.train, self.config)
        seen.append((name, trainer.mean is not None))
        return plain(self, name, model, **more)

    monkeypatch.setattr(Run, "fit", spied)
    STRATEGY["mpe"](run)
    assert seen[:2] == [("search", False), ("train", True)]


def test_a_run_is_named_by_its_options_and_keeps_their_types() -> None:
    config = RunConfig(dataset="ml-1m", strategy="dpq-vq", options=RIVALS["book a field"][1])
    assert config.name().startswith("deepfm-dpq-vq-seed1-centroids-5-normed-no-shared-subspaces-2-no-tied-")
    again = RunConfig.model_validate_json(config.model_dump_json())
    assert again == config
    assert [type(value) for value in again.options.values()] == [int, int, bool, bool, bool]


# What fits a budget.


def model_of(method: str, one: Setting, schema: Schema, model: str) -> CTRModel:
    config = small_config(model=model, embedding_dim=one.dim, subspaces=(1,))
    return final_model(config.model_copy(update={"strategy": method, "options": one.options}), schema, None)


@pytest.mark.parametrize("model", ["deepfm", "pnn", "dcn"])
@pytest.mark.parametrize("method", METHODS)
def test_settings_fit_and_are_of_the_size_they_say(schema: Schema, method: str, model: str) -> None:
    config = small_config(model=model)
    budget = 1500
    found = settings(method, config, schema, budget)
    assert 1 <= len(found) <= (10 if method == "mpe" else 6)
    for one in found:
        built = model_of(method, one, schema, model)
        for part in built.children():
            if isinstance(part, MPE):
                part.bits.zero_()
        rest = rest_bytes(config.model_copy(update={"embedding_dim": one.dim}), 3)
        assert one.bytes == model_bytes(built) - rest <= budget


@pytest.mark.parametrize(
    ("method", "own", "of_weights"),
    [
        # 14 features: 14 codes of 2 bits, the step and c, of 2 bytes each.
        ("lsq", {"first_order_bits": 2}, 4 + 2 * (1 + 1)),
        # 2 features have codes of 2 bits, 12 of 1; 4 centroids of 2 bytes.
        ("mgqe", {"first_order_centroids": 4}, 1 + 2 + 4 * 2),
    ],
)
def test_first_order_weights_may_have_options_of_their_own(
    schema: Schema, method: str, own: Options, of_weights: int
) -> None:
    found = settings(method, small_config(), schema, 1500, own=own)
    assert found
    for one in found:
        built = model_of(method, one, schema, "deepfm")
        assert built.first_order.served_bytes() == of_weights
        assert built.embedding.served_bytes() == one.bytes - of_weights
        assert own.items() <= one.options.items()


def test_first_order_weights_take_their_own_options_before_those_made_for_them(schema: Schema) -> None:
    options = {"hashes": 6, "width": 8, "first_order_hashes": 5}
    first_order = final_model(small_config(strategy="dhe", options=options), schema, None).first_order
    assert first_order.slope.shape == (5,)  # for_weights would have 32
    assert first_order.net[0].weight.shape == (2, 5)  # a quarter of the width


@pytest.mark.parametrize("rival", ["one book", "mgqe"])
def test_a_number_has_no_subspaces(schema: Schema, rival: str) -> None:
    config = config_of(rival)
    config = config.model_copy(update={"options": config.options | {"first_order_subspaces": 2}})
    with pytest.raises(ValueError, match=r"expected some of .*, found first_order_subspaces$"):
        final_model(config, schema, None)


def test_the_settings_of_a_budget_are_the_largest_of_each_width_then_each_ones_next(schema: Schema) -> None:
    """MGQE by hand: K and D, X, bytes of codes and float16 centroids of embedding and weights, at most 200.

    Two features may use all K, twelve half; a feature has D codes, a weight one. FEWER is 2 here.
    """

    def hand(k: int, d: int, dim: int) -> int:
        bits, half = (k - 1).bit_length(), (k // 2 - 1).bit_length()
        return sum(-(-2 * parts * bits // 8) - (-12 * parts * half // 8) + 2 * k * x for parts, x in ((d, dim), (1, 1)))

    every = [(x, k, d, hand(k, d, x)) for x in (16, 8, 4, 2) for k in (256, 64, 16) for d in (8, 4, 2, 1) if d <= x]
    by_width = [
        sorted((one for one in every if one[0] == x and one[3] <= 200), key=lambda one: -one[3]) for x in (16, 8, 4, 2)
    ]
    turns = [one for turn in zip_longest(*by_width) for one in turn if one][:6]
    found = settings("mgqe", small_config(), schema, 200)
    assert [(one.dim, one.options["centroids"], one.options["subspaces"], one.bytes) for one in found] == turns


@pytest.mark.parametrize("method", METHODS)
def test_nothing_fits_into_nothing(schema: Schema, method: str) -> None:
    assert settings(method, small_config(), schema, 8) == []


#: Bytes for tables of X = 8 or 16, and the next larger options.
NEXT = {
    "merge": (225, lambda o: {"threshold": o["threshold"] - 1}),
    "double-hash": (225, lambda o: {"kept": o["kept"], "shared": o["shared"] + 1}),
    "dhe": (750, lambda o: {"hashes": o["hashes"], "width": o["width"] + 1}),
    "qr": (225, lambda o: {"collisions": o["collisions"] - 1}),
}


@pytest.mark.parametrize("method", NEXT)
def test_what_can_be_chosen_freely_is_chosen_as_large_as_fits(schema: Schema, method: str) -> None:
    room, following = NEXT[method]
    found = [one for one in settings(method, small_config(), schema, room) if one.dim >= 8]  # narrower ones fit whole
    assert found
    for one in found:
        larger = Setting(one.dim, following(one.options), 0)
        rest = rest_bytes(small_config(embedding_dim=one.dim), 3)
        assert model_bytes(model_of(method, larger, schema, "deepfm")) - rest > room


def test_the_rest_of_a_model_is_what_is_neither_embedding_nor_first_order(schema: Schema) -> None:
    config = small_config(recipe="paper")
    model = full_model(config, schema)
    assert rest_bytes(config, 3) == model_bytes(model) - 4 * 17 * schema.num_features
