"""The compressor: distortion and bytes by a naive loop and by hand, the choice against all choices, never too large."""

from __future__ import annotations

import errno
import json
import math
import pickle
import re
import subprocess
import sys
import tracemalloc
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import count, product
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import torch
from conftest import SIZES, small_config, small_run
from matplotlib import pyplot as plt
from safetensors.numpy import load_file
from test_packed import record
from threadpoolctl import threadpool_info, threadpool_limits
from torch import nn
from torch.nn import functional as F

from autodpq_budget import choice_table, starting_model, ways
from autodpq_budget import compress as module
from autodpq_budget import fine_tune as tuning
from autodpq_budget.arrays import Arrays, _vectors, compress_arrays, compress_tables
from autodpq_budget.by_groups import ByGroups, least_bytes, means
from autodpq_budget.check_arrays import LARGEST, LEAST
from autodpq_budget.compress import CompressedModel, compress, smallest
from autodpq_budget.fine_tune import Recoding, fine_tune
from autodpq_budget.menu import Menu, Offer, bytes_of, menu, offers
from autodpq_budget.of_model import menu_of, on_groups
from autodpq_budget.sensitivity import sensitivities
from autodpq_budget.starting_model import least_and_rest, of_width
from autodpq_budget.tables import Group, Table
from autodpq_budget.ways import Later, Stored, options, restored, size, store
from autodpq_budget.width import AMPLE, Room, width_for
from autodpq_data.schema import Schema
from autodpq_lib.models.build import final_model, full_model
from autodpq_lib.training.metrics import evaluate
from autodpq_lib.training.run import Run
from autodpq_packed.check import check_plain
from autodpq_packed.container import PackedError, Tensors, unpack_checked
from autodpq_packed.export import signed
from autodpq_packed.grouped import ROWS as ROWS_OPTION
from autodpq_packed.grouped import Grouped, by_tier, centroids_option, file_ids, groups, order
from autodpq_packed.module import load
from autodpq_packed.packed import Packed
from autodpq_packed.plain import PlainTables
from autodpq_packed.score import PackedModel
from autodpq_rivals.int_b import quantise
from autodpq_runs.explore import LoadedRun
from autodpq_system.paths import ROOT
from benchmarks.fuzz.mutations import mutated_file

FIELDS = list(SIZES.values())


def group(features: int, dim: int, seed: int = 0) -> Group:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(features, dim)).astype(np.float32)
    return Group(rows, rng.integers(1, 50, features).astype(float), rng.uniform(0.1, 2, dim).astype(np.float32))


def test_groups_and_order_by_hand() -> None:
    """Tiers begin at 10, 40, 160, 640 and 2560; of equal counts the smaller id comes first."""
    counts = np.array([5000, 9, 10, 39, 40, 2, 2, 640])
    assert order([5, 3], counts).tolist() == [0, 4, 3, 2, 1, 7, 5, 6]
    assert groups([5, 3], counts).tolist() == [1, 1, 2, 1, 1, 2]


@pytest.mark.parametrize("dim", [1, 8])
@pytest.mark.parametrize("features", [1, 5, 40])
def test_distortion_is_that_of_a_naive_loop(features: int, dim: int) -> None:
    made = group(features, dim)
    for option in options(features, dim):
        stored, distortion = store(made, option)
        found = restored(stored, features, dim)
        expected = 0.0
        for i, x in product(range(features), range(dim)):
            error = (float(made.rows[i, x]) - float(found[i, x])) * float(made.scale[x])
            expected += made.counts[i] * error**2
        assert distortion == pytest.approx(expected, rel=1e-5)
        assert size(option, features, dim) == stored.bytes


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        (0, 2 * 8),  # a mean
        (3, 13 * 3 + 2 * 2 * 8),  # 13 x 8 codes of 3 bits; low and step of 8 dimensions
        (9, 13 * 2 * 8),  # 13 rows
        (centroids_option(4, 2), 7 + 2 * 4 * 8),  # 13 x 2 codes of 2 bits; 4 centroids
        (centroids_option(8, 4), 20 + 2 * 8 * 8),  # 13 x 4 codes of 3 bits, 156 in all; 8 centroids
    ],
)
def test_bytes_of_every_way_by_hand(option: int, expected: int) -> None:
    assert size(option, 13, 8) == store(group(13, 8), option)[0].bytes == expected


@pytest.mark.parametrize(
    ("features", "dim", "integers", "most"),
    [
        # 40 rows take 320 bytes. Codes of 8 bits and two numbers: 160 + 16. D = 1: K = 32 takes 25 + 256, K = 64 more
        # than rows; D = 2: 50 + 256; D = 4 would have one dimension each, which integers store as well.
        (40, 4, 8, {1: 32, 2: 32}),
        (300, 1, 8, {1: 128}),  # of one dimension: 600 bytes; 300 x 7 bits and 128 numbers are 519, K = 256 takes 812
        (3, 4, 4, {1: 2, 2: 2}),  # 24 bytes: 4 bits take 6 + 16, 5 bits 8 + 16; K = 2 takes 1 + 16, K = 4 1 + 32
    ],
)
def test_the_ways_on_offer_are_those_that_are_smaller_than_rows(
    features: int, dim: int, integers: int, most: dict[int, int]
) -> None:
    powers = [2**n for n in range(1, 9)]
    centroids = [centroids_option(k, d) for d, largest in most.items() for k in powers if k <= largest]
    assert list(options(features, dim)) == [0, *range(1, 1 + integers), *centroids, 9]


def test_centroids_are_the_weighted_means_of_their_features() -> None:
    made = replace(group(60, 2), scale=np.ones(2, np.float32))
    stored, _ = store(made, centroids_option(4, 1))
    rows, centroids = restored(stored, 60, 2), stored.numbers.reshape(4, 2).astype(np.float32)
    for centroid in centroids:
        own = (rows == centroid).all(1)
        mean = np.average(made.rows[own], axis=0, weights=made.counts[own])
        assert centroid == pytest.approx(mean, rel=1e-3, abs=1e-3)  # as float16 has it


def test_an_error_counts_by_the_root_of_the_mean_square_gradient() -> None:
    """So that its square counts by the mean square gradient itself."""
    (found,) = Table(np.zeros((3, 2), "f4"), np.array([[4.0, 9.0]], "f4")).groups(
        [3], np.array([5, 6, 7]), np.array([2, 1, 0])
    )
    assert found.scale.tolist() == [2, 3]
    assert found.counts.tolist() == [7, 6, 5]


def test_centroids_and_ranges_of_integers_follow_the_counts() -> None:
    """By hand: (3 * 0 + 1) / 4 and 10; and of two values those that occur a hundred times."""
    one = np.ones(1, np.float32)
    made = Group(np.array([[0], [1], [10]], np.float32), np.array([3.0, 1, 1]), one)
    assert restored(store(made, centroids_option(2, 1))[0], 3, 1).ravel().tolist() == [0.25, 0.25, 10]
    made = Group(np.array([[0], [1], [4], [5]], np.float32), np.array([1.0, 100, 100, 1]), one)
    assert restored(store(made, 1)[0], 4, 1).ravel().tolist() == [1, 1, 4, 4]


def test_integers_of_a_whole_field_are_those_of_the_rival_that_makes_integers_after_training() -> None:
    made, bits = replace(group(200, 4), scale=np.ones(4, np.float32)), 3
    schema = Schema("made", ("a",), (200,), torch.from_numpy(made.counts).long(), 40, "fingerprint")
    ours = restored(store(made, bits)[0], 200, 4)
    assert np.allclose(ours, quantise(torch.from_numpy(made.rows), schema, bits), rtol=0, atol=1e-6)


