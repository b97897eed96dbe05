"""The packed file: bits, exactness, size to the byte, and what is refused."""

from __future__ import annotations

import copy
import json
import math
import random
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from conftest import SIZES, small_config
from safetensors.numpy import load as load_bytes
from torch.torch_version import TorchVersion

import autodpq_native as native
from autodpq_data.prepared import load_samples, load_schema, prepare, vocabulary
from autodpq_data.schema import Schema
from autodpq_data.sources import DataError, locate
from autodpq_lib.config import Decision, RunConfig
from autodpq_lib.models.build import dpq_model, full_model, others_model
from autodpq_lib.models.ctr_model import CTRModel
from autodpq_lib.models.deepfm import Pairwise
from autodpq_lib.space import Space
from autodpq_lib.training.metrics import Metrics
from autodpq_packed import bits, check, module
from autodpq_packed import sizes as packed_sizes
from autodpq_packed.bits import bits_for, pack, unpack
from autodpq_packed.container import PackedError, unpack_file
from autodpq_packed.export import Kept, export, signed, stored
from autodpq_packed.module import load
from autodpq_packed.onnx_export import OLDEST, to_onnx
from autodpq_packed.packed import Packed
from autodpq_packed.packed_in_c import PackedInC
from autodpq_packed.reader import PackedTable, read
from autodpq_packed.score import PackedModel
from autodpq_packed.sizes import sizes
from autodpq_runs.provenance import Origin, provenance
from autodpq_runs.record import Record
from autodpq_system.paths import ROOT

DECISION = {"a": (4, 2), "c": (8, 4)}
READERS = [Packed, pytest.param(PackedInC, marks=pytest.mark.skipif(not native.available(), reason="no C compiler"))]
VOCABULARY = {name: [f"{name}{n}" for n in range(size)] for name, size in SIZES.items()}


def all_ids(schema: Schema) -> torch.Tensor:
    """Every feature of every field at least once: ``[B, M]``."""
    rows = max(schema.sizes)
    return torch.tensor([[o + n % s for o, s in zip(schema.offsets, schema.sizes, strict=True)] for n in range(rows)])


def trained(strategy: str, schema: Schema, decision: Decision = DECISION, **changed: object) -> tuple[CTRModel, Record]:
    """A model with random weights, BatchNorm statistics included, in the place of a trained one."""
    config = small_config(strategy={"dpq": "autodpq"}.get(strategy, strategy), **changed)
    model = {
        "fe": lambda: full_model(config, schema),
        "others": lambda: others_model(config, schema),
        "dpq": lambda: dpq_model(config, schema, decision),
    }[strategy]()
    torch.manual_seed(3)
    for tensor in [*model.parameters(), *(b for n, b in model.named_buffers() if "running" in n)]:
        tensor.data.uniform_(0.1, 1.0) if tensor.dim() == 1 else tensor.data.normal_(0, 0.2)
    return model.eval(), record(config, decision if strategy == "dpq" else None)


def record(config: RunConfig, decision: Decision | None) -> Record:
    return Record(
        identity="identity", method_version=1, data_fingerprint="x", config=config,
        valid=Metrics(auc=0.5, logloss=0.5), test=Metrics(auc=0.5, logloss=0.5), decision=decision,
        space=Space(paper=1, bits=1, model_bytes=1), fits=[], scores=[],
        provenance=provenance(Origin("2024-01-01T00:00:00+00:00", None, None)),
    )  # fmt: skip


@pytest.mark.parametrize("k", [1, 2, 3, 4, 8, 16, 31, 32, 64, 200, 256])
@pytest.mark.parametrize("n", [0, 1, 7, 8, 13, 100])
def test_codes_survive_packing_in_as_few_bytes_as_they_need(k: int, n: int) -> None:
    b = bits_for(k)
    assert b == math.ceil(math.log2(k))
    codes = np.random.default_rng(k).integers(0, k, n)
    packed = pack(codes, b)
    assert len(packed) == math.ceil(n * b / 8)
    places = np.arange(n)
    assert unpack(packed, b, places).tolist() == codes.tolist()
    assert unpack(packed, b, places[::-1].reshape(1, -1)).tolist() == [codes[::-1].tolist()]


