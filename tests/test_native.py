"""The door to C: what is built, what is built again, and what is refused before C sees it."""

from __future__ import annotations

import copy
import ctypes
import pickle
import random
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

import autodpq_native as native
from autodpq_native import compiled
from autodpq_native.lazy_adam import update_rows
from autodpq_native.look_up import ALL, NONE, SOME, CodedTable
from autodpq_native.quantisers import Codebooks, Quantisers
from autodpq_native.rows import sum_rows

needs_compiler = pytest.mark.skipif(not native.available(), reason="no C compiler")
#: Not cached, so that it looks at its environment again.
library = compiled.library.__wrapped__

WRONG: dict[str, Callable[[Tensor], Tensor]] = {
    "float64": Tensor.double,
    "half": Tensor.half,
    "not contiguous": lambda tensor: tensor.repeat_interleave(2, -1)[..., ::2],
    "too short": lambda tensor: tensor[:-1].contiguous(),
    "too wide": lambda tensor: torch.cat([tensor, tensor], -1),
    "of more dimensions": lambda tensor: tensor[None],
    "elsewhere": lambda tensor: tensor.to("meta"),
}
wrong = pytest.mark.parametrize("how", WRONG)


def test_an_empty_name_means_no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTODPQ_COMPILER", "")
    assert library() is None