def test_a_mean_is_weighted_by_counts_and_rows_are_rounded() -> None:
    made = Group(np.array([[1.0], [3.0]], np.float32), np.array([3.0, 1.0]), np.ones(1, np.float32))
    assert restored(store(made, 0)[0], 2, 1).tolist() == [[1.5], [1.5]]
    assert store(made, 0)[1] == pytest.approx(3 * 0.25 + 2.25)
    assert store(made, 9)[1] == 0


def test_integers_reach_both_ends_or_do_better() -> None:
    """Two values and one bit: nothing is lost."""
    made = Group(np.array([[1.0], [3.0], [3.0]], np.float32), np.ones(3), np.ones(1, np.float32))
    assert restored(store(made, 1)[0], 3, 1).tolist() == [[1.0], [3.0], [3.0]]


def test_centroids_are_the_nearest_where_errors_count_alike() -> None:
    """The dimension that matters decides, though the other is a hundred times as wide."""
    rows = np.array([[0, 100], [0, -100], [1, 100], [1, -100]], np.float32)
    made = Group(rows, np.ones(4), np.array([1, 1e-4], np.float32))
    found = restored(store(made, centroids_option(2, 1))[0], 4, 2)
    assert np.array_equal(found[:, 0], rows[:, 0])


def test_a_large_group_is_estimated_from_some_of_its_features_and_stored_when_chosen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = group(400, 4)
    whole = dict(zip(options(400, 4), offers(made), strict=True))
    monkeypatch.setattr("autodpq_budget.menu.MOST_TRIED", 300)
    for found, expected in zip(offers(made), whole.values(), strict=True):
        assert found.stored.bytes == expected.stored.bytes
        stored = found.stored.whole
        assert np.array_equal(stored.codes, expected.stored.codes)
        assert np.array_equal(stored.numbers, expected.stored.numbers)
        # 300 of 400 features: a third more than what they lose, give or take what luck makes of it.
        assert found.distortion == pytest.approx(expected.distortion, rel=0.2, abs=0.02 * whole[0].distortion)


