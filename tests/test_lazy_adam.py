"""Lazy Adam against dense Adam, torch's SparseAdam and a naive loop."""

import pytest
import torch
from conftest import small_config
from torch.nn import functional as F

import autodpq_native as native
from autodpq_lib.models.build import full_model, others_model
from autodpq_lib.training.lazy_adam import LazyAdam, step_numbers, summed, update_rows
from autodpq_lib.training.trainer import Trainer
from autodpq_native import lazy_adam as in_c

N, X, BETA1, BETA2, EPS, LR = 12, 3, 0.9, 0.999, 1e-8, 0.01


pytestmark = pytest.mark.usefixtures("compiler")
needs_compiler = pytest.mark.skipif(not native.available(), reason="no C compiler")


def table(seed=0):
    return torch.nn.Parameter(torch.randn(N, X, generator=torch.Generator().manual_seed(seed)))


def batches(steps, size, every_row=False):
    generator = torch.Generator().manual_seed(5)
    for _ in range(steps):
        drawn = torch.randint(N - 2, (size,), generator=generator)
        yield torch.cat([torch.arange(N), drawn]) if every_row else drawn


def loss(rows, ids):
    return (rows * torch.arange(1, X + 1)).sin().sum(1).dot(1 + ids.float())


def descend(optimizer, p, all_ids, *, sparse=True):
    for ids in all_ids:
        optimizer.zero_grad()
        loss(F.embedding(ids, p, sparse=sparse), ids).backward()
        optimizer.step()
    return p.detach()


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_equals_dense_adam_when_every_row_is_touched(decay):
    lazy, dense = table(), table()
    mine = descend(LazyAdam([lazy], lr=LR, weight_decay=decay), lazy, batches(20, 7, every_row=True))
    theirs = torch.optim.Adam([dense], lr=LR, weight_decay=decay)
    expected = descend(theirs, dense, batches(20, 7, every_row=True), sparse=False)
    torch.testing.assert_close(mine, expected, atol=1e-6, rtol=1e-6)


def test_a_lazy_run_has_lazy_tables(schema):
    model = full_model(small_config(lazy=True), schema)
    assert (model.embedding.lazy, model.first_order.lazy) == (True, True)


def test_equals_sparse_adam_where_few_rows_are_touched():
    lazy, sparse = table(), table()
    mine = descend(LazyAdam([lazy], lr=LR), lazy, batches(20, 4))
    expected = descend(torch.optim.SparseAdam([sparse], lr=LR), sparse, batches(20, 4))
    torch.testing.assert_close(mine, expected, atol=1e-6, rtol=1e-6)


def test_equals_a_naive_loop_with_weight_decay():
    lazy, start = table(), table().tolist()
    mine = descend(LazyAdam([lazy], lr=LR, weight_decay=0.1), lazy, batches(9, 4)).tolist()
    w, m, v = start, [[0.0] * X for _ in range(N)], [[0.0] * X for _ in range(N)]
    for t, ids in enumerate(batches(9, 4), 1):
        rows = torch.tensor(w, requires_grad=True)
        loss(rows[ids], ids).backward()
        for n in set(ids.tolist()):
            for x in range(X):
                g = rows.grad[n, x].item() + 0.1 * w[n][x]
                m[n][x] = BETA1 * m[n][x] + (1 - BETA1) * g
                v[n][x] = BETA2 * v[n][x] + (1 - BETA2) * g * g
                w[n][x] -= LR * (m[n][x] / (1 - BETA1**t)) / ((v[n][x] / (1 - BETA2**t)) ** 0.5 + EPS)
    torch.testing.assert_close(torch.tensor(mine), torch.tensor(w), atol=1e-5, rtol=1e-5)


def test_rows_that_no_batch_touched_stay_to_the_bit():
    p = table()
    before = p.detach().clone()
    optimizer = LazyAdam([p], lr=LR, weight_decay=0.1)
    after = descend(optimizer, p, batches(5, 4))
    touched = torch.cat(list(batches(5, 4))).unique()
    rest = sorted(set(range(N)) - set(touched.tolist()))
    assert torch.equal(after[rest], before[rest])
    assert not optimizer.first[0][rest].any()
    assert (after[touched] != before[touched]).all()


def test_sums_equal_torchs_coalesce_and_do_not_believe_what_was_before():
    last = torch.zeros(N, dtype=torch.int32)
    for seed in range(4):
        generator = torch.Generator().manual_seed(seed)
        ids, values = torch.randint(N, (9,), generator=generator), torch.randn(9, X, generator=generator)
        gradient = torch.sparse_coo_tensor(ids[None], values, (N, X), check_invariants=True)
        rows, found = summed(last, ids, values)
        order = rows.argsort()
        assert torch.equal(rows[order], gradient.coalesce().indices()[0])
        torch.testing.assert_close(found[order], gradient.coalesce().values(), atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("build", [full_model, others_model])
def test_first_step_of_a_lazy_model_is_that_of_a_dense_one_on_the_rows_it_touches(run, build):
    moved = {}
    for lazy in (True, False):
        config = small_config(lazy=lazy, recipe="tuned", batch_size=20)
        model = build(config, run.schema)
        trainer = Trainer(model, run.train, config)
        trainer.step(run.train.take(torch.arange(3)))
        moved[lazy] = model.state_dict()
    for name, tensor in moved[True].items():
        torch.testing.assert_close(tensor, moved[False][name], atol=1e-6, rtol=1e-6)


@needs_compiler
@pytest.mark.parametrize("width", [1, 3, 16])
def test_compiled_step_equals_torchs_operators(width):
    generator = torch.Generator().manual_seed(width)
    one = [torch.rand(500, width, generator=generator) for _ in range(3)]
    other = [tensor.clone() for tensor in one]
    last = [torch.randint(-5, 500, (500,), dtype=torch.int32, generator=generator) for _ in range(2)]
    for t in range(1, 6):
        named = torch.randint(500, (300,), generator=generator)
        values = torch.randn(300, width, generator=generator)
        step = step_numbers(t, lr=0.01, decay=0.1)
        in_c.update_rows(*one, last[0], named, values, step)
        update_rows(*other, last[1], named, values, step)
    torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-5)


def test_state_survives_saving():
    straight, broken = table(), table()
    all_ids = list(batches(8, 4))
    descend(LazyAdam([straight], lr=LR), straight, all_ids)
    first = LazyAdam([broken], lr=LR)
    descend(first, broken, all_ids[:5])
    second = LazyAdam([broken], lr=LR)
    second.load_state_dict(first.state_dict())
    descend(second, broken, all_ids[5:])
    assert torch.equal(straight, broken)