@pytest.mark.parametrize("compiler", ["false", "no-such-compiler", "cc --no-such-option"])
def test_a_compiler_that_does_not_work_is_told_of_in_one_sentence(
    compiler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTODPQ_COMPILER", compiler)
    with pytest.raises(ValueError, match=f"expected {compiler} to compile it, found") as caught:
        library()
    assert "\n" not in str(caught.value)


@needs_compiler
@pytest.mark.parametrize(("k", "subspaces"), [(16, 4), (16, 2), (8, 2), (8, 4)])
def test_codes_of_more_bits_than_k_needs_are_read(k: int, subspaces: int) -> None:
    """Also of the pairs for which C has loops of their own."""
    codes, centroids = torch.randint(k, (5, subspaces)), torch.randn(subspaces, k, 16 // subspaces)
    table = CodedTable(
        torch.empty(0, 16),
        torch.empty(0, 3, dtype=torch.int32),
        torch.cat([codes.flatten().to(torch.uint8), torch.zeros(2, dtype=torch.uint8)]),  # a byte each
        centroids.flatten(),
        torch.tensor([[0, 5, ALL, 0, 0, 0, subspaces, k, 8]]),
    )
    expected = centroids[torch.arange(subspaces), codes].flatten(1)
    assert torch.equal(table.look_up(torch.arange(5)[:, None])[:, 0], expected)


@needs_compiler
def test_another_processor_or_compiler_has_a_library_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders of runs may be shared, and one made for another processor may crash."""
    monkeypatch.setattr(compiled, "_build", lambda *_: None)
    monkeypatch.setattr(compiled, "_whole", lambda _: False)
    loaded: list[str] = []
    monkeypatch.setattr(compiled.ctypes, "CDLL", loaded.append)
    compiled.library.__wrapped__()
    for name, other in (("cpu", "another"), ("_compiler", ["cc", "-DX"]), ("FLAGS", ("-O1",))):
        with monkeypatch.context() as patch:
            patch.setattr(compiled, name, other if name == "FLAGS" else lambda other=other: other)
            compiled.library.__wrapped__()
    assert len(set(loaded)) == 4


@needs_compiler
def test_a_damaged_library_is_built_again_and_a_whole_one_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "FLAGS", ("-shared", "-fPIC"))  # a second's work of the compiler is not at issue
    loaded: list[Path] = []
    with monkeypatch.context() as patch:
        patch.setattr(ctypes, "CDLL", lambda path: loaded.append(Path(path)))
        library()
        (built,) = loaded
        for damage in (lambda whole: whole[: len(whole) // 2], lambda whole: b"garbage" * len(whole)):
            built.write_bytes(damage(built.read_bytes()))
            library()
        built.with_suffix(".sha256").write_bytes(b"\xff" * 64)
        library()
        patch.setattr(compiled, "_build", None)
        library()
    assert set(loaded) == {built}
    assert ctypes.CDLL(str(built)).look_up


def adam_tables() -> dict[str, Tensor]:
    tables = {name: torch.zeros(10, 3) for name in ("w", "m", "v")}
    named = torch.tensor([1, 2, 2])
    return {**tables, "last": torch.zeros(10, dtype=torch.int32), "named": named, "values": torch.ones(3, 3)}


@needs_compiler
@wrong
@pytest.mark.parametrize("which", ["w", "m", "v", "last", "named", "values"])
def test_lazy_adam_refuses_tensors_that_c_would_misread(which: str, how: str) -> None:
    tables = adam_tables()
    tables[which] = WRONG[how](tables[which])
    with pytest.raises(ValueError, match=r"^(w|last|values|m|v|named): expected torch.* found torch\.\w+ \[[^\n]*$"):
        update_rows(**tables, step=(0.01, 0.9, 0.999, 1.0, 1e-8, 0.0))


@needs_compiler
@pytest.mark.parametrize("row", [10, -1, 2**62, -(2**62)])
def test_lazy_adam_refuses_a_row_that_there_is_not_and_changes_none(row: int) -> None:
    tables = adam_tables()
    tables["named"][2] = row
    with pytest.raises(ValueError, match=rf"^named\[2\]: expected 0 to 9, found {row}$"):
        update_rows(**tables, step=(0.01, 0.9, 0.999, 1.0, 1e-8, 0.0))
    assert not any(tables[name].any() for name in ("w", "m", "v"))


@needs_compiler
@pytest.mark.parametrize(
    ("which", "how"),
    [(which, how) for which in ("numbers", "values") for how in WRONG if (which, how) != ("values", "too wide")],
)
def test_sums_by_row_refuse_tensors_that_c_would_misread(which: str, how: str) -> None:
    tensors = {"numbers": torch.tensor([1, 2, 2]), "values": torch.ones(3, 2)}
    tensors[which] = WRONG[how](tensors[which])
    with pytest.raises(ValueError, match=r"^(numbers|values): expected torch"):
        sum_rows(**tensors, rows=3)


@needs_compiler
@pytest.mark.parametrize("row", [3, -1, 2**62])
def test_sums_by_row_refuse_a_row_that_there_is_not(row: int) -> None:
    with pytest.raises(ValueError, match=rf"^numbers\[1\]: expected 0 to 2, found {row}$"):
        sum_rows(torch.tensor([0, row, 1]), torch.ones(3, 2), 3)


def codebooks(**changed: Tensor) -> Codebooks:
    """Two tables of 3 and 5 centroids in two subspaces of 4 dimensions."""
    given = {
        "keys": torch.randn(2, 2, 5, 4),
        "values": torch.randn(2, 2, 5, 4),
        "bias": torch.randn(2, 2, 5),
        **changed,
    }
    sizes = given.pop("sizes", torch.tensor([3, 5]))
    return Codebooks(tuple(given.values()), sizes, 1.0)


@needs_compiler
@wrong
@pytest.mark.parametrize("which", ["keys", "values", "bias", "sizes"])
def test_quantisers_refuse_tables_that_c_would_misread(which: str, how: str) -> None:
    table = torch.tensor([3, 5]) if which == "sizes" else codebooks().tables[["keys", "values", "bias"].index(which)]
    with pytest.raises(ValueError, match=r"^(keys|values|bias|sizes): expected"):
        Quantisers([6], [[codebooks(**{which: WRONG[how](table)})]], 8)


@needs_compiler
@pytest.mark.parametrize("sizes", [[0, 5], [3, 6], [-1, 5], [3, 2**40]])
def test_quantisers_refuse_sizes_beyond_their_tables(sizes: list[int]) -> None:
    of = Quantisers([6], [[codebooks(), codebooks(sizes=torch.tensor(sizes))]], 8)
    with pytest.raises(ValueError, match=r"^quantiser 1: expected sizes of 1 to 5, .* found \["):
        of.forward(torch.randn(6, 8))


@needs_compiler
@pytest.mark.parametrize("code", [3, -1, 2**31 - 1])
def test_quantisers_refuse_codes_beyond_their_sizes(code: int) -> None:
    of, e = Quantisers([6], [[codebooks()]], 8), torch.randn(6, 8)
    out, codes = of.forward(e)
    codes[5, 0, 1] = code
    with pytest.raises(ValueError, match=r"^quantiser 0: expected sizes of 1 to 5, and codes below them"):
        of.backward(e, codes, out)


@needs_compiler
@wrong
@pytest.mark.parametrize("which", ["e", "codes", "grad"])
def test_quantisers_refuse_batches_that_c_would_misread(which: str, how: str) -> None:
    of, e = Quantisers([6], [[codebooks()]], 8), torch.randn(6, 8)
    out, codes = of.forward(e)
    given = {"e": e, "codes": codes, "grad": out}
    given[which] = WRONG[how](given[which])
    with pytest.raises(ValueError, match=rf"^{which}: expected torch"):
        of.backward(**given)
    if which == "e":
        with pytest.raises(ValueError, match=r"^e: expected torch"):
            of.forward(given["e"])


@needs_compiler
@pytest.mark.parametrize(
    ("rows", "fields", "dim"),
    [
        ([6], [[codebooks()]], 12),  # another width
        ([6], [[codebooks()]], 7),
        ([0], [[codebooks()]], 8),  # no rows
        ([7, -1], [[codebooks()], [codebooks()]], 8),
        ([3, 3], [[codebooks()], [codebooks(), codebooks()]], 8),  # of two and of four tables
        ([6], [[codebooks()], [codebooks()]], 8),
        ([6], [[Codebooks((torch.randn(1, 2, 8),), torch.tensor([2]), 1.0)]], 8),
    ],
)
def test_quantisers_refuse_fields_that_do_not_fit(rows: list[int], fields: list[list[Codebooks]], dim: int) -> None:
    with pytest.raises(ValueError, match=r"expected|zip"):
        Quantisers(rows, fields, dim)


def packed(kind: int = SOME, **changed: Tensor) -> dict[str, Tensor]:
    """One field of 70 features; of those that are coded, every third if SOME, codes of 2 bits in 2 subspaces, K = 3."""
    coded = torch.full((70,), kind == ALL) if kind != SOME else torch.arange(70) % 3 == 0
    bits = [sum(1 << n for n in range(32) if 32 * word + n < 70 and coded[32 * word + n]) for word in range(4)]
    signed = [word - (1 << 32) * (word >> 31) for word in bits]
    lines = torch.tensor([[*signed[:2], 0], [*signed[2:], int(coded[:64].sum())]], dtype=torch.int32)
    count = int(coded.sum())
    codes = torch.full((-(-count * 2 * 2 // 8) + 1,), 0b10_01_00_10, dtype=torch.uint8)
    return {
        "kept": torch.randn(70 - count, 4), "lines": lines if kind == SOME else lines[:0], "codes": codes,
        "centroids": torch.randn(2 * 3 * 2), "fields": torch.tensor([[0, 70, kind, 0, 0, 0, 2, 3, 2]]), **changed,
    }  # fmt: skip


@needs_compiler
@pytest.mark.parametrize("kind", [NONE, ALL, SOME])
def test_a_whole_table_is_read_and_so_is_its_copy(kind: int) -> None:
    given = packed(kind)
    table, ids = CodedTable(**given), torch.arange(70)[:, None]
    found = table.look_up(ids)
    coded, kept = torch.full((70,), kind == ALL) if kind != SOME else torch.arange(70) % 3 == 0, iter(given["kept"])
    for n, vector in enumerate(found[:, 0]):
        rank = int(coded[:n].sum())
        codes = [(2, 0, 1, 2)[(2 * rank + d) % 4] for d in range(2)]
        centroids = given["centroids"].view(2, 3, 2)
        expected = torch.cat([centroids[d, code] for d, code in enumerate(codes)]) if coded[n] else next(kept)
        assert torch.equal(vector, expected)
    for again in (copy.deepcopy(table), pickle.loads(pickle.dumps(table))):
        assert torch.equal(again.look_up(ids), found)


@needs_compiler
@pytest.mark.parametrize(
    ("which", "how"),
    [
        (which, how)
        for which in ("kept", "lines", "codes", "centroids", "fields")
        for how in WRONG
        if how != "too wide" or which not in ("codes", "centroids")  # longer than they need be
    ],
)
def test_tables_that_c_would_misread_are_refused(which: str, how: str) -> None:
    given = packed()
    given[which] = WRONG[how](given[which])
    with pytest.raises(ValueError, match=r"^(kept|lines|codes|centroids|fields?|ids)( 0)?: expected"):
        CodedTable(**given).look_up(torch.tensor([[0]]))


BEGIN, END, CODED, CODES, CENTROIDS, FIRST, SUBSPACES, K, BITS = range(9)


EDITS = {
    BEGIN: (-1, 71), END: (200, -1, 2**62), CODED: (3, -1), FIRST: (-1, 1), CODES: (1, -1, 2**62),
    CENTROIDS: (1, -1, 2**62), SUBSPACES: (0, 3, 4), K: (0, 4, 2, 2**60), BITS: (-1, 1, 3, 64),
}  # fmt: skip
CASES = [(place, value) for place, values in EDITS.items() for value in values]


@needs_compiler
@pytest.mark.parametrize(("place", "value"), CASES)
def test_a_field_that_leads_outside_the_table_is_refused(place: int, value: int) -> None:
    for kind in (ALL, SOME) if place > FIRST or place in (CODES, CENTROIDS) else (NONE, ALL, SOME):
        given = packed(kind)
        given["fields"][0, place] = value
        with pytest.raises(ValueError, match=r"^field 0: expected rows, codes and centroids inside the table, found"):
            CodedTable(**given)


@needs_compiler
def test_random_damage_is_refused_or_read_inside_the_table() -> None:
    """Nothing to compare with: `make sanitize` sees whether C stays where it should."""
    rng, refused = random.Random(0), 0
    for _ in range(3000):
        given = packed(rng.choice([NONE, ALL, SOME]))
        for _ in range(rng.randrange(1, 4)):
            tensor = rng.choice([given["fields"], given["fields"], given["lines"], given["codes"]]).view(-1)
            info = torch.iinfo(tensor.dtype)
            value = rng.choice([info.min, info.max, rng.randrange(info.min, info.max), *range(5), 63, 64, 70, 71])
            if len(tensor):
                tensor[rng.randrange(len(tensor))] = value
        try:
            table = CodedTable(**given)
        except ValueError:
            refused += 1
        else:
            begin, end = given["fields"][0, :2].tolist()
            table.look_up(torch.arange(begin, end)[:, None])
    assert 1000 < refused < 2900


@needs_compiler
@pytest.mark.parametrize("kind", [ALL, SOME])
def test_a_code_that_names_no_centroid_is_refused(kind: int) -> None:
    given = packed(kind)
    given["codes"][3] = 0b11
    with pytest.raises(ValueError, match=r"^field 0: expected rows, codes and centroids inside the table"):
        CodedTable(**given)


@needs_compiler
@pytest.mark.parametrize("number", [-1, 70, 2**62])
def test_an_id_that_there_is_not_is_refused(number: int) -> None:
    with pytest.raises(IndexError, match=rf"^ids\[1, 0\]: expected 0 to 69, found {number}$"):
        CodedTable(**packed()).look_up(torch.tensor([[0], [number]]))
    with pytest.raises(ValueError, match=r"^ids: expected torch\.int64"):
        CodedTable(**packed()).look_up(torch.tensor([[0.0]]))


@needs_compiler
def test_a_table_without_dimensions_is_refused() -> None:
    """Or so many subspaces that their codes overflow would pass for some of them."""
    with pytest.raises(ValueError, match=r"^field 0: expected rows, codes and centroids inside the table"):
        CodedTable(
            torch.empty(0, 0),
            torch.empty(0, 3, dtype=torch.int32),
            torch.zeros(8, dtype=torch.uint8),
            torch.zeros(4),
            torch.tensor([[0, 4, ALL, 0, 0, 0, 2**62 + 1, 1, 1]]),
        )


@pytest.mark.usefixtures("compiler")
def test_c_takes_float32_on_the_cpu_where_there_is_a_compiler() -> None:
    one = torch.zeros(1)
    assert native.takes(one) == native.available()
    assert not any(map(native.takes, (one.double(), one.long(), one.to("meta"))))