def test_what_a_large_group_loses_is_not_thought_too_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of rows with heavy tails: integers span the range of all, and centroids are tried on rows that made none."""
    monkeypatch.setattr("autodpq_budget.ways.MOST_POINTS", 1_000)
    monkeypatch.setattr("autodpq_budget.menu.MOST_TRIED", 4_000)
    rows = np.random.default_rng(3).standard_t(4, (10_000, 4)).astype(np.float32)
    made = Group(rows, np.ones(len(rows)), np.ones(4, np.float32))
    found = dict(zip(options(*rows.shape), offers(made), strict=True))
    for option in (4, 6, 8, centroids_option(16, 2), centroids_option(256, 2)):
        assert found[option].distortion == pytest.approx(store(made, option)[1], rel=0.2), option


def random_menu(seed: int, ways: int = 4) -> Menu:
    rng = np.random.default_rng(seed)

    def offer() -> Offer:
        return Offer(Stored(0, np.zeros(rng.integers(1, 40), np.uint8), np.zeros(0, np.float16)), float(rng.random()))

    return Menu(np.ones(5, np.int32), {"embedding": [[offer() for _ in range(ways)] for _ in range(5)]})


@pytest.mark.parametrize("seed", range(20))
def test_a_choice_is_as_good_as_the_best_at_a_price_and_nothing_left_can_be_spent(seed: int) -> None:
    """Against the best choices at 2,000 prices, of which the largest that fits is filled up."""
    offered = random_menu(seed)
    groups = offered.offers["embedding"]
    prices = np.geomspace(1e-4, 10, 2000)
    priced = [[min(group, key=lambda way, p=p: way.distortion + p * way.stored.bytes) for group in groups]
              for p in prices]  # fmt: skip
    for budget in np.linspace(offered.least, offered.most, 7).astype(int):
        chosen = offered.choose(int(budget))["embedding"]
        used = bytes_of(offered.tensors({"embedding": chosen}))
        assert used == offered.overhead + sum(way.stored.bytes for way in chosen) <= budget
        loss, room = sum(way.distortion for way in chosen), budget - used
        at_a_price = [ways for ways in priced if sum(way.stored.bytes for way in ways) + offered.overhead <= budget]
        assert loss <= min(sum(way.distortion for way in ways) for ways in at_a_price) + 1e-12
        better = [
            way
            for group, taken in zip(groups, chosen, strict=True)
            for way in group
            if way.distortion < taken.distortion and way.stored.bytes - taken.stored.bytes <= room
        ]
        assert not better


def test_too_small_a_budget_is_refused_with_what_would_do() -> None:
    offered = random_menu(1)
    offered.choose(offered.least)
    with pytest.raises(ValueError, match=f"budget: expected at least {offered.least} bytes, found 3"):
        offered.choose(3)


@pytest.mark.parametrize("model", ["deepfm", "pnn"])
def test_the_least_bytes_are_those_of_tables_of_means(schema: Schema, model: str) -> None:
    assert least_bytes(schema, 8, model) == sum(table.served_bytes() for table in means(schema, 8, model))


def test_sensitivities_are_mean_squares_of_each_sample_s_gradient(schema: Schema, tmp_path: Path) -> None:
    config = small_config(strategy="fe", recipe="paper")
    run, model = small_run(tmp_path, schema, config), full_model(config, schema)
    found = sensitivities(model, run.train)
    expected, of_logit = torch.zeros(3, 16), 0.0
    for n in range(len(run.train)):
        ids, label = run.train.take(torch.tensor([n], dtype=torch.int32))
        e = model.embedding(ids).detach().requires_grad_()
        model.embedding.forward = lambda _, e=e: e
        F.binary_cross_entropy_with_logits(model(ids), label).backward()
        del model.embedding.forward
        expected += e.grad[0].square() / len(run.train)
        logit = model(ids).detach()
        # A first-order weight is added to the logit, so its gradient is that of the logit.
        of_logit += (logit.sigmoid() - label).square().item() / len(run.train)
    np.testing.assert_allclose(found["embedding"], expected, rtol=1e-4, atol=1e-10)
    np.testing.assert_allclose(found["first_order"], np.full((3, 1), of_logit), rtol=1e-4)


@pytest.fixture
def loaded(schema: Schema, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LoadedRun:
    """An FE model, with rows of some size in the place of trained ones."""
    config = small_config(strategy="fe", embedding_dim=8)
    run, model = small_run(tmp_path / "work", schema, config), full_model(config, schema)
    torch.manual_seed(1)
    for table in (model.embedding, model.first_order):
        table.table.data.normal_(0, 0.3)
    known = {name: [f"{name}{n}" for n in range(size)] for name, size in SIZES.items()}
    number = count()
    monkeypatch.setattr(module, "vocabulary", lambda _: known)
    monkeypatch.setattr(starting_model, "known_fingerprint", lambda _: schema.fingerprint)
    for used in (tuning, starting_model):
        monkeypatch.setattr(used, "scratch_run", lambda config: small_run(tmp_path / f"{next(number)}", schema, config))
    return LoadedRun(record(config, None), model.eval(), schema, run.train, run.valid, run.valid)


@pytest.mark.parametrize("tune", [False, True])
def test_a_file_never_exceeds_its_budget_and_scores_raw_values(loaded: LoadedRun, tune: bool, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    most = compress(loaded, 10**6, path, tune=False)
    overhead = most.file_bytes - most.table_bytes
    for budget in (overhead + 130, overhead + 200, overhead + 260):
        made = compress(loaded, budget, path, tune=tune, width=8)
        assert made.file_bytes == path.stat().st_size <= budget
        assert evaluate(made.model, loaded.valid).auc == made.valid_auc
        ids, _ = loaded.valid.take(torch.arange(5, dtype=torch.int32))
        samples = [{f: f"{f}{i - o}" for f, i, o in zip(SIZES, row, loaded.schema.offsets, strict=True)}
                   for row in ids.tolist()]  # fmt: skip
        expected = torch.sigmoid(made.model(ids)).detach().numpy()
        np.testing.assert_allclose(PackedModel(path).score(samples), expected, rtol=1e-5)


@pytest.mark.parametrize(("width", "said"), [(None, "1"), (8, "8")])
def test_too_few_bytes_are_refused_at_once_with_those_that_would_do(
    loaded: LoadedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, width: int | None, said: str
) -> None:
    path = tmp_path / "m.safetensors"
    with monkeypatch.context() as patched:
        patched.setattr(module, "begin", None)
        patched.setattr(tuning, "scratch_run", None)
        says = rf"budget_bytes: expected at least \d+ for this model at X = {said}, found"
        with pytest.raises(ValueError, match=says) as told:
            compress(loaded, 1000, path, width=width)
        with pytest.raises(ValueError, match=r"budget_bytes: expected at least \d+ for this model at X = .*, found 9"):
            compress(loaded, 9, path, width=width, tables=True)
    least = int(str(told.value).split("at least ")[1].split()[0])
    assert compress(loaded, least, path, width=width).file_bytes == least
    with pytest.raises(ValueError, match=f"expected at least {least} "):
        compress(loaded, least - 1, path, width=width)


@pytest.mark.parametrize("tables", [False, True])
def test_where_a_narrower_model_fits_its_width_is_told(loaded: LoadedRun, tmp_path: Path, tables: bool) -> None:
    needed = {x: sum(least_and_rest(loaded.schema, of_width(loaded.record, x), tables=tables)) for x in range(1, 9)}
    for width, budget, said in ((8, needed[7], "7"), (8, needed[3] - 1, "2"), (2, needed[1], "1")):
        with pytest.raises(
            ValueError, match=f"at X = {width}, found {budget}; {needed[int(said)]} do at width {said}$"
        ):
            compress(loaded, budget, tmp_path / "m.safetensors", width=width, tables=tables)
    with pytest.raises(ValueError, match=f"found {needed[1] - 1}; {needed[1]} do at width 1$"):
        compress(loaded, needed[1] - 1, tmp_path / "m.safetensors", width=8, tables=tables)


@pytest.mark.parametrize(("share", "x"), [(0.5, 8), (0.051, 8), (0.049, 4), (0.021, 4), (0.019, 2), (1e-9, 2)])
def test_the_fewer_bytes_the_narrower_the_model(share: float, x: int) -> None:
    assert width_for(lambda _: Room(share, AMPLE), 8) == x
    assert width_for(lambda _: Room(share, AMPLE), 3) == {8: 3, 4: 2, 2: 2}[x]
    assert width_for(lambda _: Room(share, AMPLE), 1) == 1


def test_half_the_width_is_taken_where_its_own_file_leaves_enough() -> None:
    """Dense weights grow with X."""
    share = {8: 0.01, 4: 0.02}
    assert width_for(lambda x: Room(share.get(x, 0), AMPLE), 8) == 4
    share = {8: 0.01, 4: 0.019}
    assert width_for(lambda x: Room(share.get(x, 0), AMPLE), 8) == 2


@pytest.mark.parametrize(
    ("times", "x"),
    [({4: 5}, 4), ({4: 4.9, 3: 5, 2: 9}, 3), ({4: 1, 3: 1, 2: 3, 1: 2}, 2), ({4: 1, 3: 2, 2: 3, 1: 3.5}, 1)],
)
def test_a_cramped_width_gives_way_to_the_widest_that_is_not(times: dict[int, float], x: int) -> None:
    """Of X = 8 half would do; where none has enough, the one that has most is taken."""
    assert width_for(lambda each: Room({8: 0.01}.get(each, 0.02), times.get(each, 0)), 8) == x


def test_the_share_that_decides_is_that_of_the_tables(
    loaded: LoadedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """14 features of X = 8 and a first-order weight each, in float32; a file has a header and dense weights beside."""
    told, path = [], tmp_path / "m.safetensors"
    monkeypatch.setattr(module, "width_for", lambda room, own: told.append(room(own)) or own)
    _, rest = least_and_rest(loaded.schema, loaded.record, tables=False)
    for budget_bytes, tables in ((rest + 200, False), (200, True)):
        made = compress(loaded, budget_bytes, path, tables=tables)
        assert made.table_bytes <= 200
    small, _ = least_and_rest(loaded.schema, loaded.record, tables=True)
    assert told == [Room(200 / (4 * 14 * (8 + 1)), 200 / small)] * 2


def test_own_width_is_the_run_itself_and_without_training_on_the_width_stays(
    loaded: LoadedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting_model, "_taught", None)
    for how in ({"width": 8}, {"tune": False}):
        assert compress(loaded, 150, tmp_path / "m.safetensors", tables=True, **how).width == 8


def test_a_narrower_model_is_taught_where_bytes_are_few(
    loaded: LoadedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autodpq_budget.width.OWN_FROM", 0.5)
    monkeypatch.setattr("autodpq_budget.width.AMPLE", 1.0)
    path = tmp_path / "m.safetensors"
    made = compress(loaded, 150, str(path), tables=True)
    assert made.width == made.model.embedding.dim == PackedModel(path).embedding.dim == 4
    assert made.table_bytes <= 150


def test_a_file_read_for_the_data_s_ids_is_the_model_and_without_them_is_not_evaluated(
    loaded: LoadedRun, tmp_path: Path
) -> None:
    path, (sizes, counts) = tmp_path / "m.safetensors", (loaded.schema.sizes, loaded.schema.counts.numpy())
    made = compress(loaded, 150, path, width=8, tables=True)
    assert evaluate(load(path, schema=loaded.schema), loaded.valid).auc == pytest.approx(made.valid_auc)
    ids, _ = loaded.valid.take(torch.arange(5, dtype=torch.int32))
    found = PackedModel(path).logits(file_ids(ids.numpy(), sizes, counts))
    np.testing.assert_allclose(found, made.model(ids).detach().numpy(), rtol=1e-5)
    for table in (None, Packed):
        with pytest.raises(
            ValueError, match=r"ids: expected a model of the data's ids, found one of a file's own; load"
        ):
            evaluate(load(path, table), loaded.valid)
    with pytest.raises(
        PackedError, match=r"m.safetensors: schema: expected fields and sizes \[\('a', 6\), .*, found \[\('b', 6\)"
    ):
        load(path, schema=replace(loaded.schema, fields=("b", "a", "c")))
    model = load(path, schema=loaded.schema)
    for wrong in (-1, loaded.schema.sizes[0]):  # of the data, and not as the file numbers them
        with pytest.raises(IndexError, match=rf"ids\[1, 0\]: expected 0 to 5, found {wrong}"):
            model(torch.tensor([[0, *ids[0, 1:]], [wrong, *ids[0, 1:]]]))


def test_the_best_round_is_taken_of_a_run_that_scores_its_last(
    loaded: LoadedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the narrower FE that is taught, and of training on."""
    fits, fit = [], Run.fit
    monkeypatch.setattr(Run, "fit", lambda *given, **named: fits.append(fit(*given, **named)) or fits[-1])
    last = loaded.record.config.model_copy(update={"scored": "last"})
    run = replace(loaded, record=loaded.record.model_copy(update={"config": last}))
    made = compress(run, 150, tmp_path / "m.safetensors", width=4, tables=True)
    assert [each.name for each in fits] == ["fit", "compress"]
    assert not any(each.last for each in fits)
    assert made.valid_auc == max(row["valid_auc"] for row in fits[1].curve)


