"""Configuration: defaults, refusals and identity."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from autodpq_lib import config as module
from autodpq_lib.config import METHOD_VERSION, RunConfig
from autodpq_system.seeding import seed_for


def config(**keys: object) -> RunConfig:
    return RunConfig.model_validate({"dataset": "ml-1m", "strategy": "fe", **keys})


@pytest.mark.parametrize(
    ("keys", "named"),
    [
        ({"learning_rat": 0.1}, "learning_rat"),
        ({"strategy": "best"}, "strategy"),
        ({"recipe": "mine"}, "recipe"),
        ({"seed": -1}, "seed"),
        ({"subspaces": (3,)}, "subspaces: expected divisors of embedding_dim 16, found \\(3,\\)"),
        ({"lazy": True, "average": 0.9}, "average: expected 0 where lazy is on"),
        ({"strategy": "autodpq", "lazy": True, "second_order": True}, "second_order: expected false where lazy is on"),
        (
            {"strategy": "autodpq", "device": "cuda", "second_order": True},
            "device: expected cpu where second_order is on, found cuda",
        ),
        ({"tied": False}, "tied: expected True for fe, which does not read it, found False"),
        ({"pretrain": False, "strategy": "grid"}, "pretrain: expected True for grid, which does not read it"),
        ({"validations": 0}, "validations"),
        ({"hidden": ()}, "hidden"),
        ({"tau_kd": float("inf")}, "tau_kd"),
        ({"centroids": (4, 4)}, "centroids: expected different ones, found"),
        ({"extra_training": True, "strategy": "autodpq"}, "extra_training: expected False for autodpq, which does not"),
        ({"options": {"bits": 4}}, "options: expected {} for fe"),
        ({"strategy": "lsq", "options": {"x/../../y": 4}}, "options"),  # they are part of the names of files
        ({"threshold": True}, "threshold"),
        ({"quantise": False}, "quantise: expected True for fe"),
        (
            {"strategy": "autodpq", "recipe": "paper", "second_order": True, "encoder_decay": False},
            "encoder_decay: expected true where second_order is on",
        ),
        *(({key: 2**63}, key) for key in ("threshold", "embedding_dim", "batch_size")),
        ({"hidden": (2**63,)}, "hidden"),
        ({"dataset": "movies"}, "dataset: expected one of .*ml-1m.*, found 'movies'"),
    ],
)
def test_a_bad_key_or_value_is_named(keys: dict[str, object], named: str) -> None:
    with pytest.raises((ValidationError, ValueError), match=named):
        config(**keys)


def test_the_data_sets_file_overrides_defaults_and_arguments_override_it() -> None:
    assert config(dataset="planted").batch_size == 256
    assert config(dataset="planted", batch_size=8).batch_size == 8


def test_options_in_another_order_are_the_same_run() -> None:
    one, other = (config(strategy="lsq", options=dict(each)) for each in ([("a", 1), ("b", 2)], [("b", 2), ("a", 1)]))
    assert one == other
    assert len({one, other}) == 1


def test_a_reading_in_the_data_sets_file_is_the_whole_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = module.settings
    named = {"reading": "text", "protocol": "laboratory"}
    monkeypatch.setattr(module, "settings", lambda name: plain(name) | named)
    told = config(strategy="autodpq")
    assert {key: getattr(told, key) for key in module.READINGS["text"]} == module.READINGS["text"]
    assert (told.patience, told.scored) == (2, "last")
    assert {key: getattr(told, key) for key in named} == named
    assert (config().reading, config(strategy="grid").reading, config(strategy="budget").reading) == (
        *("literal", "text", "literal"),
    )


def test_nine_candidates_as_in_the_paper() -> None:
    assert config().candidates == [(k, d) for k in (8, 16, 32) for d in (2, 4, 8)]


def test_identity_depends_on_everything_that_can_change_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = config(seed=1).identity("data")
    others = [
        config(seed=2).identity("data"),
        config(seed=1, recipe="paper").identity("data"),
        config(seed=1, threshold=7).identity("data"),
        config(seed=1).identity("other data"),
    ]
    monkeypatch.setitem(METHOD_VERSION, "fe", 99)
    others.append(config(seed=1).identity("data"))
    assert len({plain, *others}) == 6


def test_what_a_yaml_sets_for_autodpq_leaves_the_others_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autodpq_lib.config.settings", lambda _: {"tau_kd": 0.5, "threshold": 9})
    assert (config().tau_kd, config(strategy="grid").tau_kd, config().threshold) == (1.0, 0.5, 9)
    with pytest.raises(ValueError, match=r"tau_kd: expected 1\.0 for fe, which does not read it"):
        config(tau_kd=0.5)


def test_identity_of_seeds_with_the_same_digits_differs() -> None:
    assert config(seed=2012).identity("data") != config(seed=2021).identity("data")
    assert seed_for(1, 23) != seed_for(12, 3)


def test_identity_ignores_values_that_are_the_default() -> None:
    assert config(tau_kd=1.0).identity("data") == config().identity("data")


def test_names_are_plain_for_the_protocol_and_hashed_for_the_rest() -> None:
    assert config(seed=3).name() == "deepfm-fe-seed3"
    changed = config(seed=3, learning_rate=1e-4).name()
    assert changed.startswith("deepfm-fe-seed3-")
    assert changed != config(seed=3, learning_rate=1e-2).name()
    assert config(seed=3, recipe="paper").changed() == {}