def test_bit_layout_by_hand() -> None:
    """Codes 5, 2, 7 of three bits, least significant bit first: 101 010 111."""
    assert pack(np.array([5, 2, 7]), 3).tolist() == [0b11010101, 0b1]


@pytest.mark.parametrize("strategy", ["fe", "others", "dpq"])
@pytest.mark.parametrize("model", ["deepfm", "pnn", "dcn"])
@pytest.mark.parametrize("recipe", ["paper", "tuned"])
@pytest.mark.parametrize("reader", READERS)
def test_readers_agree_with_the_trained_model(
    strategy: str, model: str, recipe: str, reader: type[torch.nn.Module], schema: Schema, tmp_path: Path
) -> None:
    ids = all_ids(schema)
    original, made = trained(strategy, schema, model=model, recipe=recipe)
    export(original, schema, made, VOCABULARY, tmp_path / "m.safetensors")
    with torch.inference_mode():
        packed = load(tmp_path / "m.safetensors", reader)
        assert torch.equal(packed.embedding(ids), original.embedding(ids))
        assert torch.equal(packed(ids), original(ids))
        in_numpy = PackedModel(tmp_path / "m.safetensors")
        assert np.array_equal(in_numpy.embedding(ids.numpy()), original.embedding(ids).numpy())
        np.testing.assert_allclose(in_numpy.logits(ids.numpy()), original(ids).numpy(), rtol=0, atol=1e-6)


def test_sizes_of_a_run_on_a_gpu_need_none(schema: Schema, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed_sizes, "_memory", lambda *_: 0)
    _, made = trained("dpq", schema)
    found = sizes(made, schema, VOCABULARY, tmp_path)
    assert found["file, bytes"] == next(tmp_path.glob("*.safetensors")).stat().st_size
    on_gpu = made.model_copy(update={"config": made.config.model_copy(update={"device": "cuda"})})
    devices, build = [], packed_sizes.final_model

    def built(config: RunConfig, *rest: object) -> CTRModel:
        devices.append(config.device)
        return build(config, *rest)

    monkeypatch.setattr(packed_sizes, "final_model", built)
    again = sizes(on_gpu, schema, VOCABULARY, tmp_path)
    assert devices == ["cpu"]
    assert [again[key] for key in ("paper units", "bits")] == [found[key] for key in ("paper units", "bits")]


@pytest.mark.parametrize("low", [0, 1, 5, 8, 13])
@pytest.mark.parametrize("pair", [(k, d) for k in (2, 3, 8, 16, 32) for d in (1, 2, 8)])
def test_vectors_are_exact_for_every_pair_and_field_size(low: int, pair: tuple[int, int], tmp_path: Path) -> None:
    """Fields with none, one, K - 1 and other numbers of low-frequency features, at the edges of bytes."""
    sizes = {"a": 5, "b": 13, "c": 4}
    counts = torch.full((22,), 99)
    counts[5 : 5 + low] = 1
    schema = Schema("ml-100k", tuple(sizes), tuple(sizes.values()), counts, 40, "x")
    model, made = trained("dpq", schema, dict.fromkeys(schema.low_fields, pair), subspaces=(1, 2, 8))
    vocabulary = {name: [str(n) for n in range(size)] for name, size in sizes.items()}
    export(model, schema, made, vocabulary, tmp_path / "m.safetensors")
    assert_vectors_equal(tmp_path / "m.safetensors", model, all_ids(schema))