@pytest.mark.parametrize("stores", ["at once", "when it is chosen"])
def test_a_group_is_stored_on_one_thread(stores: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large one is stored long after the menu is made."""
    seen, kmeans, given = [], ways._kmeans, group(40, 4)

    def threads() -> set[int]:
        return {each["num_threads"] for each in threadpool_info()}

    ways._threads()
    monkeypatch.setattr(ways, "_kmeans", lambda *asked: seen.append(threads()) or kmeans(*asked))
    with threadpool_limits(2):
        before = threads()
        if stores == "at once":
            store(given, centroids_option(4, 2))
        else:
            assert Later(given, centroids_option(4, 2)).whole.codes.size
        assert threads() == before
    assert seen == [{1}, {1}]


def test_the_threads_of_scikit_learn_are_known_before_its_first_use() -> None:
    """It is imported late, and what is looked for once would not be found: k-means would have other last bits."""
    code = (
        "from threadpoolctl import threadpool_info; from autodpq_budget import ways; found = ways._threads().info(); "
        "import sklearn.cluster; print(len(threadpool_info()) - len(found))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout == "0\n"


def test_what_is_compressed_can_be_pickled(loaded: LoadedRun, tmp_path: Path) -> None:
    made = compress(loaded, 300, tmp_path / "m.safetensors", tune=False, tables=True)
    again, (ids, _) = pickle.loads(pickle.dumps(made)), loaded.valid.take(torch.arange(9, dtype=torch.int32))
    assert torch.equal(again.model(ids), made.model(ids))
    assert again.model.embedding.make_first_order().dim == 1


@pytest.mark.parametrize("budget", range(1500, 1520))
def test_a_header_that_grows_leaves_what_fits(budget: int, loaded: LoadedRun, monkeypatch: pytest.MonkeyPatch) -> None:
    def file_bytes(tables: int, *_: object) -> int:
        assert tables >= 1000
        return tables + (500 if tables < 1002 else 508)

    monkeypatch.setattr(Menu, "least", 1000)
    monkeypatch.setattr(Menu, "stored", lambda _, room: room)
    monkeypatch.setattr(module, "_on", lambda _, room: room)
    monkeypatch.setattr(module, "file_bytes_of", file_bytes)
    fits = module._in_file(loaded, random_menu(1), budget - 500, budget)
    assert budget - 16 <= file_bytes(fits) <= budget


def test_the_largest_choice_is_the_model_in_float16(loaded: LoadedRun) -> None:
    offered = menu_of(loaded.model, loaded.schema, loaded.train)
    made = on_groups(loaded.record.config, loaded.schema, loaded.model, offered.stored(offered.most))
    ids = torch.stack([torch.tensor([0, 6, 9]), torch.tensor([5, 8, 13])])
    assert torch.equal(made.embedding(ids), loaded.model.embedding(ids).half().float())
    assert torch.equal(made.first_order(ids), loaded.model.first_order(ids).half().float())


def test_a_model_that_was_trained_further_is_compressed_in_the_run_s_place(loaded: LoadedRun, tmp_path: Path) -> None:
    mine = full_model(loaded.record.config, loaded.schema)
    mine.load_state_dict({key: 2 * tensor for key, tensor in loaded.model.state_dict().items()})
    made = compress(replace(loaded, model=mine.eval()), 10**6, tmp_path / "m.safetensors", tune=False)
    ids, _ = loaded.valid.take(torch.arange(5, dtype=torch.int32))
    torch.testing.assert_close(made.model(ids), mine(ids), rtol=1e-3, atol=1e-3)
    assert not torch.allclose(loaded.model(ids), mine(ids), rtol=0.1)


def test_the_smallest_file_for_a_loss(loaded: LoadedRun, tmp_path: Path) -> None:
    small = smallest(loaded, 0.05, tmp_path / "a.safetensors")
    large = smallest(loaded, 0.0005, tmp_path / "b.safetensors")
    aim = evaluate(loaded.model, loaded.valid).auc
    assert small.valid_auc >= aim - 0.05
    assert large.valid_auc >= aim - 0.0005
    assert small.file_bytes < large.file_bytes


def test_the_smallest_choice_as_it_is_is_found_to_a_byte_or_two(
    loaded: LoadedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where AUC rises with bytes: here it does so at once, half way."""
    offered = menu_of(loaded.model, loaded.schema, loaded.train)
    enough = (offered.least + offered.most) // 2
    monkeypatch.setattr(module, "_auc", lambda _, __, tables: 0.8 if tables >= enough else 0.7)
    assert enough <= module._fewest(loaded, offered, 0.79, 0.01) <= enough + 2


@pytest.mark.parametrize("enough", [0, 60, 1000])
def test_below_it_files_that_are_trained_on_are_tried_and_the_smallest_that_keeps_the_auc_is_written(
    loaded: LoadedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, enough: int
) -> None:
    """A file with a teacher keeps it from so many bytes on: always, from somewhere between, never."""
    first, made, told, path = 200, module._made, [], tmp_path / "a.safetensors"
    asked: list[int] = []
    stored = Menu.stored

    def counted(run: LoadedRun, offered: Menu, tensors: Tensors, teacher: object = None) -> CompressedModel:
        tables = asked[-1]
        if teacher is not None:
            assert teacher is loaded.model
            told.append(tables)
        return replace(made(run, offered, tensors), table_bytes=tables, valid_auc=float(not told or tables >= enough))

    monkeypatch.setattr(Menu, "stored", lambda self, budget: asked.append(budget) or stored(self, budget))
    monkeypatch.setattr(module, "_fewest", lambda *_: first)
    monkeypatch.setattr(module, "_made", counted)
    monkeypatch.setattr("autodpq_budget.width.OWN_FROM", 0.5)  # so that some are narrow
    monkeypatch.setattr("autodpq_budget.width.AMPLE", 1.0)
    found = smallest(loaded, 0.01, path)
    low = max(menu_of(loaded.model, loaded.schema, loaded.train).least, first / module.DEEPEST)
    assert len(told) == module.TRIES
    assert told[0] == pytest.approx(math.sqrt(low * first), abs=1)
    assert found.table_bytes == min([first, *(tables for tables in told if tables >= enough)])
    assert found.width == PackedModel(path).embedding.dim == (8 if found.table_bytes == first else 4)


def test_the_page_says_how_many_smaller_files_are_tried_and_how_small() -> None:
    tries, deepest = {4: "four", 8: "eight"}[module.TRIES], {2: "half", 4: "a quarter"}[module.DEEPEST]
    said = f"tries {tries} smaller files, taught and fine-tuned, none below {deepest} of"
    page = (ROOT / "results" / "budget.md").read_text()
    assert said in page
    assert f"`LOSS=` does this up to {tries} times" in page


def test_no_file_loses_so_little(loaded: LoadedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_auc", lambda *_: evaluate(loaded.model, loaded.valid).auc - 0.02)
    with pytest.raises(ValueError, match=r"loss: expected at least 0.02000 for this model, found 0.01"):
        smallest(loaded, 0.01, tmp_path / "a.safetensors")
    assert not list(tmp_path.glob("a.*"))


def test_training_on_begins_with_the_model_as_it_comes_and_keeps_how_groups_are_stored(
    loaded: LoadedRun, tmp_path: Path
) -> None:
    offered = menu_of(loaded.model, loaded.schema, loaded.train)
    tensors = offered.stored(offered.least + 60)
    model = on_groups(loaded.record.config, loaded.schema, loaded.model, tensors)
    before = evaluate(model, loaded.valid)
    fit = fine_tune(small_run(tmp_path / "on", loaded.schema, loaded.record.config), model, loaded.model)
    assert fit.curve[0]["valid_auc"] == before.auc
    assert len(fit.curve) > 1
    last = fit.checkpoints.load("compress")["model"]
    assert torch.equal(last["embedding.option"], torch.from_numpy(tensors["embedding.option"]))
    assert not torch.equal(last["embedding.codes"], torch.from_numpy(tensors["embedding.codes"]))
    assert not torch.equal(last["embedding.numbers"], torch.from_numpy(tensors["embedding.numbers"]).float())


def test_the_picture_has_each_groups_way_and_the_point_on_the_curve(loaded: LoadedRun) -> None:
    offered = menu_of(loaded.model, loaded.schema, loaded.train)
    tensors = offered.stored(offered.least + 100)
    rows, taken = choice_table.choice(loaded.schema, tensors, 8), bytes_of(tensors)
    figure = choice_table.picture(rows, offered, taken, "A choice")
    above, below = figure.axes[:2]
    assert sorted(cell.get_text() for cell in above.texts if cell.get_text()) == sorted(rows["embedding"])
    line, dot = below.lines
    (at, distortion), (bytes_, distortions) = dot.get_xydata()[0], line.get_data()
    assert at == taken
    assert min(distortions[bytes_ <= taken]) >= distortion >= max(distortions[bytes_ >= taken])
    assert f"a dot at {taken:,} bytes" in figure.get_label()
    plt.close(figure)


@pytest.mark.parametrize("moves", [True, False])
def test_codes_are_fixed_on_demand(loaded: LoadedRun, tmp_path: Path, moves: bool) -> None:
    least = menu_of(loaded.model, loaded.schema, loaded.train).least
    path = tmp_path / "m.safetensors"
    made = compress(loaded, least + 60, path, tables=True, width=8, move_codes=moves)
    codes = made.model.embedding.stored()["codes"]
    assert np.array_equal(codes, made.tensors["embedding.codes"]) != moves


def test_targets_are_what_the_teacher_says(loaded: LoadedRun, tmp_path: Path) -> None:
    """Labels are not looked at, and the teacher, which is its own best pupil, stays as it is."""
    run, teacher = small_run(tmp_path / "on", loaded.schema, loaded.record.config), loaded.model
    ids, labels = run.train.take(torch.arange(20, dtype=torch.int32))
    pupil = full_model(run.config, run.schema)
    logits, p = pupil(ids), torch.sigmoid(teacher(ids))
    expected = -(p * F.logsigmoid(logits) + (1 - p) * F.logsigmoid(-logits)).mean()
    pupils = Recoding(pupil, run, teacher)
    assert torch.allclose(pupils.loss((ids, labels)), expected, rtol=1e-6)
    pupils.step((ids, 1 - labels))
    assert all(weight.grad is None for weight in teacher.parameters())


def test_what_is_trained_is_what_the_file_has(schema: Schema) -> None:
    """Numbers between two float16 are used as the nearer."""
    table = ByGroups(schema, 8)
    table.numbers.data += 0.1 + torch.arange(len(table.numbers)) * 1e-5
    ids = torch.tensor([[0, 6, 9]])
    assert torch.equal(table(ids), table(ids).half().float())
    table(ids).sum().backward()
    assert table.numbers.grad.sum() == 3 * 8


def test_ids_in_plenty_have_the_vectors_and_the_gradient_of_single_ones(schema: Schema) -> None:
    """Where there are twice as many ids as features, all vectors are made first."""
    table = ByGroups(schema, 8)
    table.numbers.data = torch.randn(len(table.numbers), generator=torch.Generator().manual_seed(3))
    ids = torch.arange(schema.num_features).repeat(3)[:, None]
    apart = torch.cat([table(one) for one in ids.split(1)])
    assert torch.equal(table(ids), apart)
    found, expected = (torch.autograd.grad(made.square().sum(), table.numbers)[0] for made in (table(ids), apart))
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=0)


# Plain arrays.

ROWS = {"a": np.random.default_rng(2).normal(size=(50, 6)), "b": np.random.default_rng(3).normal(size=(3, 6))}
of_arrays, of_tables = partial(compress_arrays, whole_file=False), partial(compress_tables, whole_file=False)
OFTEN = {"a": np.arange(50) ** 2, "b": np.array([900, 1000, 600])}


def test_arrays_come_back_in_their_order() -> None:
    large, small = (of_arrays(ROWS, OFTEN, budget) for budget in (10**6, 300))
    assert small.table_bytes <= 300 < large.table_bytes
    for field, rows in ROWS.items():
        assert np.array_equal(large.rows[field], rows.astype(np.float32).astype(np.float16).astype(np.float32))
        assert small.rows[field].shape == rows.shape


def test_sensitivities_decide_where_bytes_go() -> None:
    matters = {"a": np.full(6, 1e-6), "b": np.ones(6)}
    found = of_arrays(ROWS, OFTEN, 200, matters)
    assert np.abs(found.rows["b"] - ROWS["b"]).max() < 0.01 < np.abs(found.rows["a"] - ROWS["a"]).max()


def test_arrays_are_refused_before_any_work_where_their_means_do_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two fields, each one group of one frequency: two lengths of 4 bytes, two options, two means of 3 numbers."""
    rows, counts = {"a": np.ones((5, 3)), "b": np.zeros((2, 3))}, {"a": np.ones(5, int), "b": np.ones(2, int)}
    assert bytes_of(of_arrays(rows, counts, 22).tensors) == 22
    monkeypatch.setattr("autodpq_budget.arrays.menu", lambda *_: pytest.fail("worked"))
    with pytest.raises(ValueError, match="budget_bytes: expected at least 22, found 21"):
        of_arrays(rows, counts, 21)


def test_centroids_that_no_row_has_are_numbers_of_the_file(tmp_path: Path) -> None:
    """Where rows are repeated, k-means leaves some, with any numbers."""
    draw = np.random.default_rng(2)
    rows = draw.normal(0, 0.1, (600, 4)).round(1).astype(np.float32)
    counts = draw.zipf(1.3, 600).clip(0, 10**6)
    of_arrays({"u": rows}, {"u": counts}, 1200).save(tmp_path / "x.safetensors")


def test_the_largest_numbers_come_back() -> None:
    rows = {"a": np.random.default_rng(0).choice([-LARGEST, LARGEST], (500, 4))}
    for budget in (300, 600, 10**4):
        found = of_arrays(rows, {"a": np.ones(500, int)}, budget)
        assert np.isfinite(found.rows["a"]).all()
    np.testing.assert_array_equal(found.rows["a"], rows["a"])


@pytest.mark.parametrize(
    ("rows", "counts", "scale", "said"),
    [
        ([ROWS["a"]], OFTEN, None, "rows: expected a mapping by name, found list"),
        (ROWS["a"], OFTEN, None, "rows: expected a mapping by name, found ndarray"),
        (ROWS, None, None, "counts: expected a mapping by name, found NoneType"),
        (ROWS, OFTEN, np.ones(6), "sensitivities of embedding: expected a mapping by name, found ndarray"),
        ({}, {}, None, "rows: expected a field or more, found none"),
        ({0: ROWS["a"]}, {0: OFTEN["a"]}, None, "rows: expected names that are texts, found 0"),
        (ROWS, OFTEN, {"a": np.ones(6)}, r"sensitivities of b in embedding: expected \[6\], found none"),
        (ROWS, OFTEN, {"a": np.ones((50, 6))}, r"of a in embedding: expected \[6\], found \(50, 6\)"),
        ({"a": np.ones(3)}, {"a": np.ones(3)}, None, r"rows of a in embedding: expected \[V, X\], found \(3,\)"),
        (ROWS | {"b": np.ones((3, 5))}, OFTEN, None, r"rows of b in embedding: expected \[V, 6\], found \(3, 5\)"),
        (
            ROWS | {"b": np.full((3, 6), np.nan)},
            OFTEN,
            None,
            "b in embedding: expected numbers of at most 32752, found nan",
        ),
        (
            ROWS | {"b": np.full((3, 6), 1e6)},
            OFTEN,
            None,
            "b in embedding: expected numbers of at most 32752, found 1000000",
        ),
        (ROWS | {"b": np.full((3, 6), "x")}, OFTEN, None, "b in embedding: expected an array of numbers, found <U1"),
        (ROWS | {"b": [[1, 2], [3]]}, OFTEN, None, "b in embedding: expected an array of numbers, found list: setting"),
        (
            ROWS | {"b": nn.Parameter(torch.ones(3, 6))},
            *(OFTEN, None, "b in embedding: expected an array of numbers, found Parameter: Can't call numpy"),
        ),
        (
            ROWS | {"b": ROWS["b"] * 1e-6},
            OFTEN,
            None,
            "b in embedding: expected a largest number of 6.10352e-05 or more",
        ),
        (
            ROWS,
            OFTEN | {"b": np.array([1, 1e300, 1])},
            None,
            r"counts of b: expected at most 9007199254740992, found 1e\+300",
        ),
        (
            *(ROWS, OFTEN | {"b": np.array([9, 10, 6]) / 25}, None),
            "counts of b: expected whole numbers, how often each feature occurs in the training data, found 0.36",
        ),
        (ROWS, OFTEN | {"b": np.array(["1"] * 3)}, None, "counts of b: expected an array of numbers, found <U1"),
        (ROWS, OFTEN | {"b": np.array([3, -np.inf, 1])}, None, "counts of b: expected finite numbers, found -inf"),
        (ROWS, OFTEN | {"c": OFTEN["b"]}, None, "counts: expected some of a, b, found c, too"),
        (
            ROWS,
            OFTEN,
            dict.fromkeys("abc", np.ones(6)),
            "sensitivities of embedding: expected some of a, b, found c, too",
        ),
        (
            ROWS | {"b": np.ma.masked_less(ROWS["b"], 0)},
            *(OFTEN, None, "b in embedding: expected an array without a mask, found a masked one"),
        ),
        (ROWS, OFTEN | {"b": np.ma.masked_equal(OFTEN["b"], 9)}, None, "counts of b: expected an array without a mask"),
        (ROWS, {"a": OFTEN["a"]}, None, r"counts of b: expected \[3\], found none"),
        (ROWS, OFTEN | {"b": np.array([1, -1, 1])}, None, "counts of b: expected none below 0, found -1"),
        (
            ROWS,
            OFTEN,
            {"a": np.ones(6), "b": -np.ones(6)},
            r"sensitivities of b in embedding: expected finite numbers, none below 0, found",
        ),
    ],
)
def test_arrays_that_are_none_are_refused_in_a_sentence(
    rows: dict, counts: dict, scale: dict | None, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        of_arrays(rows, counts, 300, scale)


def test_a_feature_that_never_occurs_keeps_its_row_where_there_is_room() -> None:
    rng = np.random.default_rng(0)
    rows = {"a": rng.normal(size=(500, 8)).astype(np.float32)}
    for counts in (np.zeros(500, int), np.arange(500) % 2):
        found = of_arrays(rows, {"a": counts}, 10**5).rows["a"]
        assert np.abs(found - rows["a"]).max() < 0.002  # float16
    blind = of_arrays(rows, {"a": np.ones(500, int)}, 10**5, {"a": np.zeros(8)}).rows["a"]
    assert np.abs(blind - rows["a"]).max() < 0.002


def test_whatever_numpy_takes_for_numbers_is_compressed_alike() -> None:
    expected = of_arrays(ROWS, OFTEN, 300)
    for kind in (torch.from_numpy, np.ndarray.tolist, np.asfortranarray):
        made = of_arrays(*({field: kind(array) for field, array in part.items()} for part in (ROWS, OFTEN)), 300)
        assert all(np.array_equal(array, made.tensors[name]) for name, array in expected.tensors.items())


@pytest.mark.parametrize("factor", [0.0, 2 * LEAST])
def test_the_smallest_numbers_come_back(factor: float) -> None:
    """To a float16's last digit, or not at all."""
    found = of_arrays({field: rows * factor for field, rows in ROWS.items()}, OFTEN, 10**5)
    for field, rows in ROWS.items():
        np.testing.assert_allclose(
            found.rows[field], rows * factor, rtol=0, atol=2.0**-11 * factor * np.abs(rows).max()
        )


@pytest.mark.parametrize("unit", [1e-60, 1e-12, 1e200])
def test_sensitivities_count_by_their_ratios(unit: float) -> None:
    matters = {"a": np.full(6, 1e-6), "b": np.arange(1.0, 7)}
    made = [of_arrays(ROWS, OFTEN, 200, {f: s * by for f, s in matters.items()}) for by in (1, unit)]
    assert np.array_equal(made[0].tensors["embedding.option"], made[1].tensors["embedding.option"])


def test_repeated_rows_are_compressed_without_a_warning() -> None:
    rows = {"a": np.repeat(ROWS["b"], 200, axis=0)}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = of_arrays(rows, {"a": np.ones(600, int)}, 300)
    assert np.abs(found.rows["a"] - rows["a"]).max() < 0.002


TWO = {"embedding": ROWS, "first_order": {field: rows[:, :1] for field, rows in ROWS.items()}}


def test_two_tables_share_a_budget_and_each_has_ways_of_its_own() -> None:
    matters = {name: {field: np.full(rows.shape[1], 1.0) for field, rows in part.items()} for name, part in TWO.items()}
    even = of_tables(TWO, OFTEN, 400, matters)
    matters["first_order"] = {field: 100 * each for field, each in matters["first_order"].items()}
    found = of_tables(TWO, OFTEN, 400, matters)
    assert max(even.table_bytes, found.table_bytes) <= 400
    losses = [[np.square(made.tables[n]["a"] - TWO[n]["a"]).sum() for n in TWO] for made in (even, found)]
    assert losses[1][0] > losses[0][0]
    assert losses[1][1] < losses[0][1]


def test_tables_of_other_features_are_refused() -> None:
    with pytest.raises(
        ValueError, match=r"first_order: expected rows of each field, in this order: {'a': 50, 'b': 3}, found {'a': 50}"
    ):
        of_tables(TWO | {"first_order": {"a": ROWS["a"]}}, OFTEN, 400)
    with pytest.raises(ValueError, match="sensitivities: expected some of embedding, first_order, found wide, too"):
        of_tables(TWO, OFTEN, 400, {name: {"a": np.ones(6)} for name in [*TWO, "wide"]})


def peak_mib(act: Callable[[], object]) -> float:
    """The most that NumPy's arrays take meanwhile."""
    tracemalloc.start()
    act()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most / 2**20


def test_tables_of_many_features_are_read_some_at_a_time() -> None:
    """60,000 rows of 8: 1.8 MiB of float32, 9.2 MiB of places, factors and steps."""
    counts, sizes = np.arange(60_000), [60_000]
    schema = Schema("ml-100k", ("a",), tuple(sizes), torch.from_numpy(counts), 40, "many")
    made = ByGroups(schema, 8)
    assert peak_mib(made._find) < 20
    tensors = {f"embedding.{name}": array for name, array in made.stored().items()} | {"groups": made.groups.numpy()}
    table = Grouped("embedding", sizes, 8, tensors)
    assert peak_mib(lambda: _vectors(table, order(sizes, counts))) < 12
    assert torch.equal(made.place, torch.from_numpy(table.places(made.order.argsort().numpy())[0]))


# A file of them.


@pytest.fixture(scope="module")
def plain() -> Arrays:
    return of_tables(TWO, OFTEN, 400)


def test_a_file_is_read_by_one_s_own_ids(plain: Arrays, tmp_path: Path) -> None:
    written = plain.save(tmp_path / "t.safetensors")
    reader = PlainTables(tmp_path / "t.safetensors")
    assert written == plain.file_bytes == (tmp_path / "t.safetensors").stat().st_size
    for (name, part), field in product(plain.tables.items(), reader.first):
        assert np.array_equal(reader(name, field, np.arange(len(part[field]))), part[field])
    assert reader("embedding", "b", [[0, 1, 2]] * 4).shape == (4, 3, 6)


def test_tiers_are_all_that_one_s_own_ids_take(plain: Arrays, tmp_path: Path) -> None:
    """By hand: 53 features of 3 bits are 20 bytes. Counts of a are the squares of 0 to 49, those of b above 160."""
    assert plain.tiers.tolist() == [5] * 4 + [4] * 3 + [3] * 6 + [2] * 13 + [1] * 24 + [1, 1, 2]
    plain.save(tmp_path / "t.safetensors")
    _, tensors = unpack_checked(tmp_path / "t.safetensors", check_plain)
    assert bytes_of(tensors) == plain.table_bytes + 20
    assert by_tier([2, 3], np.array([1, 0, 2, 0, 2], np.uint8)).tolist() == [1, 0, 3, 2, 4]


@pytest.mark.parametrize("places", [True, False])
def test_older_files_are_read_by_places(places: bool, tmp_path: Path) -> None:
    """Two features of their own rows; their places are the other way round."""
    rows = np.array([[1.0, 2.0], [3.0, 4.0]], np.float16)
    tensors = {"groups": np.array([2], np.int32), "t.option": np.array([ROWS_OPTION], np.uint8)}
    tensors |= {"t.codes": np.zeros(0, np.uint8), "t.numbers": rows.ravel()}
    tensors |= {"places": np.array([1, 0], np.int32)} if places else {}
    path = tmp_path / "t.safetensors"
    path.write_bytes(signed(tensors, json.dumps({"fields": ["a"], "sizes": [2], "dims": {"t": 2}})))
    assert PlainTables(path)("t", "a", [0, 1]).tolist() == (rows[::-1] if places else rows).tolist()


@pytest.mark.parametrize("budget", [1500, 1700, 2000, 5000])
def test_a_file_of_arrays_keeps_to_its_budget(budget: int, tmp_path: Path) -> None:
    made = compress_tables(TWO, OFTEN, budget)
    assert made.save(tmp_path / "t.safetensors") <= budget
    more = of_tables(TWO, OFTEN, made.table_bytes + 40)
    assert more.table_bytes == made.table_bytes or more.file_bytes > budget


def test_the_least_file_of_arrays_is_named_and_fits() -> None:
    with pytest.raises(ValueError, match="budget_bytes: expected at least") as refused:
        compress_arrays(ROWS, OFTEN, 100)
    least = int(re.findall(r"\d+", str(refused.value))[0])
    assert compress_arrays(ROWS, OFTEN, least).file_bytes == least
    with pytest.raises(ValueError, match=f"budget_bytes: expected at least {least}, found {least - 1}"):
        compress_arrays(ROWS, OFTEN, least - 1)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("x", "a", [0]), "table: expected one of embedding, first_order, found x"),
        (("embedding", "x", [0]), "field: expected one of a, b, found x"),
        (("embedding", "b", [0.0]), "ids of b: expected integers, found float64"),
        (("embedding", "b", [0, 3]), "ids of b: expected 0 to 2, found 3"),
        (("embedding", "b", -1), "ids of b: expected 0 to 2, found -1"),
    ],
)
def test_what_is_not_in_a_file_is_refused(plain: Arrays, asked: tuple, said: str, tmp_path: Path) -> None:
    plain.save(tmp_path / "t.safetensors")
    with pytest.raises((ValueError, IndexError), match=said):
        PlainTables(tmp_path / "t.safetensors")(*asked)


