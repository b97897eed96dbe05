"""Codes that move: slopes by a naive loop, the best codes by trying all, and a loss that falls."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import DyingCheckpoints, KilledError, small_config, small_run
from torch import nn
from torch.nn import functional as F

from autodpq_budget.by_groups import ByGroups, Choices
from autodpq_budget.fine_tune import Recoding, fine_tune
from autodpq_budget.of_model import menu_of, on_groups
from autodpq_budget.outputs import outputs_of
from autodpq_budget.recode import better, recode, slopes, tables_of
from autodpq_data.schema import Schema
from autodpq_lib.config import RunConfig
from autodpq_lib.models.build import full_model
from autodpq_lib.models.ctr_model import CTRModel
from autodpq_lib.training.checkpoints import Checkpoints
from autodpq_lib.training.metrics import predict
from autodpq_lib.training.run import Run
from autodpq_packed.grouped import ROWS, code_bytes, groups, numbers_of, parameters


def filled(schema: Schema, dim: int, options: list[int]) -> ByGroups:
    """A table whose groups are stored in these ways, with codes and numbers at random."""
    table, rng = ByGroups(schema, dim), np.random.default_rng(4)
    lengths = groups(schema.sizes, schema.counts.numpy()).tolist()
    codes = [code_bytes(o, n, dim) for o, n in zip(options, lengths, strict=True)]
    numbers = sum(numbers_of(o, n, dim) for o, n in zip(options, lengths, strict=True))
    random = {"codes": rng.integers(0, 256, sum(codes)), "numbers": rng.normal(size=numbers)}
    table.fill(
        {"option": np.array(options, np.uint8), "codes": random["codes"].astype(np.uint8)}
        | {"numbers": random["numbers"].astype(np.float16)}
    )
    return table


@pytest.fixture
def start(schema: Schema, tmp_path: Path) -> tuple[Run, CTRModel, CTRModel]:
    """A run, a model on groups and the one that it was made from."""
    return begin(schema, tmp_path, "deepfm")


def begin(schema: Schema, folder: Path, model: str, recipe: str = "tuned") -> tuple[Run, CTRModel, CTRModel]:
    config: RunConfig = small_config(strategy="fe", embedding_dim=8, model=model, recipe=recipe)
    run, teacher = small_run(folder, schema, config), full_model(config, schema)
    torch.manual_seed(1)
    for name, weight in teacher.named_parameters():
        if name.endswith("table"):
            weight.data.normal_(0, 0.5)
    offered = menu_of(teacher.eval(), schema, run.train)
    tensors = offered.stored(offered.least + 60)
    return run, on_groups(config, schema, teacher, tensors), teacher


def test_an_error_leaves_no_hook_behind() -> None:
    part = nn.Linear(2, 2)
    with pytest.raises(RuntimeError, match="stopped"), outputs_of([part]) as seen:
        given = part(torch.ones(1, 2))
        assert seen[0] is given
        raise RuntimeError("stopped")
    assert not part._forward_hooks


@pytest.mark.parametrize(("model", "recipe"), [("deepfm", "tuned"), ("dcn", "paper"), ("pnn", "paper")])
def test_slopes_are_those_of_a_naive_loop(
    schema: Schema, tmp_path: Path, model: str, recipe: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In several parts, and without dropout and the batch's own statistics, whatever mode the models come in."""
    run, student, teacher = begin(schema, tmp_path, model, recipe)
    monkeypatch.setattr("autodpq_budget.recode.BATCH", 64)
    g, h = slopes(student.train(), predict(teacher.train(), run.train).sigmoid(), schema, run.train, 2)
    assert not student.embedding._forward_hooks
    expected_g, expected_h = torch.zeros_like(g), torch.zeros_like(h)
    for n in range(len(run.train)):
        ids, _ = run.train.take(torch.tensor([n], dtype=torch.int32))
        parts = [p for p in (student.embedding, student.first_order) if p is not None]
        vectors = [part(ids).detach().requires_grad_() for part in parts]
        for part, e in zip(parts, vectors, strict=True):
            part.forward = lambda _, e=e: e
        logit = student(ids)
        logit.backward()
        for part in parts:
            del part.forward
        j, p = torch.cat([e.grad[0, 2] for e in vectors]), float(torch.sigmoid(logit.detach()))
        i = int(ids[0, 2]) - schema.offsets[2]
        expected_g[i] += (p - float(torch.sigmoid(teacher(ids).detach()))) * j
        expected_h[i] += p * (1 - p) * torch.outer(j, j)
    assert g.shape[1] == 8 + (model == "deepfm")
    torch.testing.assert_close(g, expected_g, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(h, expected_h, rtol=1e-4, atol=1e-6)


def quadratic(n: int, z: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The g and H of n features; where it is least is as far away as codes are from each other, so that many move."""
    draw = torch.Generator().manual_seed(2)
    root = torch.randn(n, z, z, generator=draw)
    h = root @ root.transpose(1, 2)
    return 2 * (h @ torch.randn(n, z, 1, generator=draw))[:, :, 0], h


def some(n: int, d: int, k: int, w: int, seed: int) -> Choices:
    """D codes for each of n features, and K values of each, at random."""
    draw = torch.Generator().manual_seed(seed)
    return Choices(torch.randint(k, (n, d), generator=draw), torch.randn(d, k, w, generator=draw), d * w)


def change(i: int, choices: list[Choices], codes: list[torch.Tensor], g: torch.Tensor, h: torch.Tensor) -> float:
    """What the quadratic says of feature i under other codes, part by part."""
    delta = torch.cat([
        values[d, new[i, d]] - values[d, old[i, d]]
        for (old, values, _), new in zip(choices, codes, strict=True) for d in range(old.shape[1])
    ])  # fmt: skip
    return float(g[i] @ delta + delta @ h[i] @ delta / 2)


def test_one_code_is_the_best_of_all() -> None:
    choices = [some(20, 1, 8, 4, seed=1)]
    g, h = quadratic(20, 4)
    (new,) = better(choices, g, h)
    assert (new != choices[0].codes).sum() > 10
    for i in range(20):
        every = [change(i, choices, [torch.full((20, 1), k)], g, h) for k in range(8)]
        assert int(new[i]) == int(np.argmin(every))


def test_codes_take_turns_and_each_knows_of_those_before() -> None:
    """Two tables of two codes and one; in turn each is the best of its own, with the others as they are by then."""
    choices = [some(20, 2, 4, 3, seed=3), some(20, 1, 2, 1, seed=4)]
    g, h = quadratic(20, 7)
    before = [c.codes.clone() for c in choices]
    made = better(choices, g, h)
    assert all(torch.equal(c.codes, old) for c, old in zip(choices, before, strict=True))
    assert all((new != old).any(0).all() for new, old in zip(made, before, strict=True))
    for i in range(20):
        codes = [c.codes.clone() for c in choices]
        for t, d in ((0, 0), (0, 1), (1, 0)):
            every = []
            for k in range(choices[t].values.shape[1]):
                codes[t][i, d] = k
                every.append(change(i, choices, codes, g, h))
            codes[t][i, d] = int(np.argmin(every))
        assert [c[i].tolist() for c in made] == [c[i].tolist() for c in codes]


def test_a_table_without_codes_keeps_its_place_and_features_without_samples_their_codes() -> None:
    none = Choices(torch.zeros(5, 0, dtype=torch.int64), torch.zeros(0, 1, 1), 3)
    codes = some(5, 1, 4, 2, seed=5)._replace(codes=torch.tensor([[1], [0], [2], [3], [1]]))
    g, h = quadratic(5, 5)
    g[3], h[3] = 0, 0
    first, second = better([none, codes], g, h)
    assert first.shape == (5, 0)
    assert torch.equal(second, better([codes], g[:, 3:], h[:, 3:, 3:])[0])
    assert int(second[3]) == 3


@pytest.mark.parametrize("dim", [1, 8])
def test_choices_are_what_each_code_stands_for_and_a_new_code_is_used(schema: Schema, dim: int) -> None:
    lengths = groups(schema.sizes, schema.counts.numpy())
    ways = [0, 3, ROWS, ROWS + 2, 1] if dim == 1 else [0, 3, ROWS, ROWS + 2 + 8, 5]
    table = filled(schema, dim, [ways[n % 5] for n in range(len(lengths))])
    table.numbers.data *= 1.0003  # between two float16, as training leaves them
    seen = []
    for group in range(len(lengths)):
        codes, values, _ = table.choices(group)
        ids = table.members(group)
        seen += ids.tolist()
        bits, _, subspaces = parameters(int(table.option[group]), dim)
        assert codes.shape == (lengths[group], subspaces if bits else 0)
        if not bits:
            continue
        new = torch.randint(values.shape[1], codes.shape, generator=torch.Generator().manual_seed(group))
        for now in (codes, new):
            table.recode({group: now})
            made = torch.stack([values[d, now[:, d]] for d in range(codes.shape[1])], 1).flatten(1)
            torch.testing.assert_close(table(ids), made, rtol=1e-6, atol=1e-6)
            assert torch.equal(table.choices(group).codes, now)
    assert sorted(seen) == list(range(14))
    own = [torch.cat([table.members(group) for group in table.of_field(m)]).sort().values.tolist() for m in range(3)]
    assert own == [[*range(6)], [*range(6, 9)], [*range(9, 14)]]


def test_the_loss_falls_and_only_codes_change(start: tuple[Run, CTRModel, CTRModel]) -> None:
    run, student, teacher = start

    def loss() -> float:
        ids, _ = run.train.take(torch.arange(len(run.train), dtype=torch.int32))
        return float(F.binary_cross_entropy_with_logits(student(ids), torch.sigmoid(teacher(ids))).detach())

    before = {name: tensor.clone() for name, tensor in student.state_dict().items()}
    first, size = loss(), student.embedding.served_bytes()
    recode(student, teacher, run.schema, run.train)
    changed = {name for name, tensor in student.state_dict().items() if not torch.equal(tensor, before[name])}
    assert loss() < first - 1e-4
    assert changed <= {"embedding.codes", "first_order.codes"}
    assert "embedding.codes" in changed
    assert student.embedding.served_bytes() == size


def test_a_field_without_codes_takes_no_time(
    start: tuple[Run, CTRModel, CTRModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the second field's group has codes; the five groups lie 2, 1 and 2 to a field."""
    run, _, teacher = start
    student, asked = full_model(run.config, run.schema).eval(), []
    student.embedding = filled(run.schema, 8, [ROWS, 0, 4, ROWS, 0])
    student.first_order = filled(run.schema, 1, [0] * 5)
    monkeypatch.setattr("autodpq_budget.recode.slopes", lambda *of: asked.append(of[-1]) or slopes(*of))
    recode(student, teacher, run.schema, run.train)
    assert asked == [1]


def test_one_field_falls_by_what_the_quadratic_says(start: tuple[Run, CTRModel, CTRModel]) -> None:
    """For a small change: the first-order weight of a feature, of which the logit is a linear function."""
    run, student, teacher = start
    g, h = slopes(student, predict(teacher, run.train).sigmoid(), run.schema, run.train, 0)
    ids, _ = run.train.take(torch.arange(len(run.train), dtype=torch.int32))
    has, logits, target = ids[:, 0] == 1, student(ids).detach().double(), torch.sigmoid(teacher(ids)).detach().double()

    def loss(step: float) -> float:
        return float(F.binary_cross_entropy_with_logits(logits + step * has, target, reduction="sum"))

    step = 1e-2
    assert (loss(step) - loss(-step)) / (2 * step) == pytest.approx(float(g[1, -1]), rel=1e-3)
    assert (loss(step) - 2 * loss(0) + loss(-step)) / step**2 == pytest.approx(float(h[1, -1, -1]), rel=1e-3)


def test_each_feature_moves_by_itself_and_field_after_field(start: tuple[Run, CTRModel, CTRModel]) -> None:
    """One feature at a time, the rarest group first; both tables, and slopes anew for each field."""
    run, student, teacher = start
    number = len(groups(run.schema.sizes, run.schema.counts.numpy()))
    for table, ways in zip(tables_of(student), ([3, ROWS + 2 + 8], [2, 1]), strict=True):
        table.fill(filled(run.schema, table.dim, [ways[n % 2] for n in range(number)]).stored())
    by_hand = deepcopy(student)
    for m, offset in enumerate(run.schema.offsets):
        g, h = slopes(by_hand, predict(teacher, run.train).sigmoid(), run.schema, run.train, m)
        for group in reversed(tables_of(by_hand)[0].of_field(m)):
            for r, i in enumerate(tables_of(by_hand)[0].members(group) - offset):
                one_feature(tables_of(by_hand), group, r, g[i, None], h[i, None])
    before = [table.codes.clone() for table in tables_of(student)]
    recode(student, teacher, run.schema, run.train)
    for table, expected, old in zip(tables_of(student), tables_of(by_hand), before, strict=True):
        assert torch.equal(table.codes, expected.codes)
        assert not torch.equal(table.codes, old)


def one_feature(tables: list[ByGroups], group: int, r: int, g: torch.Tensor, h: torch.Tensor) -> None:
    """Let the feature ranked r in its group move."""
    choices = [table.choices(group) for table in tables]
    made = better([each._replace(codes=each.codes[r : r + 1]) for each in choices], g, h)
    for table, each, new in zip(tables, choices, made, strict=True):
        each.codes[r] = new[0]
        table.recode({group: each.codes})


@pytest.mark.parametrize(("moves", "rounds"), [({}, [1, 2, 3]), ({"moves": 0}, [])])
def test_codes_move_before_each_of_the_first_rounds_of_training(
    start: tuple[Run, CTRModel, CTRModel], monkeypatch: pytest.MonkeyPatch, moves: dict[str, int], rounds: list[int]
) -> None:
    run, student, teacher = start
    seen: list[tuple[int, torch.Tensor]] = []

    def moving(*given: object) -> None:
        assert all(a is b for a, b in zip(given, (student, teacher, run.schema, run.train), strict=True))
        seen.append((number, student.embedding.numbers.detach().clone()))

    monkeypatch.setattr("autodpq_budget.fine_tune.recode", moving)
    trainer, before = Recoding(student, run, teacher, **moves), []
    for number in range(6):
        before.append(student.embedding.numbers.detach().clone())
        trainer.round(number)
    assert [number for number, _ in seen] == rounds
    assert all(torch.equal(numbers, before[number]) for number, numbers in seen)
    assert not torch.equal(before[1], before[2])


def test_a_killed_training_on_goes_on_to_the_same_bits(start: tuple[Run, CTRModel, CTRModel], tmp_path: Path) -> None:
    """Killed after the first move, and before the second."""
    run, student, teacher = start
    run = replace(run, config=run.config.model_copy(update={"profile": "full"}))
    killed, again = deepcopy(student), deepcopy(student)
    whole = fine_tune(run, student, teacher)
    with pytest.raises(KilledError):
        fine_tune(replace(run, checkpoints=DyingCheckpoints(tmp_path / "killed", lives=2)), killed, teacher)
    after = fine_tune(replace(run, checkpoints=Checkpoints(tmp_path / "killed")), again, teacher)
    assert len(after.curve) == len(whole.curve) > 2
    expected, found = (fit.checkpoints.load("compress")["model"] for fit in (whole, after))
    assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())


def test_in_the_smoke_profile_fine_tuning_is_as_short_as_a_training(start: tuple[Run, CTRModel, CTRModel]) -> None:
    run, student, teacher = start
    assert run.config.profile == "smoke"
    assert len(fine_tune(run, student, teacher).curve) == 2