@pytest.mark.parametrize("pair", [(16, 4), (8, 2)])
@pytest.mark.parametrize("low", [13, 22])
def test_batches_without_coded_features_and_tables_without_kept_ones(
    low: int, pair: tuple[int, int], tmp_path: Path
) -> None:
    counts = torch.full((22,), 99)
    counts[22 - low :] = 1
    schema = Schema("ml-100k", ("a", "b", "c"), (5, 13, 4), counts, 40, "x")
    model, made = trained("dpq", schema, dict.fromkeys(schema.low_fields, pair), subspaces=(2, 4))
    vocabulary = {"a": [], "b": [], "c": []}
    export(model, schema, made, vocabulary, tmp_path / "m.safetensors")
    for ids in (torch.tensor([[0, 5, 18]]), all_ids(schema)):
        assert_vectors_equal(tmp_path / "m.safetensors", model, ids)


@pytest.mark.skipif(not native.available(), reason="no C compiler")
def test_features_beyond_the_first_lines_of_the_bitmap_are_counted(tmp_path: Path) -> None:
    """Some 3,000 features with coded ones strewn among them: C counts by lines of 64."""
    counts = torch.where(torch.rand(3000, generator=torch.Generator().manual_seed(1)) < 0.4, 1, 99)
    schema = Schema("ml-100k", ("a", "b", "c"), (1500, 700, 800), counts, 40, "x")
    model, made = trained("dpq", schema, dict.fromkeys(schema.low_fields, (16, 4)), centroids=(16,), subspaces=(4,))
    export(model, schema, made, {"a": [], "b": [], "c": []}, tmp_path / "m.safetensors")
    assert_vectors_equal(tmp_path / "m.safetensors", model, all_ids(schema))


def test_without_a_compiler_torch_reads(schema: Schema, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, made = trained("dpq", schema)
    export(model, schema, made, VOCABULARY, tmp_path / "m.safetensors")
    monkeypatch.setattr(native, "available", lambda: False)
    assert isinstance(load(tmp_path / "m.safetensors").embedding, Packed)


@pytest.mark.skipif(not native.available(), reason="no C compiler")
@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (torch.tensor([[0, 6, 9], [0, 9, 9]]), r"ids\[1, 1\]: expected 6 to 8, found 9"),
        (torch.tensor([[-1, 6, 9]]), r"ids\[0, 0\]: expected 0 to 5, found -1"),
        (torch.tensor([[0, 6, 14]]), r"ids\[0, 2\]: expected 9 to 13, found 14"),
        (torch.tensor([[0, 6]]), r"ids: expected torch.int64 \[1, 3\], contiguous, on cpu, found torch.int64 \[1, 2\]"),
        (torch.tensor([[0, 6, 9]], dtype=torch.int32), "ids: expected torch.int64 .*, found torch.int32"),
    ],
)
def test_c_and_numpy_refuse_ids_that_are_none_of_their_fields(
    ids: torch.Tensor, message: str, schema: Schema, tmp_path: Path
) -> None:
    model, made = trained("dpq", schema)
    export(model, schema, made, VOCABULARY, tmp_path / "m.safetensors")
    with pytest.raises((IndexError, ValueError), match=message):
        load(tmp_path / "m.safetensors", PackedInC).embedding(ids)
    if message.startswith(r"ids\["):
        with pytest.raises(IndexError, match=message):
            PackedTable("embedding", *read(tmp_path / "m.safetensors"))(ids.numpy())
        with pytest.raises(IndexError, match=message):
            PackedModel(tmp_path / "m.safetensors").logits(ids.tolist())


@pytest.mark.skipif(not native.available(), reason="no C compiler")
def test_c_reads_float32_on_the_cpu_alone(schema: Schema, tmp_path: Path) -> None:
    path, ids = tmp_path / "m.safetensors", all_ids(schema)
    model, made = trained("dpq", schema)
    export(model, schema, made, VOCABULARY, path, "float16")
    with pytest.raises(ValueError, match="expected float32, found float16"):
        load(path, PackedInC)
    export(model, schema, made, VOCABULARY, path)
    table = load(path, PackedInC).embedding
    expected = table(ids)
    assert torch.equal(copy.deepcopy(table)(ids), expected)
    with pytest.raises(ValueError, match=r"kept: expected torch\.float32 .*, found torch\.float64"):
        table.double()(ids)
    assert torch.equal(table.float()(ids), expected)