def test_no_ids_have_no_vectors(plain: Arrays, tmp_path: Path) -> None:
    plain.save(tmp_path / "t.safetensors")
    assert PlainTables(tmp_path / "t.safetensors")("embedding", "b", []).shape == (0, 6)


def test_each_kind_of_file_names_its_readers(plain: Arrays, loaded: LoadedRun, tmp_path: Path) -> None:
    paths = tmp_path / "t.safetensors", tmp_path / "m.safetensors"
    plain.save(paths[0])
    compress(loaded, 10**6, paths[1], tune=False)
    with pytest.raises(PackedError, match="expected a model, found tables of plain arrays, which PlainTables reads"):
        load(paths[0])
    with pytest.raises(PackedError, match="expected tables of plain arrays, found a model, which PackedModel and load"):
        PlainTables(paths[1])


def test_a_file_that_cannot_be_written_leaves_nothing(plain: Arrays, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"expected a name that ends in .safetensors, found .npz"):
        plain.save(tmp_path / "t.npz")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("number", range(300))
def test_a_hostile_file_of_tables_is_refused_in_a_sentence_or_right(plain: Arrays, number: int, tmp_path: Path) -> None:
    path = tmp_path / "t.safetensors"
    plain.save(path)
    path.write_bytes(mutated_file(path.read_bytes(), Random(number)))
    try:
        reader = PlainTables(path)
    except PackedError as error:
        assert str(error).startswith(f"{path}: ")
        assert str(error).isprintable()
        return
    for (name, table), (field, features) in product(reader.tables.items(), reader.sizes.items()):
        assert reader(name, field, np.arange(features)).shape == (features, table.dim)


