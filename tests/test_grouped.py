"""Tables stored by groups: layout by hand, readers that agree, and a file that is not believed until it is checked."""

from __future__ import annotations

import copy
import math
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from conftest import SIZES, small_config
from test_packed import all_ids, assert_served, record

import autodpq_native as native
from autodpq_budget.by_groups import ByGroups
from autodpq_data.schema import Schema
from autodpq_lib.models.build import assemble
from autodpq_lib.models.ctr_model import CTRModel
from autodpq_native.groups import Groups
from autodpq_packed import check
from autodpq_packed.container import PackedError, Tensors
from autodpq_packed.export import export
from autodpq_packed.grouped import Grouped, centroids_option, code_bytes, layout, numbers_of, parameters
from autodpq_packed.groups_in_c import GroupsInC
from autodpq_packed.module import load
from autodpq_packed.onnx_export import OLDEST, to_onnx
from autodpq_packed.packed import Packed
from autodpq_packed.packed_in_c import PackedInC
from autodpq_packed.reader import read, tables
from autodpq_packed.score import PackedModel
from benchmarks.fuzz.mutations import Parts

X = 8
KINDS = (None, Packed, PackedInC) if native.available() else (None, Packed)
#: Of the tiny data set, most frequent first, by tiers of the counts: a 2 + 4, b 3, c 3 + 2 features.
GROUPS = [2, 4, 3, 3, 2]


def grouped(groups: list[int], options: list[int], dim: int, seed: int = 0) -> Tensors:
    """Random codes and numbers for these options."""
    rng, each = np.random.default_rng(seed), list(zip(options, groups, strict=True))
    return {
        "groups": np.array(groups, np.int32),
        "embedding.option": np.array(options, np.uint8),
        "embedding.codes": rng.integers(0, 256, sum(code_bytes(o, n, dim) for o, n in each), np.uint8),
        "embedding.numbers": rng.normal(size=sum(numbers_of(o, n, dim) for o, n in each)).astype(np.float16),
    }