def test_a_compiler_that_fails_is_told_of_and_torch_reads(
    schema: Schema, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, made = trained("dpq", schema)
    export(model, schema, made, VOCABULARY, tmp_path / "m.safetensors")

    def failing() -> bool:
        raise ValueError("native: expected cc to compile it")

    monkeypatch.setattr(native, "available", failing)
    with pytest.warns(UserWarning, match="read without C: .*expected cc to compile it"):
        found = load(tmp_path / "m.safetensors").embedding
    assert isinstance(found, Packed)


def test_packed_follows_its_buffers_to_another_device(schema: Schema, tmp_path: Path) -> None:
    model, made = trained("dpq", schema)
    export(model, schema, made, VOCABULARY, tmp_path / "m.safetensors")
    moved = load(tmp_path / "m.safetensors", Packed).embedding.to("meta")
    assert moved(all_ids(schema).to("meta")).shape == (6, 3, 16)


@pytest.mark.parametrize("name", ["0" * 64, 'sha256":"' + "0" * 64])
def test_no_name_is_taken_for_the_digest(name: str) -> None:
    about, _ = unpack_file(signed({"x": np.zeros(3, np.float32)}, json.dumps({"fields": [name]})))
    assert about == {"fields": [name]}


@pytest.mark.parametrize("name", ["x", "ü\n\t\x7f"])
def test_one_model_gives_one_file(name: str) -> None:
    """safetensors writes the header's texts in another order each time."""
    made = {signed({name: np.arange(3, dtype=np.float32)}, json.dumps({"fields": [name]})) for _ in range(16)}
    assert len(made) == 1
    assert load_bytes(made.pop())[name].tolist() == [0, 1, 2]


def test_what_the_format_cannot_hold_is_refused(schema: Schema, tmp_path: Path) -> None:
    model, made = trained("fe", schema)
    with pytest.raises(ValueError, match="vocabulary of a: expected 6 values, found 7"):
        export(model, schema, made, {**VOCABULARY, "a": list("1234567")}, tmp_path / "m.safetensors")
    with pytest.raises(ValueError, match="vocabulary of c: expected 5 values, found none"):
        export(model, schema, made, {"a": list("123456"), "b": list("123")}, tmp_path / "m.safetensors")
    for wrong, found in (("122456", "'2'"), (range(6), "0"), ([[1]] * 6, r"\[1\]")):
        with pytest.raises(ValueError, match=f"vocabulary of a: expected texts, all different, found {found}"):
            export(model, schema, made, {**VOCABULARY, "a": [*wrong]}, tmp_path / "m.safetensors")
    assert not list(tmp_path.iterdir())
    with pytest.raises(ValueError, match=r"at most 8 bits each .*, found 9"):
        pack(np.array([300]), 9)
    model.mlp.append(torch.nn.Sigmoid())
    with pytest.raises(ValueError, match="mlp: expected Linear, BatchNorm, ReLU or Dropout, found Sigmoid"):
        export(model, schema, made, VOCABULARY, tmp_path / "m.safetensors")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("strategy", ["fe", "dpq"])
@pytest.mark.parametrize("kept", ["float16", "int8"])
def test_kept_rows_in_fewer_bits_are_near_and_readers_agree(
    kept: Kept, strategy: str, schema: Schema, tmp_path: Path
) -> None:
    """Halves of a step off at most; what is coded stays exact."""
    ids, path = all_ids(schema), tmp_path / "m.safetensors"
    original, made = trained(strategy, schema)
    export(original, schema, made, VOCABULARY, path, kept)
    with torch.inference_mode():
        expected, found = original.embedding(ids), load(path).embedding(ids)
    coded = schema.low[ids] & (strategy == "dpq")
    assert torch.equal(found[coded], expected[coded])
    step = expected.abs() * 2**-10 if kept == "float16" else expected.abs().amax(-1, keepdim=True) / 127
    assert ((found - expected).abs() <= step / 2 + 1e-7).all()
    assert not torch.equal(found, expected)
    about, tensors = read(path)
    assert np.array_equal(PackedTable("embedding", about, tensors)(ids.numpy()), found.numpy())


def test_int8_by_row_by_hand() -> None:
    """Largest of a row becomes 127; a row of zeros stays one."""
    found = stored(np.array([[2.54, -1.27, 0.01], [0, 0, 0]], np.float32), "int8")
    assert found["kept"].tolist() == [[127, -64, 0], [0, 0, 0]]
    np.testing.assert_allclose(found["scale"], [[0.02], [1]], rtol=1e-6)


def test_a_schema_with_the_same_fields_in_another_order_is_refused() -> None:
    """Its ids are other features."""
    swapped = Schema("x", ("film", "user"), (3, 2), torch.ones(5, dtype=torch.long), 0, "")
    said = r"^f: schema: expected fields and sizes \[\('user', 2\), .*found \[\('film'"
    with pytest.raises(PackedError, match=said):
        module._check_schema(swapped, {"fields": ["user", "film"], "sizes": [2, 3]}, Path("f"))


def test_older_torch_than_2_8_is_refused_for_onnx(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(torch, "__version__", TorchVersion("2.4.0"))
    with pytest.raises(ImportError, match=r"^torch: expected 2\.8 or newer for ONNX, found 2\.4\.0$"):
        to_onnx(tmp_path / "m.safetensors", tmp_path / "m.onnx")


@pytest.mark.skipif(torch.__version__ < OLDEST, reason="torch is too old for ONNX")
@pytest.mark.parametrize(
    ("model", "strategy", "kept"), [("deepfm", "dpq", "float32"), ("pnn", "others", "float16"), ("dcn", "fe", "int8")]
)
def test_onnxruntime_gives_the_logits(model: str, strategy: str, kept: Kept, schema: Schema, tmp_path: Path) -> None:
    ids, path = all_ids(schema), tmp_path / "m.safetensors"
    original, made = trained(strategy, schema, model=model, recipe="tuned")
    export(original, schema, made, VOCABULARY, str(path), kept)
    to_onnx(str(path), str(tmp_path / "m.onnx"))
    session = onnxruntime.InferenceSession(tmp_path / "m.onnx")
    with torch.inference_mode():
        for batch in (ids, ids[:1]):
            expected = load(str(path))(batch).numpy()
            np.testing.assert_allclose(session.run(None, {"ids": batch.numpy()})[0], expected, rtol=1e-6, atol=1e-6)


@pytest.mark.skipif(torch.__version__ < OLDEST, reason="torch is too old for ONNX")
def test_onnx_is_not_begun_where_it_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError, match=str(tmp_path)):
        to_onnx(tmp_path / "none.safetensors", tmp_path)


def test_every_sample_of_movielens_has_its_vectors_exactly(tmp_path: Path) -> None:
    """The whole test split of MovieLens-1M, with random weights and a pair of its own for each field."""
    try:
        locate("ml-1m")
    except DataError as error:
        pytest.skip(f"needs MovieLens-1M: {error}")
    prepare("ml-1m")
    schema, ids = load_schema("ml-1m", 40), load_samples("ml-1m", "test").ids.long()
    pairs = [(k, d) for k in (8, 16, 32) for d in (2, 4, 8)]
    model, made = trained("dpq", schema, dict(zip(schema.low_fields, pairs, strict=False)))
    export(model, schema, made, vocabulary("ml-1m"), tmp_path / "m.safetensors")
    assert ids.shape == (100_020, 8)
    assert_vectors_equal(tmp_path / "m.safetensors", model, ids)


def assert_vectors_equal(path: Path, model: CTRModel, ids: torch.Tensor) -> None:
    """What each reader finds in the file is what the model has, to the bit."""
    about, tensors = read(path)
    with torch.inference_mode():
        expected = model.embedding(ids)
        for reader in (Packed, PackedInC) if native.available() else (Packed,):
            assert torch.equal(load(path, reader).embedding(ids), expected)
    assert np.array_equal(PackedTable("embedding", about, tensors)(ids.numpy()), expected.numpy())


def test_the_file_has_the_bytes_that_the_schema_says(
    schema: Schema, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kept rows, packed codes, centroids, a bit a feature; no raw row of a coded feature."""
    monkeypatch.setattr(packed_sizes, "_memory", lambda *_: 0)
    path = tmp_path / "m.safetensors"
    model, made = trained("dpq", schema)
    written = export(model, schema, made, VOCABULARY, path)
    low = schema.low_sizes
    codes = {name: math.ceil(low[name] * d * bits_for(k) / 8) for name, (k, d) in DECISION.items()}
    centroids = sum(4 * k * 16 for k, _ in DECISION.values())
    table = 4 * 16 * (schema.num_features - sum(low.values())) + sum(codes.values()) + centroids + math.ceil(14 / 8)
    assert sum(n for name, n in written.items() if name.startswith("embedding.")) == table
    assert sizes(made, schema, VOCABULARY, tmp_path)["embedding, bytes"] == table
    header = int.from_bytes(path.read_bytes()[:8], "little")
    assert path.stat().st_size == 8 + header + sum(written.values())


def test_raw_values_are_scored_and_unseen_ones_get_the_documented_row(schema: Schema, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    model, made = trained("dpq", schema)
    export(model, schema, made, VOCABULARY, path)
    reader = PackedModel(path)
    known = reader.score([{"a": "a3", "b": "b1", "c": "c0"}])
    with torch.inference_mode():
        expected = torch.sigmoid(model(torch.tensor([[3, 7, 9]])))
    np.testing.assert_allclose(known, expected.numpy(), rtol=1e-5)
    with torch.inference_mode():
        low = model.embedding(torch.tensor([[n, 6, 9] for n in (2, 3, 4, 5)]))[:, 0]
    np.testing.assert_allclose(reader.tensors["unknown.embedding"][0], low.mean(0).numpy(), rtol=1e-6)
    first = model.first_order(torch.tensor([[n, 6, 9] for n in (2, 3, 4, 5)]))[:, 0].mean(0)
    assert_scores(reader, model, {"a": "a new film", "b": "b1", "c": "c0"}, {0: (low.mean(0), first)})
    every = torch.tensor([[0, n, 9] for n in (6, 7, 8)])  # b has no low-frequency features: the mean of all
    means = (model.embedding(every)[:, 1].mean(0), model.first_order(every)[:, 1].mean(0))
    assert_scores(reader, model, {"a": "a3", "b": "another", "c": "c0"}, {1: means})
    assert reader.score([]).shape == (0,)


def test_a_server_needs_numpy_and_the_files_that_the_page_names(schema: Schema, tmp_path: Path) -> None:
    model, made = trained("dpq", schema)
    export(model, schema, made, VOCABULARY, path := tmp_path / "m.safetensors")
    assert_served(path, {"a": "a3", "b": "b1", "c": "c0"}, tmp_path / "server")


def assert_served(path: Path, sample: dict[str, str], server: Path) -> None:
    """NumPy and what the page names, copied elsewhere, score raw values, with no other package to be found."""
    said = (ROOT / "results" / "packed.md").read_text().partition("**In a server**")[2].partition("\n\n")[0]
    for folder, names in re.findall(r"(autodpq_\w+)/{([\w,]+)}", said):
        (server / folder).mkdir(parents=True)
        for name in (*names.split(","), *(["plain"] if "plain.py" in said and folder == "autodpq_packed" else [])):
            shutil.copy(ROOT / folder / f"{name}.py", server / folder)
    for numpy in Path(np.__file__).parents[1].glob("numpy*"):
        (server / numpy.name).symlink_to(numpy)
    code = (
        f"import sys; sys.path.insert(0, {str(server)!r}); from autodpq_packed.score import PackedModel; "
        f"from autodpq_packed.plain import PlainTables; print(PackedModel({str(path)!r}).score([{sample}])[0])"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) == pytest.approx(PackedModel(path).score([sample])[0])


@torch.inference_mode()
def assert_scores(
    reader: PackedModel, model: CTRModel, sample: dict[str, str], unseen: dict[int, tuple[torch.Tensor, torch.Tensor]]
) -> None:
    """The sample's score is the model's on its vectors, those of unseen values replaced."""
    ids = torch.tensor([[3, 7, 9]])
    e, first = model.embedding(ids), model.first_order(ids)
    for m, (vector, weight) in unseen.items():
        e[0, m], first[0, m] = vector, weight
    logit = model.bias + first.sum() + Pairwise.apply(e) + model.mlp(e.flatten(1))[0]
    np.testing.assert_allclose(reader.score([sample]), torch.sigmoid(logit).numpy(), rtol=1e-5)


def test_a_sample_without_a_field_and_a_foreign_vocabulary_are_refused(schema: Schema, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    model, made = trained("fe", schema)
    export(model, schema, made, VOCABULARY, path)
    with pytest.raises(PackedError, match="sample 0: expected a value for c"):
        PackedModel(path).score([{"a": "a0", "b": "b0"}])
    path.with_suffix(".vocabulary.json").write_text(json.dumps({**VOCABULARY, "a": ["x"]}))
    with pytest.raises(PackedError, match="expected the vocabulary of m"):
        PackedModel(path).score([{"a": "a0", "b": "b0", "c": "c0"}])


@pytest.mark.filterwarnings("ignore:(overflow|invalid value):RuntimeWarning")
def test_numbers_whose_product_is_none_are_no_score(schema: Schema, tmp_path: Path) -> None:
    """A file of finite numbers, with scales of int8 rows near the largest float32."""
    path = tmp_path / "m.safetensors"
    model, made = trained("fe", schema)
    export(model, schema, made, VOCABULARY, path, "int8")
    about, tensors = read(path)
    tensors = {name: np.full_like(t, 3e38) if name.endswith(".scale") else t for name, t in tensors.items()}
    path.write_bytes(signed(tensors, json.dumps(about)))
    reader = PackedModel(path)
    for found in (
        lambda: reader.logits(all_ids(schema).numpy()),
        lambda: reader.score([{"a": "a0", "b": "b0", "c": "c0"}]),
    ):
        with pytest.raises(PackedError, match=r"m\.safetensors: expected finite logits, found (inf|-inf|nan)$"):
            found()


def test_ten_thousand_corruptions_are_all_refused(schema: Schema, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    model, made = trained("dpq", schema, embedding_dim=8, subspaces=(2, 4), hidden=(2,))
    export(model, schema, made, VOCABULARY, path)
    whole, rng = path.read_bytes(), random.Random(0)
    for _ in range(10_000):
        raw = bytearray(whole)
        kind = rng.randrange(4)
        if kind == 0:
            del raw[rng.randrange(len(raw)) :]
        elif kind == 1:
            place = rng.randrange(len(raw))
            raw[place] ^= 1 << rng.randrange(8)
        elif kind == 2:
            place = rng.randrange(len(raw) - 8)
            raw[place : place + 8] = rng.randbytes(8)
        else:
            raw += rng.randbytes(1 + rng.randrange(9))
        if bytes(raw) == whole:
            continue
        with pytest.raises(PackedError):
            check.check(*unpack_file(bytes(raw)))


@pytest.mark.parametrize(
    "content", [b"", b"\x00" * 7, b"not a model at all", b"\xff" * 64, b"\x02" + b"\x00" * 7 + b"[]"]
)
def test_foreign_files_are_refused_in_one_sentence(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "foreign.safetensors"
    path.write_bytes(content)
    with pytest.raises(PackedError, match="expected a packed model") as caught:
        load(path)
    assert "\n" not in str(caught.value)


def test_files_that_were_written_before_the_check_stay_readable() -> None:
    """Of format 2, with its scores by the reader of then; a later format must read it too."""
    path = Path(__file__).parent / "files" / "packed-2.safetensors"
    samples = [
        {"a": "a0", "b": "b0", "c": "c0"},
        {"a": "a3", "b": "b2", "c": "c4"},
        {"a": "new", "b": "b1", "c": "c10"},
    ]
    expected = [0.5898407032383426, 0.011536230599273837, 0.5111355445092229]
    np.testing.assert_allclose(PackedModel(path).score(samples), expected, rtol=1e-12)
    ids = torch.tensor([[0, 6, 9], [3, 8, 13]])
    with torch.inference_mode():
        np.testing.assert_allclose(torch.sigmoid(load(path)(ids)).numpy(), expected[:2], rtol=1e-5)


def test_a_model_whose_training_ran_away_is_not_written(schema: Schema, tmp_path: Path) -> None:
    model, made = trained("dpq", schema)
    model.mlp[0].bias.data[0] = math.nan
    with pytest.raises(PackedError, match=r"rest\.mlp\.0\.bias: expected finite numbers, found \[nan, nan\]"):
        export(model, schema, made, VOCABULARY, tmp_path / "m.safetensors")
    assert not list(tmp_path.iterdir())


def test_codes_are_packed_part_by_part_as_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each part must begin with a byte of its own."""
    assert bits.AT_ONCE % 8 == 0
    codes = np.arange(40) % 8
    whole = pack(codes, 3)
    monkeypatch.setattr(bits, "AT_ONCE", 8)
    assert pack(codes, 3).tolist() == whole.tolist()
    assert unpack(whole, 3, np.arange(40)).tolist() == codes.tolist()


@pytest.mark.parametrize("place", range(10))
def test_a_code_of_no_centroid_is_found_wherever_it_lies(place: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "CHUNK", 4)
    codes = np.zeros(10, np.uint8)
    check._check_codes("c", {"c": pack(codes, 3)}, 6)
    codes[place] = 6
    with pytest.raises(PackedError, match="c: expected codes below 6, found 6"):
        check._check_codes("c", {"c": pack(codes, 3)}, 6)


def test_a_field_may_have_the_name_of_a_variance(tmp_path: Path, schema: Schema) -> None:
    fields = ("a", "b", "running_var")
    named = replace(schema, fields=fields)
    config = small_config(strategy="others")
    model = others_model(config, named)
    known = {field: [f"{n}" for n in range(size)] for field, size in zip(fields, named.sizes, strict=True)}
    export(model, named, record(config, None), known, tmp_path / "m.safetensors")
    assert read(tmp_path / "m.safetensors")[0]["fields"] == list(fields)


@pytest.mark.parametrize("name", ["m", "m.full", "m.safetensor"])
def test_a_file_has_an_ending_of_its_own(name: str, tmp_path: Path, schema: Schema) -> None:
    """Or two files, m.full and m.small, would have one vocabulary."""
    config = small_config(strategy="fe")
    with pytest.raises(ValueError, match=r"expected a name that ends in .safetensors, found"):
        export(full_model(config, schema), schema, record(config, None), VOCABULARY, tmp_path / name)
    assert not list(tmp_path.iterdir())