@pytest.mark.parametrize("dim", [2**62, 2**63, 10**30])
def test_an_x_that_no_integer_holds_is_refused(dim: int, tmp_path: Path) -> None:
    """What is stored as a mean has X numbers, so the layout counts beyond 64 bits."""
    tensors = {"groups": np.ones(2, np.int32), "t.option": np.zeros(2, np.uint8)}
    path = tmp_path / "t.safetensors"
    path.write_bytes(signed(tensors, json.dumps({"fields": ["a"], "sizes": [2], "dims": {"t": dim}})))
    with pytest.raises(PackedError, match=f"^{path}: "):
        PlainTables(path)


def test_a_place_that_two_features_have_is_refused(tmp_path: Path) -> None:
    tensors = {"groups": np.array([2], np.int32), "t.option": np.zeros(1, np.uint8), "t.codes": np.zeros(0, np.uint8)}
    tensors |= {"t.numbers": np.zeros(2, np.float16), "places": np.array([1, 1], np.int32)}
    path = tmp_path / "t.safetensors"
    path.write_bytes(signed(tensors, json.dumps({"fields": ["a"], "sizes": [2], "dims": {"t": 2}})))
    with pytest.raises(PackedError, match="places: expected each from 0 to 1 once, found"):
        PlainTables(path)