def naive(tensors: Tensors, dim: int) -> np.ndarray:
    """Vector by vector, bit by bit, from the table in the module's text alone."""
    codes, numbers, out = tensors["embedding.codes"], tensors["embedding.numbers"].astype(np.float32), []
    byte = number = 0
    for n, option in zip(tensors["groups"].tolist(), tensors["embedding.option"].tolist(), strict=True):
        stream, bits, d = int.from_bytes(codes[byte:].tobytes(), "little"), 0, 1
        if 1 <= option <= 8:
            bits, d, length = option, dim, 2 * dim
        elif option == 9:
            length = n * dim
        elif option == 0:
            length = dim
        else:
            bits = (option - 10) % 8 + 1
            d, length = 2 ** ((option - 10) // 8), dim * 2**bits
        own = numbers[number : number + length]
        for r in range(n):
            code = [stream >> (r * d + part) * bits & (1 << bits) - 1 for part in range(d)]
            if 1 <= option <= 8:
                out.append([own[x] + np.float32(code[x]) * own[dim + x] for x in range(dim)])
            elif option == 9:
                out.append(own[r * dim : (r + 1) * dim])
            else:
                out.append(own.reshape(d, 2**bits, -1)[np.arange(d), code].ravel())
        byte, number = byte + math.ceil(n * d * bits / 8), number + length
    return np.array(out, np.float32)


ALL = [0, *range(1, 9), 9, *(centroids_option(2**b, d) for d in (1, 2, 4, 8) for b in range(1, 9))]


def test_every_option_by_hand() -> None:
    """K = 8 in 2 subspaces: 3 bits, code. 5 bits an integer: 8 integers, 2 numbers a dimension."""
    assert parameters(centroids_option(8, 2), X) == (3, 8, 2)
    assert [code_bytes(o, 3, X) for o in (0, 5, 9, centroids_option(8, 2))] == [0, 15, 0, 3]  # 120 bits; 18 bits
    assert [numbers_of(o, 3, X) for o in (0, 5, 9, centroids_option(8, 2))] == [8, 16, 24, 64]
    assert layout([3, 2], [5, 9], X)[:, :3].tolist() == [[0, 0, 0], [3, 120, 16], [5, 120, 32]]
    assert sorted(ALL) == list(range(42))


@pytest.mark.parametrize("option", ALL)
def test_vectors_are_those_of_the_naive_reader(option: int) -> None:
    groups, options = [3, 7, 1, 5], [option, 0, 3, option]
    tensors = grouped(groups, options, X)
    table = Grouped("embedding", [10, 6], X, tensors)
    assert np.array_equal(table.vectors(np.arange(16)), naive(tensors, X))


@pytest.mark.skipif(not native.available(), reason="no C compiler")
@pytest.mark.parametrize("dim", [1, 2, 4, 8, 12, 16, 24, 108])
def test_c_reads_every_option_of_every_width_in_fields_of_many_groups(dim: int) -> None:
    """A field of one group, one of nine, whose ids C compares at once, and one of more."""
    options = [o for o in (*ALL, *(centroids_option(2**b, 16) for b in range(1, 9))) if o < 10 or divides(o, dim)]
    groups = np.random.default_rng(dim).integers(1, 6, len(options)).tolist()
    tensors, ends = grouped(groups, options, dim), np.cumsum(groups)
    sizes = np.diff([0, ends[0], ends[9], *ends[-1:]]).tolist() if len(options) > 10 else [ends[0], ends[-1] - ends[0]]
    reader = GroupsInC(Grouped("embedding", sizes, dim, tensors))
    expected = naive(tensors, dim)
    for field, (first, size) in enumerate(zip(np.cumsum([0, *sizes]), sizes, strict=False)):
        ids = torch.from_numpy(np.cumsum([0, *sizes[:-1]])).repeat(size, 1)
        ids[:, field] = torch.arange(first, first + size)
        assert np.array_equal(reader(ids)[:, field].numpy(), expected[first : first + size])


def divides(option: int, dim: int) -> bool:
    return dim % 2 ** ((option - 10) // 8) == 0


def model_on(schema: Schema, embedding: list[int], first: list[int], kind: str = "deepfm") -> CTRModel:
    """A model whose tables are stored by these options, with random numbers."""
    table, config = ByGroups(schema, X), small_config(model=kind, embedding_dim=X, recipe="paper")
    parts = {"embedding": (table, embedding)} | (
        {"first": (table.make_first_order(), first)} if kind == "deepfm" else {}
    )
    for part, options in parts.values():
        made = grouped(table.groups.tolist(), options, part.dim)
        made["embedding.numbers"] /= 512
        part.fill({key.removeprefix("embedding."): array for key, array in made.items()})
    torch.manual_seed(1)
    model = assemble(config, 3, *(part for part, _ in parts.values())).eval()
    for name, tensor in model.state_dict().items():
        if "running" in name:
            tensor.uniform_(0.1, 1)
    return model


def written(schema: Schema, folder: Path, model: CTRModel, kind: str = "deepfm") -> Path:
    """Its file; values are numbered as features of the data set, in the order of the file."""
    made = record(small_config(strategy="fe", model=kind, embedding_dim=X, recipe="paper"), None)
    order, names = file_order(model), [f"{n}" for n in range(14)]
    ends = np.cumsum(list(SIZES.values()))
    known = {field: [names[i] for i in ids] for field, ids in zip(SIZES, np.split(order, ends[:-1]), strict=True)}
    export(model, schema, made, known, folder / "m.safetensors")
    return folder / "m.safetensors"


def file_order(model: CTRModel) -> np.ndarray:
    assert isinstance(model.embedding, ByGroups)
    return model.embedding.order.numpy()


OPTIONS = [[9, centroids_option(2, 4), 3, 0, 8], [0, 1, 9, centroids_option(4, 2), 5]]


@pytest.mark.parametrize("kind", ["deepfm", "pnn", "dcn"])
@pytest.mark.parametrize("options", OPTIONS)
@torch.inference_mode()
def test_readers_agree_to_the_bit(schema: Schema, options: list[int], kind: str, tmp_path: Path) -> None:
    model = model_on(schema, options, [9, 3, centroids_option(2, 1), 0, 1], kind)
    assert model.embedding.groups.tolist() == GROUPS
    path, ids = written(schema, tmp_path, model, kind), all_ids(schema)
    rank = model.embedding.order.argsort()[ids]
    expected, found = model.embedding(ids), tables(*read(path))
    assert np.array_equal(found["embedding"](rank.numpy()), expected.numpy())
    for reader in KINDS:
        assert torch.equal(load(path, reader).embedding(rank), expected)
        assert torch.equal(load(path, reader)(rank), model(ids))
    in_numpy = PackedModel(path)
    np.testing.assert_allclose(in_numpy.logits(rank.numpy()), model(ids).numpy(), rtol=0, atol=1e-5)
    samples = [dict(zip(SIZES, map(str, row), strict=True)) for row in ids.tolist()]
    np.testing.assert_allclose(in_numpy.score(samples), torch.sigmoid(model(ids)).numpy(), rtol=1e-5)


def test_a_server_of_a_compressed_file_needs_no_more_than_that_of_a_packed_one(schema: Schema, tmp_path: Path) -> None:
    path = written(schema, tmp_path, model_on(schema, OPTIONS[0], [9, 3, centroids_option(2, 1), 0, 1]))
    assert_served(path, dict(zip(SIZES, map(str, all_ids(schema)[0].tolist()), strict=True)), tmp_path / "server")


def test_the_tables_have_the_bytes_of_the_file(schema: Schema, tmp_path: Path) -> None:
    """By hand. Embedding, X = 8: 2 rows 32; 4 features of 4 codes of 1 bit 2, 2 centroids 32; 3 features of 8 codes of
    3 bits 9, low and step 32; mean 16; 2 features of 8 codes of 8 bits 16, low and step 32. First order, X = 1: 2 rows
    4; 3 bits for 4 2, low and step 4; 3 bits 1, 2 centroids 4; mean 2; 2 bits 1, low and step 4.
    """
    model = model_on(schema, OPTIONS[0], [9, 3, centroids_option(2, 1), 0, 1])
    _, tensors = read(written(schema, tmp_path, model))
    sizes = {name: sum(t.nbytes for n, t in tensors.items() if n.startswith(name)) for name in ("embe", "first", "gro")}
    assert sizes == {
        "embe": 5 + 32 + 2 + 32 + 9 + 32 + 16 + 16 + 32,
        "first": 5 + 4 + 2 + 4 + 1 + 4 + 2 + 1 + 4,
        "gro": 20,
    }
    assert model.embedding.served_bytes() == sizes["embe"] + 20
    assert model.first_order.served_bytes() == sizes["first"]


def test_ids_that_are_none_of_their_fields_are_refused(schema: Schema, tmp_path: Path) -> None:
    path = written(schema, tmp_path, model_on(schema, OPTIONS[0], [0] * 5))
    readers = {"numpy": lambda: tables(*read(path))["embedding"](np.array([[0, 9, 9]]))}
    if native.available():
        readers["c"] = lambda: load(path, PackedInC).embedding(torch.tensor([[0, 9, 9]]))
    for look_up in readers.values():
        with pytest.raises(IndexError, match=r"ids\[0, 1\]: expected 6 to 8, found 9"):
            look_up()


def older(path: Path) -> None:
    """As files were written before the header told the order of the features."""
    parts = Parts.of(path.read_bytes())
    del parts.about["order"]
    path.write_bytes(parts.signed())


#: Counts that the tiny data set hasn't -> what they change. Feature 3 beside 4, in one tier; 0 beside 2, in two.
SWAPPED = {"order": (3, 4), "groups": (0, 2)}


@pytest.mark.parametrize("swapped", SWAPPED)
@pytest.mark.parametrize("old", [False, True])
def test_ids_of_other_counts_are_not_read(schema: Schema, swapped: str, old: bool, tmp_path: Path) -> None:
    path = written(schema, tmp_path, model_on(schema, OPTIONS[0], [0] * 5))
    counts, pair = schema.counts.clone(), list(SWAPPED[swapped])
    counts[pair] = counts[pair[::-1]]
    if swapped == "groups":
        counts[1] = 3
    if old:
        older(path)
    if old and swapped == "order":  # an older file can't tell
        load(path, schema=replace(schema, counts=counts))
        return
    what = "groups" if old else "order"
    with pytest.raises(PackedError, match=rf"m\.safetensors: schema: expected counts that give the {what} .*, found"):
        load(path, schema=replace(schema, counts=counts))


def test_an_id_is_compared_with_the_groups_of_its_field_alone(schema: Schema, tmp_path: Path) -> None:
    """Else a file of many small fields would take memory by the square of their number."""
    table = load(written(schema, tmp_path, model_on(schema, OPTIONS[0], [0] * 5)), Packed).embedding
    assert table.begins.shape == (3, 2)  # of two, one and two groups: no more than a field has


@torch.inference_mode()
def test_files_old_and_new_are_read_alike_by_all(schema: Schema, tmp_path: Path) -> None:
    model, ids = model_on(schema, OPTIONS[0], [0] * 5), all_ids(schema)
    path, rank = written(schema, tmp_path, model), model.embedding.order.argsort()[ids]
    for _ in ("new", "old"):
        for reader in KINDS:
            own = load(path, reader, schema=schema)
            assert torch.equal(own(ids), model(ids)) and torch.equal(own(ids.to(torch.uint8)), model(ids))
            assert torch.equal(load(path, reader)(rank), model(ids))
        np.testing.assert_allclose(PackedModel(path).logits(rank.numpy()), model(ids).numpy(), rtol=0, atol=1e-5)
        if "order" in read(path)[0]:
            older(path)
    assert "order" not in read(path)[0]


def test_a_class_that_reads_no_groups_is_refused(schema: Schema, tmp_path: Path) -> None:
    path = written(schema, tmp_path, model_on(schema, OPTIONS[0], [0] * 5))
    with pytest.raises(ValueError, match=r"table: expected Packed or PackedInC for a compressed file, found <class"):
        load(path, torch.nn.Identity)


def test_counts_of_another_data_set_in_the_same_order_are_read(schema: Schema, tmp_path: Path) -> None:
    """As those of the training part alone may be: what counts is the order."""
    path = written(schema, tmp_path, model_on(schema, OPTIONS[0], [0] * 5))
    load(path, schema=replace(schema, counts=10 * schema.counts))


def change(name: str, array: np.ndarray, dtype: str) -> Callable[[Parts], None]:
    def edit(parts: Parts) -> None:
        (found,) = [tensor for tensor in parts.tensors if tensor.name == name]
        found.dtype, found.shape, found.content = dtype, list(array.shape), array.tobytes()

    return edit


def int32(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.int32)


HOSTILE: dict[str, tuple[Callable[[Parts], None], str]] = {
    "no features": (
        change("groups", int32(6, 0, 3, 3, 2), "I32"),
        "groups: expected numbers of features above 0, found",
    ),
    "fewer than none": (change("groups", int32(7, -1, 3, 3, 2), "I32"), "groups: expected numbers of features above 0"),
    "across fields": (
        change("groups", int32(2, 5, 2, 3, 2), "I32"),
        "groups: expected groups of one field each, found",
    ),
    "too many": (change("groups", int32(2, 4, 3, 3, 2, 9), "I32"), r"embedding.option: expected \[6\], found \[5\]"),
    "too few": (change("groups", int32(2, 4, 3, 5), "I32"), r"embedding.option: expected \[4\], found \[5\]"),
    "huge": (change("groups", int32(2, 4, 3, 3, 2**31 - 1), "I32"), "groups: expected groups of one field each"),
    "in a square": (
        change("groups", int32(2, 4, 3, 5).reshape(2, 2), "I32"),
        r"groups: expected \[4\], found \[2, 2\]",
    ),
    "bytes": (change("groups", np.array([2, 4, 3, 3, 2], np.uint8), "U8"), "groups: expected int32, found 'uint8'"),
    "none": (change("groups", int32(), "I32"), r"embedding.option: expected \[0\], found \[5\]"),
    "another way": (
        change("embedding.option", np.array([9, 19, 3, 0, 7], np.uint8), "U8"),
        r"embedding.(codes|numbers): expected \[\d+\], found",
    ),
    "no such way": (
        change("embedding.option", np.array([9, 255, 3, 0, 8], np.uint8), "U8"),
        r"embedding.option: option 255: expected subspaces that divide 8 dimensions, found 1073741824",
    ),
    "subspaces of a weight": (
        change("first_order.option", np.array([9, 3, 18, 0, 1], np.uint8), "U8"),
        r"first_order.option: option 18: expected subspaces that divide 1 dimensions, found 2",
    ),
    "a code less": (
        change("embedding.codes", np.zeros(26, np.uint8), "U8"),
        r"embedding.codes: expected \[27\], found",
    ),
    "no number": (
        change("first_order.numbers", np.full(9, np.nan, np.float16), "F16"),
        "first_order.numbers: expected finite numbers, found",
    ),
    "an order of numbers": (lambda parts: parts.about.update(order=[1]), r"order: expected a text, found \[1\]"),
    "single precision": (
        change("first_order.numbers", np.zeros(9, np.float32), "F32"),
        "first_order.numbers: expected float16, found 'float32'",
    ),
}


@pytest.mark.parametrize(("edit", "said"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_file_is_refused_by_both_readers(
    schema: Schema, edit: Callable[[Parts], None], said: str, tmp_path: Path
) -> None:
    path = written(schema, tmp_path, model_on(schema, OPTIONS[0], [9, 3, centroids_option(2, 1), 0, 1]))
    parts = Parts.of(path.read_bytes())
    edit(parts)
    path.write_bytes(parts.signed())
    for reader in (PackedModel, load):
        with pytest.raises(PackedError, match=said) as caught:
            reader(path)
        assert "\n" not in str(caught.value)


def test_every_code_names_a_number() -> None:
    """Whatever the bits of the codes are, nothing outside the numbers is read."""
    for option in ALL:
        tensors = grouped([3], [option], X)
        tensors["embedding.codes"][:] = 255
        table = Grouped("embedding", [3], X, tensors)
        place, _, step = table.places(np.arange(3))
        assert max(place.max(), step.max()) < len(tensors["embedding.numbers"])


@pytest.mark.skipif(torch.__version__ < OLDEST, reason="torch is too old for ONNX")
def test_onnxruntime_gives_the_logits(schema: Schema, tmp_path: Path) -> None:
    model = model_on(schema, OPTIONS[0], [9, 3, centroids_option(2, 1), 0, 1])
    path, rank = written(schema, tmp_path, model), model.embedding.order.argsort()[all_ids(schema)]
    to_onnx(path, tmp_path / "m.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "m.onnx")
    for ids in (rank, rank[:1]):
        expected = load(path)(ids).detach().numpy()
        np.testing.assert_allclose(session.run(None, {"ids": ids.numpy()})[0], expected, rtol=1e-5, atol=1e-6)


@pytest.mark.skipif(not native.available(), reason="no C compiler")
@pytest.mark.parametrize("option", ALL)
def test_c_gives_the_same_vectors(option: int) -> None:
    tensors = grouped([3, 7, 1, 5], [option, 0, 3, option], X)
    table = Grouped("embedding", [10, 6], X, tensors)
    ids = np.stack([np.arange(6), np.arange(10, 16)], 1)
    found = copy.deepcopy(GroupsInC(table)).half().float()(torch.from_numpy(ids))
    assert np.array_equal(found.numpy(), table(ids))


@pytest.mark.skipif(not native.available(), reason="no C compiler")
@pytest.mark.parametrize("column", range(9))
@pytest.mark.parametrize("value", [-1, 2**20])
def test_c_refuses_groups_that_lead_outside(column: int, value: int) -> None:
    tensors = grouped([3, 7], [centroids_option(4, 2), 3], X)
    made = GroupsInC(Grouped("embedding", [10], X, tensors))
    layout = made.layout.clone()
    layout[1, column] = value
    with pytest.raises(ValueError, match=r"group [01]: expected features, codes and numbers inside the table"):
        Groups(layout, made.first_groups, made.codes, made.numbers, X)


@pytest.mark.skipif(not native.available(), reason="no C compiler")
@pytest.mark.parametrize("option", [centroids_option(4, 2), 3])
def test_c_refuses_rows_that_have_codes_too(option: int) -> None:
    """They would be counted as rows, and read as what the codes are of."""
    made = GroupsInC(Grouped("embedding", [10], X, grouped([3, 7], [0, option], X)))
    layout = made.layout.clone()
    layout[1, 7] = X
    with pytest.raises(ValueError, match=r"group 1: expected features, codes and numbers inside the table"):
        Groups(layout, made.first_groups, made.codes, torch.zeros(10_000), X)


@pytest.fixture
def two() -> GroupsInC:
    tensors = grouped([3, 7], [centroids_option(4, 2), 3], X)
    return GroupsInC(Grouped("embedding", [10], X, tensors))


@pytest.mark.skipif(not native.available(), reason="no C compiler")
@pytest.mark.parametrize("fields", [[0, 3], [-1, 2], [2, 2], [0, 0, 2]])
def test_c_refuses_fields_without_groups_of_their_own(two: GroupsInC, fields: list[int]) -> None:
    with pytest.raises(ValueError, match=r"group \d: expected features"):
        Groups(two.layout, torch.tensor(fields), two.codes, two.numbers, X)


@pytest.mark.skipif(not native.available(), reason="no C compiler")
def test_c_refuses_a_table_without_ends(two: GroupsInC) -> None:
    with pytest.raises(ValueError, match="layout: expected each group and the ends, found nothing"):
        Groups(two.layout[:0], torch.tensor([0, 0]), two.codes, two.numbers, X)


@pytest.mark.skipif(not native.available(), reason="no C compiler")
@pytest.mark.parametrize("fields", [[0], []])
def test_c_refuses_a_table_without_fields(two: GroupsInC, fields: list[int]) -> None:
    with pytest.raises(ValueError, match=r"fields: expected the first group of each field .*, found no field"):
        Groups(two.layout, torch.tensor(fields, dtype=torch.int64), two.codes, two.numbers, X)


@pytest.mark.skipif(not native.available(), reason="no C compiler")
def test_c_refuses_a_table_that_is_one_byte_or_number_short(two: GroupsInC) -> None:
    Groups(two.layout, two.first_groups, two.codes, two.numbers, X)
    for codes, numbers in ((two.codes[:-1], two.numbers), (two.codes, two.numbers[:-1])):
        with pytest.raises(ValueError, match="group 1: expected features"):
            Groups(two.layout, two.first_groups, codes.clone(), numbers.clone(), X)


@pytest.mark.skipif(not native.available(), reason="no C compiler")
@pytest.mark.parametrize(("column", "value"), [(1, 9), (1, 17), (3, 9), (3, 64), (0, 2**33)])
def test_c_refuses_codes_that_begin_inside_a_byte_or_are_wider_than_one(
    two: GroupsInC, column: int, value: int
) -> None:
    """However much room there is."""
    layout, codes = two.layout.clone(), torch.cat([two.codes, torch.zeros(4096, dtype=torch.uint8)])
    layout[1 if column else 2, column] = value
    with pytest.raises(ValueError, match="group 1: expected features"):
        Groups(layout, two.first_groups, codes, two.numbers, X)


@pytest.mark.skipif(not native.available(), reason="no C compiler")
def test_c_refuses_a_width_that_only_fits_modulo_two_to_the_64() -> None:
    """Of 17 subspaces: 17 w = 16 for a w of 61 bits."""
    width = (16 * pow(17, -1, 1 << 64)) % (1 << 64)
    width -= (width >> 63) << 64
    layout = torch.tensor([[0, 0, 0, 1, 2, 17, width, 0, 0], [2] + [0] * 8])
    with pytest.raises(ValueError, match="group 0: expected features"):
        Groups(layout, torch.tensor([0, 1]), torch.zeros(64, dtype=torch.uint8), torch.zeros(64), 16)


@pytest.mark.skipif(not native.available(), reason="no C compiler")
def test_a_state_that_is_loaded_is_checked_as_a_file_is(two: GroupsInC) -> None:
    again = pickle.loads(pickle.dumps(two))
    assert torch.equal(again(torch.tensor([[9]])), two(torch.tensor([[9]])))
    state = {name: tensor.clone() for name, tensor in two.state_dict().items()}
    state["layout"][1, 1] = 2**40
    two.load_state_dict(state)
    with pytest.raises(ValueError, match="group 1: expected features"):
        two(torch.tensor([[9]]))


def test_a_field_of_very_many_groups_beside_very_many_fields_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader pads every field to the field that has most groups."""
    tensors = grouped([1, 1, 1, 1], [0, 0, 0, 0], X)
    sizes = [3, 1]
    check._groups("embedding", sizes, X, tensors)
    monkeypatch.setattr(check, "MOST_GROUPS", 5)
    with pytest.raises(PackedError, match="groups: expected at most 2 groups of a field, found 3"):
        check._groups("embedding", sizes, X, tensors)


def test_a_field_of_more_groups_than_there_are_tiers_is_refused() -> None:
    """A reader compares each id with all groups."""
    check._groups("embedding", [6, 1], X, grouped([1] * 7, [0] * 7, X))
    with pytest.raises(PackedError, match="groups: expected at most 6 groups of a field, found 7"):
        check._groups("embedding", [7, 1], X, grouped([1] * 8, [0] * 8, X))
