"""What each strategy trains, and that none of them can see the test part."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from conftest import small_config, small_run
from sklearn.metrics import roc_auc_score

from autodpq_data.movielens import FIELDS
from autodpq_data.schema import Schema
from autodpq_lib.config import STRATEGIES
from autodpq_lib.embedding.dpq import DPQ
from autodpq_lib.models.build import full_model, start_from
from autodpq_lib.strategies import STRATEGY
from autodpq_lib.strategies.autodpq import pretrain, retrain, search
from autodpq_lib.strategies.grid import global_decisions
from autodpq_lib.strategies.random import random_decisions
from autodpq_lib.training.fit import Fit
from autodpq_lib.training.run import Run
from autodpq_runs.finish import finish
from autodpq_runs.record import Record, read_record
from autodpq_runs.run_paths import logits_path
from autodpq_system.paths import ROOT


def test_grid_tries_all_pairs_once(run: Run) -> None:
    tried = [set(decision.values()) for decision in global_decisions(run.config, run.schema)]
    assert sorted(pair for (pair,) in tried) == sorted(product((2, 4), (2, 4)))
    assert all(tuple(decision) == ("a", "c") for decision in global_decisions(run.config, run.schema))


def test_each_trial_forgets_what_those_before_it_were_better_than(
    tmp_path: Path, schema: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, float]] = []
    monkeypatch.setattr(Fit, "forget", lambda fit, below: asked.append((fit.name, below)))
    config = small_config(strategy="grid", profile="full", patience=1)
    trials = STRATEGY["grid"](small_run(tmp_path, schema, config))
    aucs = [max(row["valid_auc"] for row in trial.curve) for trial in trials]
    best = [max([-1.0, *aucs[:n]]) for n in range(len(aucs))]
    assert asked == list(zip([f"trial-{n:03d}" for n in range(4)], best, strict=True))
    assert aucs[:3] != best[1:]  # some trial is no better than one before it


@pytest.mark.parametrize("strategy", ["grid", "random", "autodpq"])
def test_where_nothing_is_rare_there_is_nothing_to_compress(strategy: str, tmp_path: Path, schema: Schema) -> None:
    run = small_run(tmp_path, replace(schema, threshold=1), small_config(strategy=strategy, threshold=1))
    with pytest.raises(ValueError, match=r"^ml-100k: expected a threshold above 1, the least count, .*, found 1$"):
        STRATEGY[strategy](run)


def test_random_draws_distinct_decisions_and_at_most_all(tmp_path: Path, schema: Schema) -> None:
    def drawn(**changed: object) -> list[tuple]:
        run = small_run(tmp_path, schema, small_config(strategy="random", **changed))
        return [tuple(decision.items()) for decision in random_decisions(run.config, run.schema)]

    assert len(set(drawn(draws=10))) == 10
    assert len(set(drawn(draws=99))) == 16  # 4 pairs in 2 fields
    assert drawn(seed=1) == drawn(seed=1)
    assert drawn(seed=12) != drawn(seed=21)


def test_random_draws_of_a_table_with_many_fields() -> None:
    counts = torch.ones(30, dtype=torch.long)
    many = Schema("many", tuple(f"f{m}" for m in range(30)), (1,) * 30, counts, 2, "0" * 64)
    drawn = random_decisions(small_config(strategy="random", draws=5, centroids=(8, 16, 32), subspaces=(2, 4, 8)), many)
    assert len({tuple(decision.items()) for decision in drawn}) == 5
    assert all(len(decision) == 30 for decision in drawn)


def test_pretrain_is_fe_to_the_bit(tmp_path: Path, schema: Schema) -> None:
    (fe,) = STRATEGY["fe"](small_run(tmp_path / "fe", schema, small_config(strategy="fe")))
    pre = pretrain(small_run(tmp_path / "auto", schema, small_config()))
    assert all(torch.equal(tensor, pre.weights[name]) for name, tensor in fe.weights.items())


@pytest.mark.parametrize("start", ["search", "pretrain", "scratch"])
def test_retrain_starts_where_it_is_told(
    tmp_path: Path, schema: Schema, start: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = small_run(tmp_path, schema, small_config(retrain_from=start))
    pretrained = pretrain(run)
    _, mixture = search(run, pretrained)
    started: dict[str, torch.Tensor] = {}
    original = run.checkpoints.keep
    tables = {
        "search": mixture.state_dict()["embedding.table"].clone(),
        "pretrain": pretrained.weights["embedding.table"],
        "scratch": full_model(run.config, schema).embedding.table.detach(),
    }
    run.checkpoints.keep = lambda name, epoch, weights: (started.update(weights), original(name, epoch, weights))  # type: ignore[method-assign]
    adopted: list[object] = []
    original_adopt = DPQ.adopt
    monkeypatch.setattr(DPQ, "adopt", lambda self, mixture: adopted.append(mixture) or original_adopt(self, mixture))
    retrain(run, pretrained, mixture)
    assert adopted == ([mixture.embedding] if start == "search" else [])  # the centroids that were searched
    near = {name: (started["embedding.table"] - table).abs().max().item() for name, table in tables.items()}
    assert min(near, key=near.get) == start


def test_start_from_refuses_weights_of_another_shape(run: Run) -> None:
    model = full_model(run.config, run.schema)
    with pytest.raises(RuntimeError, match="size mismatch"):
        start_from(model, {**model.state_dict(), "bias": torch.zeros(2)})


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch, schema: Schema, tmp_path: Path) -> dict:
    """A prepared data set in memory; ``tiny["test_labels"]`` may be replaced."""
    run = small_run(tmp_path, schema, small_config())
    test = replace(run.train, rows=run.train.rows[:80])
    box = {"test": test}
    monkeypatch.setattr("autodpq_runs.finish.load_samples", lambda *_: box["test"])
    monkeypatch.setattr("autodpq_runs.finish.load_schema", lambda *_: schema)
    return box


def record_of(strategy: str, folder: object, schema: Schema, **changed: object) -> Record:
    run = small_run(folder / "work", schema, small_config(strategy=strategy, **changed))
    return finish(run, STRATEGY[strategy](run), folder / "out")


def without_test_and_clock(record: Record) -> dict:
    content = record.model_dump(exclude={"test", "test_parts", "scores", "provenance"})
    for log in content["fits"]:
        log["curve"]["seconds"] = None
    return content


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_permuting_test_labels_changes_test_metrics_alone(
    strategy: str, tiny: dict, tmp_path: Path, schema: Schema
) -> None:
    before = record_of(strategy, tmp_path / "1", schema)
    shuffled = np.random.default_rng(0).permutation(len(tiny["test"]))
    tiny["test"] = replace(tiny["test"], all_labels=tiny["test"].labels[shuffled].byte(), all_ids=tiny["test"].ids)
    after = record_of(strategy, tmp_path / "2", schema)
    assert without_test_and_clock(before) == without_test_and_clock(after)
    assert before.test != after.test


@pytest.mark.parametrize("recipe", ["paper", "tuned"])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_same_seed_same_bits_other_seed_other_bits(
    strategy: str, recipe: str, tiny: dict, tmp_path: Path, schema: Schema
) -> None:
    first, again, other = (
        record_of(strategy, tmp_path / str(n), schema, recipe=recipe, seed=seed) for n, seed in enumerate((1, 1, 2))
    )
    assert without_test_and_clock(first) == without_test_and_clock(again)
    assert first.test == again.test != other.test


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_lazy_strategies_learn_and_repeat_to_the_bit(strategy: str, tiny: dict, tmp_path: Path, schema: Schema) -> None:
    first, again = (record_of(strategy, tmp_path / str(n), schema, lazy=True, validations=2) for n in (1, 2))
    assert without_test_and_clock(first) == without_test_and_clock(again)
    losses = first.fits[0].curve["train_loss"]
    assert losses[-1] < losses[0]


def test_grid_goes_on_with_its_best_trial(tmp_path: Path, schema: Schema) -> None:
    fits = STRATEGY["grid"](small_run(tmp_path, schema, small_config(strategy="grid", extra_training=True)))
    trials = [fit for fit in fits if fit.stage == "trial"]
    best = max(trials, key=lambda fit: fit.result["valid_auc"])
    assert best is not trials[-1]
    assert [fit.decision for fit in fits[-2:]] == [best.decision] * 2


def test_trials_can_start_from_a_pretrain(tiny: dict, tmp_path: Path, schema: Schema) -> None:
    record = record_of("grid", tmp_path, schema, trials_from="pretrain")
    assert {point.stage for point in record.timeline} == {"fit", "trial"}
    assert record.timeline[-1].stage == "trial"


def test_trials_that_start_from_a_pretrain_have_its_weights(
    tmp_path: Path, schema: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[dict[str, torch.Tensor]] = []
    monkeypatch.setattr("autodpq_lib.strategies.trials.start_from", lambda _, weights: seen.append(weights))
    fits = STRATEGY["grid"](small_run(tmp_path, schema, small_config(strategy="grid", trials_from="pretrain")))
    assert len(seen) == len(fits) - 1
    assert all(same(weights, fits[0].weights) for weights in seen)


def test_untied_books_are_counted_twice(tiny: dict, tmp_path: Path, schema: Schema) -> None:
    record = record_of("autodpq", tmp_path, schema, tied=False)
    assert record.decision is not None
    centroids = sum(16 * k for k, _ in record.decision.values())
    codes = sum(n * record.decision[field][1] for field, n in zip(schema.low_fields, (4, 2), strict=True))
    assert record.space.paper == 8 * 16 + 2 * centroids + codes


def test_extra_training_goes_on_from_the_best_weights_under_autodpqs_limits(
    tmp_path: Path, schema: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits: dict[str, object] = {}
    fit = Run.fit
    monkeypatch.setattr(
        Run,
        "fit",
        lambda self, name, model, **how: limits.update({name: how.get("limit")}) or fit(self, name, model, **how),
    )
    config = small_config(strategy="fe", extra_training=True, profile="full", patience=1)
    fits = STRATEGY["fe"](small_run(tmp_path, schema, config))
    assert config.limits.search != config.limits.train
    assert limits == {"fit": None, "more": config.limits.search, "last": config.limits.train}
    assert [each.stage for each in fits] == ["fit", "more", "last"]
    (plain,) = STRATEGY["fe"](
        small_run(tmp_path / "plain", schema, config.model_copy(update={"extra_training": False}))
    )
    assert same(fits[0].weights, plain.weights)
    again = full_model(config, schema)
    again.load_state_dict(fits[0].weights)
    by_hand = small_run(tmp_path / "by hand", schema, config)
    assert same(fits[1].weights, by_hand.fit("more", again, limit=config.limits.search).weights)


def test_without_pretrain_the_search_starts_from_scratch(tmp_path: Path, schema: Schema) -> None:
    run = small_run(tmp_path, schema, small_config(pretrain=False))
    assert [fit.stage for fit in STRATEGY["autodpq"](run)] == ["search", "retrain"]
    with pytest.raises(ValueError, match="retrain_from: expected search or scratch"):
        small_config(pretrain=False, retrain_from="pretrain")


def test_machinery_without_compression_ends_in_fe(tiny: dict, tmp_path: Path, schema: Schema) -> None:
    record = record_of("autodpq", tmp_path, schema, quantise=False)
    assert record.decision is None
    assert record.space.paper == schema.num_features * 16


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(tensor, second[name]) for name, tensor in first.items())


def test_metrics_of_touched_and_untouched_samples(tiny: dict, tmp_path: Path, schema: Schema) -> None:
    record = record_of("fe", tmp_path, schema)
    logits = torch.from_numpy(np.load(logits_path(record.identity)))
    low = set(schema.low.nonzero().flatten().tolist())
    rows = [n for n, ids in enumerate(tiny["test"].ids.tolist()) if low & set(ids)]
    rest = sorted(set(range(len(logits))) - set(rows))
    for name, part in {"touched": rows, "untouched": rest}.items():
        assert record.test_parts[name].auc == roc_auc_score(tiny["test"].labels[part], logits[part])


def test_the_draws_of_committed_runs_can_be_made_again() -> None:
    """Every stream of random numbers comes from names, by a rule that may never change."""
    record = read_record(ROOT / "results/ml-1m/tuned/records/deepfm-random-seed1.json")
    assert record.decision is not None
    low = tuple(name for name in FIELDS if name in record.decision)
    made = random_decisions(record.config, SimpleNamespace(low_fields=low))
    assert made == [log.decision for log in record.fits]