def test_tiers_of_other_groups_are_refused(plain: Arrays, tmp_path: Path) -> None:
    other = plain.tiers.copy()
    other[0] = 7
    with pytest.raises(PackedError, match="tiers: expected groups of"):
        replace(plain, tiers=other).save(tmp_path / "t.safetensors")
    assert not list(tmp_path.iterdir())


def test_what_has_no_tables_is_refused() -> None:
    rows = {"embedding": {"a": np.ones((3, 8), np.float32)}}
    with pytest.raises(ValueError, match=r"^tables: expected a table or more, found none"):
        compress_tables({}, {}, 300)
    with pytest.raises(ValueError, match=r"^sensitivities: expected a table or more, found none"):
        compress_tables(rows, {"a": np.ones(3, int)}, 300, sensitivities={})


def test_one_bit_is_one() -> None:
    assert [choice_table.name(option, 16) for option in (1, 2)] == ["1 bit", "2 bits"]


def test_no_number_of_bytes_is_refused() -> None:
    rows = {"a": np.ones((3, 8), np.float32)}
    offered = menu({"embedding": Table(rows["a"], np.ones((1, 8), np.float32))}, [3], np.ones(3, int), np.arange(3))
    with pytest.raises(ValueError, match=r"budget: expected at least \d+ bytes, found nan"):
        offered.choose(float("nan"))  # type: ignore[arg-type]
    for wrong in (float("nan"), "300", 0, True):
        with pytest.raises(ValueError, match=f"budget_bytes: expected a whole number above 0, found {wrong!r}"):
            of_arrays(rows, {"a": np.ones(3, int)}, wrong)
    with pytest.raises(ValueError, match=r"budget_bytes: expected at most .*, found int of too many digits"):
        of_arrays(rows, {"a": np.ones(3, int)}, 10**5000)


def test_a_caller_s_random_numbers_and_the_mode_of_his_model_are_as_before(loaded: LoadedRun, tmp_path: Path) -> None:
    loaded.model.train()
    found = []
    for work in (lambda: None, lambda: compress(loaded, 200, tmp_path / "m.safetensors", tables=True)):
        torch.manual_seed(5)
        work()
        found.append(torch.rand(3).tolist())
    assert found[0] == found[1]
    assert loaded.model.training
    loaded.model.eval()


def test_a_model_in_training_is_looked_at_in_evaluation(
    loaded: LoadedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a BatchNorm of its tables would take the one sample that its width is found by for a batch."""
    seen: list[bool] = []
    monkeypatch.setattr(module, "check_model", lambda run: seen.append(run.model.training))
    loaded.model.train()
    compress(loaded, 200, tmp_path / "m.safetensors", tables=True, tune=False)
    assert seen == [False]
    assert loaded.model.training


def test_rows_that_float16_does_not_hold_are_refused(loaded: LoadedRun, tmp_path: Path) -> None:
    loaded.model.first_order.table.data[0, 0] = -4e4
    with pytest.raises(ValueError, match=r"run\.model: first_order: expected numbers of at most 32752, found 40000"):
        compress(loaded, 10**5, tmp_path / "m.safetensors")
    assert not list(tmp_path.glob("m.*"))


def test_what_lies_beside_the_file_is_looked_at_before_the_work(
    loaded: LoadedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "m.vocabulary.json").mkdir()
    monkeypatch.setattr(module, "begin", None)
    with pytest.raises(IsADirectoryError, match=r"vocabulary\.json"):
        compress(loaded, 9000, tmp_path / "m.safetensors")
    assert [path.name for path in tmp_path.iterdir()] == ["m.vocabulary.json"]


def test_more_names_than_a_header_holds_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autodpq_packed.export.HEADER_LIMIT", 300)
    with pytest.raises(ValueError, match="fields: expected names for a header of at most 300 bytes, found"):
        of_arrays(ROWS, OFTEN, 400).save(tmp_path / "m.safetensors")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("shape", [(0, 6), (3, 0)])
def test_an_empty_table_is_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(
        ValueError, match=r"rows of a in embedding: expected \[V, X\] with a feature and a dimension or more"
    ):
        of_arrays({"a": np.ones(shape)}, {"a": np.ones(shape[0])}, 400)


# What a caller may do without knowing.


def test_a_number_of_bytes_of_numpy_is_a_number(loaded: LoadedRun, tmp_path: Path) -> None:
    """An unsigned one would wrap around where bytes are taken from it."""
    path = tmp_path / "m.safetensors"
    most = compress(loaded, 10**6, path, tune=False).file_bytes
    made = [compress(loaded, n, path, tune=False) for n in (most, np.uint64(most))]
    assert made[0].file_bytes == made[1].file_bytes
    assert of_arrays(ROWS, OFTEN, np.uint16(300)).table_bytes == of_arrays(ROWS, OFTEN, 300).table_bytes


@pytest.mark.parametrize("without", [torch.no_grad, torch.inference_mode])
def test_a_caller_without_gradients_gets_the_same_file(loaded: LoadedRun, without: Any, tmp_path: Path) -> None:
    paths = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    compress(loaded, 10**5, paths[0], tune=False)
    with without():
        compress(loaded, 10**5, paths[1], tune=False)
    one, other = (load_file(path) for path in paths)
    assert {name: part.tolist() for name, part in one.items()} == {name: part.tolist() for name, part in other.items()}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"embedding_dim": 4}, r"run.model: mlp.0.weight: expected \[16, 24\], found \[16, 12\]"),
        ({"hidden": (8,)}, r"run.model: mlp.0.bias: expected \[16\], found \[8\]"),
        ({"model": "pnn"}, r"run.model: bias: expected \[1\], found None"),
    ],
)
def test_a_model_of_another_kind_is_refused_before_the_work(
    loaded: LoadedRun, changed: dict[str, Any], said: str, tmp_path: Path
) -> None:
    other = full_model(small_config(strategy="fe", **{"embedding_dim": 8, **changed}), loaded.schema)
    with pytest.raises(ValueError, match=said):
        compress(replace(loaded, model=other), 10**5, tmp_path / "m.safetensors")


@pytest.mark.parametrize("changed", [0, 1])
@pytest.mark.parametrize("work", [partial(compress, tune=False), smallest])
def test_data_that_changed_before_the_work_or_during_it_get_no_file(
    loaded: LoadedRun, changed: int, work: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same ids would name other features."""
    found = iter([loaded.schema.fingerprint] * changed + ["another"])
    monkeypatch.setattr(starting_model, "known_fingerprint", lambda _: next(found))
    with pytest.raises(ValueError, match="data of ml-100k: expected those of the run, fingerprint, found others, an"):
        work(loaded, 10**5 if work is not smallest else 0.1, tmp_path / "m.safetensors")
    assert not list(tmp_path.glob("m.*"))


@pytest.mark.parametrize(("strategy", "decision"), [("others", None), ("grid", {"a": (4, 2), "c": (2, 4)})])
def test_a_run_of_another_strategy_is_compressed_too(
    loaded: LoadedRun, strategy: str, decision: dict[str, tuple[int, int]] | None, tmp_path: Path
) -> None:
    """The table of Others has fewer rows than the data set has features."""
    config = small_config(strategy=strategy, embedding_dim=8)
    run = replace(loaded, record=record(config, decision), model=final_model(config, loaded.schema, decision).eval())
    made = compress(run, 10**5, tmp_path / "m.safetensors", tune=False)
    assert made.file_bytes == (tmp_path / "m.safetensors").stat().st_size


@pytest.mark.parametrize("more", [1, -1])
def test_a_model_of_more_features_or_of_fewer_is_refused_before_the_work(
    loaded: LoadedRun, more: int, tmp_path: Path
) -> None:
    table = loaded.model.embedding.table
    table.data = torch.cat([table.data, table.data])[: len(table) + more]
    with pytest.raises(ValueError, match=rf"run\.model: embedding: expected \d+ rows, found {len(table)}"):
        compress(loaded, 10**5, tmp_path / "m.safetensors")


def test_weights_that_are_no_numbers_are_refused_before_the_work(loaded: LoadedRun, tmp_path: Path) -> None:
    loaded.model.embedding.table.data[0, 0] = float("nan")
    with pytest.raises(ValueError, match=r"run\.model: embedding\.table: expected finite numbers, found others"):
        compress(loaded, 10**5, tmp_path / "m.safetensors")


def test_without_room_for_the_vocabulary_there_is_no_model(
    loaded: LoadedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "m.safetensors"
    compress(loaded, 10**6, path, tune=False)
    before = {each: each.read_bytes() for each in tmp_path.glob("m.*")}

    def full(self: Path, text: str, **how: Any) -> int:
        raise OSError(errno.ENOSPC, "no room")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="no space left on disk while writing"):
        compress(loaded, 10**5, path, tune=False)
    assert {each: each.read_bytes() for each in tmp_path.glob("*m.*")} == before
