"""Records, packed files and samples to be scored, each with one thing wrong: one sentence that names it, or right."""

from __future__ import annotations

import hashlib
import json
import math
import pickle
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import autodpq_native as native
from autodpq_eval.checks import text_of
from autodpq_packed import module
from autodpq_packed.container import SHA256_DIGITS, PackedError
from autodpq_packed.grouped import Grouped
from autodpq_packed.module import load
from autodpq_packed.packed import Packed
from autodpq_packed.packed_in_c import PackedInC
from autodpq_packed.score import PackedModel
from autodpq_runs.explore import find_records
from autodpq_runs.record import read_record
from autodpq_system.paths import ROOT
from autodpq_system.strict_json import loads
from benchmarks.fuzz.judge import FORMATS, SIZES, WrongError, format_of, judge, sound
from benchmarks.fuzz.mutations import Parts, Tensor, mutated_file
from benchmarks.fuzz.records import edited

SEARCHED = ROOT / "results" / "ml-1m" / "tuned" / "records" / "deepfm-autodpq-seed1.json"
READERS: dict[str, Callable[[Path], object]] = {"numpy": PackedModel, "torch": lambda path: load(path, Packed)}
if native.available():
    READERS["c"] = lambda path: load(path, PackedInC)


def put(*way: Any, to: Any) -> Callable[[Any], None]:
    """Replace the value at a place."""

    def change(content: Any) -> None:
        for key in way[:-1]:
            content = content[key]
        content[way[-1]] = to

    return change


def drop(*way: Any) -> Callable[[Any], None]:
    """Take a key or an entry away."""

    def change(content: Any) -> None:
        for key in way[:-1]:
            content = content[key]
        del content[way[-1]]

    return change


def scaled_by(factor: float, *way: Any) -> Callable[[Any], None]:
    """Edit a number as somebody would who wants it to be better."""

    def change(content: Any) -> None:
        for key in way[:-1]:
            content = content[key]
        content[way[-1]] *= factor

    return change


def everywhere(pair: tuple[int, int]) -> Callable[[Any], None]:
    """Give each field this pair, wherever a decision is."""

    def change(content: Any) -> None:
        for part in (content, *content["fits"]):
            if part["decision"] is not None:
                part["decision"] = dict.fromkeys(part["decision"], pair)

    return change


RECORDS: dict[str, tuple[Callable[[Any], None], str]] = {
    "NaN": (put("test", "auc", to=math.nan), r"test\.auc: expected a finite number, found nan"),
    "infinity": (put("valid", "logloss", to=math.inf), r"valid\.logloss: expected a finite number, found inf"),
    "NaN in a curve": (put("fits", 0, "curve", "train_loss", 0, to=math.nan), r"train_loss.*expected a finite number"),
    "AUC above 1": (put("test", "auc", to=1.5), r"test\.auc: expected less than or equal to 1, found 1.5"),
    "AUC below 0": (put("test_parts", "touched", "auc", to=-0.1), r"test_parts\.touched\.auc: expected greater than"),
    "negative logloss": (put("test", "logloss", to=-0.1), r"test\.logloss: expected greater than or equal to 0"),
    "text for a number": (put("test", "auc", to="0.81"), r"test\.auc: expected a valid number, found '0.81'"),
    "truth for a number": (put("space", "paper", to=True), r"space\.paper: expected a valid integer, found True"),
    "text for a seed": (put("config", "seed", to="1"), r"config: seed: expected 1, found '1'"),
    "unknown key": (put("space", "bytes", to=1), r"space\.bytes: Extra inputs are not permitted, found 1"),
    "missing key": (drop("space", "bits"), r"space\.bits: Field required"),
    "negative Space": (put("space", "paper", to=-5), r"space\.paper: expected greater than 0, found -5"),
    "better test AUC": (scaled_by(1.01, "test", "auc"), r"test: expected that of retrain, epoch 0"),
    "better valid AUC": (scaled_by(1.01, "valid", "auc"), r"valid: expected that of retrain, epoch 0"),
    "better in a curve": (
        scaled_by(1.01, "fits", 2, "curve", "valid_auc", 0),
        r"valid: expected that of retrain, epoch 0, AUC 0",
    ),
    "empty curve": (put("fits", 0, "curve", "steps", to=[]), r"fits\.0: curve: expected columns of one length"),
    "no columns": (put("fits", 0, "curve", to={}), r"fits\.0: curve: expected columns of one length"),
    "ragged curve": (drop("fits", 1, "curve", "seconds", 0), r"fits\.1: curve: expected columns of one length"),
    "AUC of 2 in a curve": (put("fits", 0, "curve", "valid_auc", 0, to=2.0), r"curve\.valid_auc: expected .* 0 to 1"),
    "no fits": (put("fits", to=[]), r"scores: expected one for each of the curves' 0 improvements"),
    "no scores": (put("scores", to=[]), r"scores: expected one for each of the curves' \d+ improvements.*, found 0"),
    "a score too few": (drop("scores", 3), r"scores: expected one for each of the curves' \d+ improvements"),
    "other fields": (put("decision", to={"nonsense": [8, 2]}), r"decision: expected .*'movie'.*, found .*nonsense"),
    "other pair": (put("decision", "movie", to=[32, 8]), r"decision: expected .*\(8, 2\).*, that of the fit"),
    "a pair that is no candidate": (everywhere((8, 3)), r"decision: expected pairs among \[.*\], found \[\(8, 3\)\]"),
    "half a pair": (put("decision", "movie", to=[32]), r"decision\.movie\.1: Field required"),
    "a dead field": (put("codebook_use", "age", to=0.5), r"codebook_use: expected the fields .*, found .*age"),
    "codebooks used twice over": (
        put("codebook_use", "zip", to=2.0),
        r"codebook_use\.zip: expected less than or equal",
    ),
    "another part": (put("test_parts", "best", to={"auc": 1.0, "logloss": 0.0}), r"test_parts\.best"),
    "a name of two lines": (
        put("fits", 0, "name", to="a\nb"),
        r"fits\.0\.name: String should match pattern .*, found 'a",
    ),
    "a terminal's escape": (put("config", "strategy", to="\x1b[2J"), r"config: strategy: expected .*, found \[2J"),
    "no time": (put("provenance", "started", to="yesterday"), r"provenance\.started: Invalid isoformat .*'yesterday'"),
    "no thread": (put("provenance", "threads", to=0), r"provenance\.threads: expected greater than 0, found 0"),
    "unknown data set": (
        put("config", "dataset", to="no-such"),
        r"config: dataset: expected one of .*, found 'no-such'",
    ),
}
RECORD_TEXTS = {
    "twice the same key": (lambda text: text.replace("{\n", '{\n"identity": "x",\n', 1), r"'identity': expected once"),
    "half": (lambda text: text[: len(text) // 2], r"not a valid record: "),
    "empty": (lambda text: "", r"not a valid record: expected JSON in UTF-8, found: Expecting value"),
    "a list": (lambda text: "[]", r"not a valid record: expected an object"),
    "deep": (lambda text: "[" * 100_000, r"not a valid record: expected JSON of some depth"),
}


@pytest.mark.parametrize(("change", "said"), RECORDS.values(), ids=RECORDS)
def test_a_record_that_was_edited_is_refused_in_a_sentence(
    change: Callable[[Any], None], said: str, tmp_path: Path
) -> None:
    content = json.loads(SEARCHED.read_text())
    change(content)
    refuses_record(tmp_path / "r.json", json.dumps(content), said)


@pytest.mark.parametrize(("change", "said"), RECORD_TEXTS.values(), ids=RECORD_TEXTS)
def test_a_record_of_another_text_is_refused_in_a_sentence(
    change: Callable[[str], str], said: str, tmp_path: Path
) -> None:
    refuses_record(tmp_path / "r.json", change(SEARCHED.read_text()), said)


def refuses_record(path: Path, text: str, said: str) -> None:
    path.write_text(text)
    with pytest.raises(ValueError, match=said) as caught:
        read_record(path)
    assert str(caught.value).startswith(f"{path}: not a valid record: ")
    assert "\n" not in str(caught.value)


def test_a_record_in_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_bytes(SEARCHED.read_text().encode("utf-16"))
    with pytest.raises(
        ValueError, match=r"r\.json: not a valid record: expected JSON in UTF-8, found: 'utf-8' codec can't"
    ):
        read_record(tmp_path / "r.json")


def test_of_hundreds_of_edits_none_changes_a_result_or_a_decision() -> None:
    """What an edit may change unseen is what nothing else in a record bears on; Space `make verify` sees."""
    found = edited([SEARCHED], range(300))
    assert found["refused"] > 150
    free = {"test_parts", "codebook_use", "provenance", "scores", "fits", "space"}
    assert set(found) <= free | {"refused", "stale", "the same"}


COMMITTED = find_records(ROOT / "results")


def test_every_committed_record_is_valid_current_and_canonical() -> None:
    """Reading and writing gives the same bytes, but for keys that are younger than the record."""
    assert len(COMMITTED) > 300
    for path in COMMITTED:
        record = read_record(path)
        assert record.stale() is None, path
        assert not record.provenance.git_dirty, path
        assert text_of(record, path) == path.read_text(encoding="utf-8"), path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the sound files' vocabulary is."""
    return tmp_path_factory.mktemp("sound")


@pytest.fixture(scope="module")
def files(folder: Path) -> list[bytes]:
    """DeepFM, PNN and DCN by FE, Others and DPQ, with kept rows of each type."""
    return sound(folder)


#: Places in ``files``: of DeepFM by DPQ, its BatchNorm in the first, int8 in the last.
DPQ, INT8, FE = 8, 11, 0


def tensor(name: str, **changed: Any) -> Callable[[Parts], None]:
    """Give a tensor another shape, type or content."""

    def change(parts: Parts) -> None:
        (each,) = [each for each in parts.tensors if each.name == name]
        for key, value in changed.items():
            setattr(each, key, value(getattr(each, key)) if callable(value) else value)

    return change


def about(change: Callable[[Any], None]) -> Callable[[Parts], None]:
    return lambda parts: change(parts.about)


def bits(pattern: int, name: str = "embedding.low") -> Callable[[Parts], None]:
    """Which features are coded: 20 of them, six of field a first."""
    return tensor(name, content=pattern.to_bytes(3, "little"))


def without(name: str) -> Callable[[Parts], None]:
    return lambda parts: parts.tensors.remove(next(each for each in parts.tensors if each.name == name))


def with_tensor(name: str) -> Callable[[Parts], None]:
    return lambda parts: parts.tensors.append(Tensor(name, "F32", [1], bytes(4)))


def floats(*values: float) -> bytes:
    return np.array(values, "<f4").tobytes()


FILES: dict[str, tuple[int, Callable[[Parts], None], str]] = {
    "all features coded": (DPQ, bits((1 << 20) - 1), r"embedding\.centroids\.b: expected \[D, K, 8/D\] .* found \(\)"),
    "no features coded": (DPQ, bits(0), r"embedding\.kept: expected \[20, 8\], found \[9, 8\]"),
    "bits beyond the last feature": (DPQ, bits(0xFFFFFF), r"embedding\.low: expected no bit beyond the 20"),
    "one more coded": (DPQ, bits(1 << 0, "first_order.low"), r"first_order\.centroids\.a: expected \[D, K, 1/D\]"),
    "short bitmap": (DPQ, tensor("embedding.low", shape=[2], content=bytes(2)), r"embedding\.low: expected \[3\]"),
    "no codes": (DPQ, tensor("embedding.codes.a", shape=[0], content=b""), r"codes\.a: expected \[2\], found \[0\]"),
    "a byte of codes less": (
        DPQ,
        tensor("embedding.codes.c", shape=[10], content=lambda raw: raw[:-1]),
        r"embedding\.codes\.c: expected \[11\], found \[10\]",
    ),
    "a code that no centroid has": (
        DPQ,
        tensor("embedding.codes.a", content=b"\xff\xff"),
        r"embedding\.codes\.a: expected codes below 3, found 3",
    ),
    "no centroids": (DPQ, without("embedding.centroids.a"), r"embedding\.centroids\.a: expected .*, found \(\)"),
    "K of 0": (DPQ, tensor("embedding.centroids.a", shape=[2, 0, 4], content=b""), r"with K of at most 256, found"),
    "D of 3": (DPQ, tensor("embedding.centroids.a", shape=[3, 2, 4]), r"\[D, K, 8/D\] .*, found \(3, 2, 4\)"),
    "a row less": (
        FE,
        tensor("embedding.kept", shape=[19, 8], content=lambda raw: raw[:-32]),
        r"embedding\.kept: expected \[20, 8\], found \[19, 8\]",
    ),
    "other dimension": (
        FE,
        tensor("embedding.kept", shape=[40, 4]),
        r"embedding\.kept: expected \[20, 8\], found \[40",
    ),
    "rows of bytes": (
        FE,
        tensor("embedding.kept", dtype="U8", shape=[20, 32]),
        r"kept: expected float32 or float16 or int8, found 'u",
    ),
    "no scale": (INT8, without("embedding.scale"), r"embedding\.scale: expected float32, found 'nothing'"),
    "a scale too many": (FE, with_tensor("embedding.scale"), r"tensors: expected no others, found \['embedding\.scale"),
    "a tensor too many": (FE, with_tensor("rest.more"), r"tensors: expected no others, found \['rest\.more'\]"),
    "no bias": (FE, without("rest.bias"), r"rest\.bias: expected float32, found 'nothing'"),
    "NaN": (FE, tensor("rest.bias", content=floats(math.nan)), r"rest\.bias: expected finite numbers, found \[nan"),
    "infinity": (FE, tensor("rest.bias", content=floats(math.inf)), r"rest\.bias: expected finite numbers, found"),
    "negative variance": (
        FE,
        tensor("rest.mlp.1.running_var", content=floats(1, 1, -1, 1)),
        r"rest\.mlp\.1\.running_var: expected no variance below 0, found -1.0",
    ),
    "40 GB of hidden layers": (
        FE,
        about(put("config", "hidden", to=[10**5, 10**5])),
        r"rest\.mlp\.0\.weight: expected \[100000, 24\], found",
    ),
    "a hidden layer more": (FE, about(put("config", "hidden", to=[4, 3, 2])), r"mlp: expected the 10 layers of this"),
    "hidden of text": (
        FE,
        about(put("config", "hidden", to=["4"])),
        r"config\.hidden: expected whole numbers from 1 to",
    ),
    "X of 0": (
        FE,
        about(put("config", "embedding_dim", to=0)),
        r"config\.embedding_dim: expected 1 to",
    ),
    "X of 2 ** 62": (
        FE,
        about(put("config", "embedding_dim", to=2**62)),
        r"config\.embedding_dim: expected 1 to 2147483647, found 46",
    ),
    "an X of thousands of digits": (
        FE,
        about(put("config", "embedding_dim", to=int("9" * 4300))),
        r"config\.embedding_dim: expected 1 to 2147483647, found 9",
    ),
    "no configuration": (FE, about(drop("config")), r"config: expected that of a deepfm, found None"),
    "another model": (FE, about(put("model", to="pnn")), r"config: expected that of a pnn, found"),
    "no such model": (FE, about(put("model", to="xdeepfm")), r"model: expected deepfm, pnn, dcn, found 'xdeepfm'"),
    "no model at all": (FE, lambda parts: setattr(parts, "about", []), r"model: expected an object, found \[\]"),
    "no digest": (FE, about(put("vocabulary_sha256", to=1)), r"vocabulary_sha256: expected a text, found 1"),
    "a negative size": (FE, about(put("sizes", 1, to=-3)), r"sizes: expected 1 to 2147483647 in all, found"),
    "a huge size": (FE, about(put("sizes", 1, to=2**31)), r"sizes: expected 1 to 2147483647 in all, found"),
    "a size of truth": (FE, about(put("sizes", 1, to=True)), r"sizes: expected 3 whole numbers, found"),
    "a size too few": (FE, about(drop("sizes", 1)), r"sizes: expected 3 whole numbers, found \[6, 11\]"),
    "sizes that lie": (FE, about(put("sizes", to=[6, 3, 4000])), r"embedding\.low: expected \[502\], found \[3\]"),
    "a field twice": (FE, about(put("fields", 1, to="a")), r"fields: expected names, all different, found"),
    "no fields": (FE, about(put("fields", to=[])), r"fields: expected names, all different, found \[\]"),
    "an unknown layer": (FE, about(put("mlp", 2, 0, to="gelu")), r"mlp: expected the 7 layers of this model, found"),
    "a place before the first": (FE, about(put("mlp", 0, 1, to=-1)), r"mlp: expected places that rise from 0, found"),
    "layers without places": (FE, about(put("mlp", 0, to=["linear"])), r"mlp: expected pairs of kind and place, found"),
    "half a row": (
        FE,
        tensor("embedding.kept", content=lambda raw: raw[:-1]),
        r"tensor 'embedding\.kept': expected bytes",
    ),
    "a shape of truth": (
        FE,
        tensor("rest.bias", shape=[True]),
        r"tensor 'rest\.bias': expected shape and place in whole",
    ),
    "a shape below 0": (FE, tensor("rest.bias", shape=[-1]), r"tensor 'rest\.bias': expected shape and place in whole"),
    "numbers of 8 bytes": (FE, tensor("rest.bias", dtype="F64", content=bytes(8)), r"expected a packed model, found"),
}


@pytest.mark.parametrize(("place", "change", "said"), FILES.values(), ids=FILES)
def test_a_file_that_was_changed_and_signed_again_is_refused_by_every_reader(
    place: int, change: Callable[[Parts], None], said: str, files: list[bytes], tmp_path: Path
) -> None:
    parts = Parts.of(files[place])
    change(parts)
    refuses_file(tmp_path / "m.safetensors", parts.signed(), said)


def refuses_file(path: Path, raw: bytes, said: str) -> None:
    path.write_bytes(raw)
    for read in READERS.values():
        with pytest.raises(PackedError, match=said) as caught:
            read(path)
        assert str(caught.value).startswith(f"{path}: ")
        assert "\n" not in str(caught.value)


def moved(name: str, by: tuple[int, int]) -> Callable[[bytes], bytes]:
    """The header places a tensor elsewhere."""

    def change(raw: bytes) -> bytes:
        parts = Parts.of(raw)
        header = parts.entries()
        header[name]["data_offsets"] = [n + d for n, d in zip(header[name]["data_offsets"], by, strict=True)]
        return parts.signed(header)

    return change


def resigned(change: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    """Change the header's text, whatever becomes of it."""

    def change_header(raw: bytes) -> bytes:
        end = 8 + int.from_bytes(raw[:8], "little")
        header = change(raw[8:end])
        return len(header).to_bytes(8, "little") + header + raw[end:]

    return change_header


BYTES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "a header of 2 ** 63 bytes": (lambda raw: (2**63).to_bytes(8, "little") + raw[8:], "expected a packed model"),
    "a header of no bytes": (lambda raw: bytes(8) + raw[8:], "expected a packed model"),
    "a header of 2 MB": (lambda raw: (2**21).to_bytes(8, "little") + b" " * 2**21, "expected a packed model"),
    "a deep header": (resigned(lambda text: b"[" * 10**6), "expected a packed model"),
    "a header with a key twice": (resigned(lambda text: b'{"__metadata__":{},' + text[1:]), "expected a packed model"),
    "another format": (lambda raw: raw.replace(b"packed/3", b"packed/9"), "expected format .*/3, found '.*/9'"),
    "an unsigned change": (lambda raw: raw[:-1] + b"x", "expected the content that sha256 .* names, found another"),
    "bytes shared by two": (moved("rest.mlp.0.bias", (-4, -4)), "expected bytes of its own, as many as its shape has"),
    "bytes beyond the end": (moved("rest.bias", (2**40, 2**40)), "expected bytes of its own"),
    "bytes before the start": (moved("embedding.kept", (-4, -4)), "expected shape and place in whole numbers"),
    "a pickle": (lambda raw: pickle.dumps({"model": raw}), "expected a packed model"),
    "nothing": (lambda raw: b"", "expected a packed model"),
}


@pytest.mark.parametrize(("change", "said"), BYTES.values(), ids=BYTES)
def test_a_file_of_other_bytes_is_refused_by_every_reader(
    change: Callable[[bytes], bytes], said: str, files: list[bytes], tmp_path: Path
) -> None:
    refuses_file(tmp_path / "m.safetensors", change(files[FE]), said)


def test_bytes_that_nothing_names_are_refused(files: list[bytes], tmp_path: Path) -> None:
    parts = Parts.of(files[FE])
    header = parts.entries()
    del header[parts.tensors[-1].name]
    refuses_file(tmp_path / "m.safetensors", parts.signed(header), r"expected \d+ bytes of tensors, found \d+")


CONFIGURATIONS = {
    "no such recipe": (put("recipe", to="red"), r"config: recipe: expected 'paper' or 'tuned', found 'red'"),
    "no share": (put("dropout", to=1.5), r"config: dropout: expected less than 1, found 1\.5"),
    "other layers than the file": (put("batchnorm", to=False), "expected the tensors that the model of its config"),
}


@pytest.mark.parametrize(("change", "said"), CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_torch_refuses_a_configuration_that_is_none(
    change: Callable[[Any], None], said: str, files: list[bytes], tmp_path: Path
) -> None:
    parts, path = Parts.of(files[FE]), tmp_path / "m.safetensors"
    change(parts.about["config"])
    path.write_bytes(parts.signed())
    with pytest.raises(PackedError, match=said) as caught:
        load(path)
    assert "\n" not in str(caught.value)


#: What another checkout or a later one may know, and a model's shape does not depend on.
ELSEWHERE = {
    "a table of one's own": {"dataset": "no-such"},
    "a data set of another folder": {"dataset": "../config/ml-1m"},
    "a strategy that was registered": {"strategy": "modulo", "options": {"rows": 5}},
    "a switch": {"colour": "red"},
    "another rule": {"subspaces": [3, 0], "draws": 0, "reading": "aloud"},
}


@pytest.mark.parametrize("changed", ELSEWHERE.values(), ids=ELSEWHERE)
def test_torch_needs_to_know_nothing_but_the_shape(changed: dict[str, Any], files: list[bytes], tmp_path: Path) -> None:
    parts, path = Parts.of(files[FE]), tmp_path / "m.safetensors"
    parts.about["config"].update(changed)
    path.write_bytes(parts.signed())
    first = np.cumsum([0, *parts.about["sizes"][:-1]])
    ids = torch.from_numpy(np.stack([first, first]))
    assert load(path)(ids).shape == (2,)


def test_nothing_is_built_before_the_check(files: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parts, path = Parts.of(files[FE]), tmp_path / "m.safetensors"
    parts.about["config"]["hidden"] = [10**5, 10**5]
    path.write_bytes(parts.signed())
    monkeypatch.setattr(module, "assemble", lambda *_: pytest.fail("built"))
    with pytest.raises(PackedError):
        load(path)


@pytest.mark.parametrize("reader", READERS)
def test_hundreds_of_mutated_files_are_refused_or_read_rightly(reader: str, files: list[bytes], tmp_path: Path) -> None:
    """In short what ``python -m benchmarks.fuzz.run`` does with ten thousand files a reader."""
    with np.errstate(all="ignore"):
        found = [
            judge(mutated_file(Random(seed).choice(files), Random(f"{seed}")), tmp_path / "m.safetensors", reader)
            for seed in range(100_000, 100_150)
        ]
    assert set(found) == {"refused", "harmless"}


def test_sound_files_are_read_by_every_reader(files: list[bytes], tmp_path: Path) -> None:
    for reader in READERS:
        found = [judge(raw, tmp_path / "m.safetensors", reader) for raw in files]
        in_float32 = [n for n in range(36) if n % 4 < 2]  # of the rows that C reads these alone
        assert found.count("harmless") == len(files) - (36 - len(in_float32) if reader == "c" else 0)
    assert [format_of(raw) for raw in files] == 36 * [FORMATS[0]] + 18 * [FORMATS[1]]


def test_vectors_of_other_numbers_than_a_file_has_are_found(
    files: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Grouped, "vectors", lambda table, ids: np.zeros((*ids.shape, table.dim), np.float32))
    for raw in files[36:]:
        with pytest.raises(WrongError, match="embedding: other vectors than the file has"):
            judge(raw, tmp_path / "m.safetensors", "numpy")
    assert all(Parts.of(raw).signed().count(b"0" * SHA256_DIGITS) == 0 for raw in files)


@pytest.fixture
def model(files: list[bytes], folder: Path, tmp_path: Path) -> PackedModel:
    """A model with its vocabulary: a0 to a5, b0 to b2, c0 to c10."""
    (tmp_path / "sound.safetensors").write_bytes(files[FE])
    shutil.copy(folder / "sound.vocabulary.json", tmp_path)
    return PackedModel(tmp_path / "sound.safetensors")


ONE = {"a": "a0", "b": "b0", "c": "c0"}
SAMPLES: dict[str, tuple[Any, str]] = {
    "None": (None, "samples: expected a list of mappings, found NoneType"),
    "one sample": (ONE, "samples: expected a list of mappings, found dict"),
    "a number": (3, "samples: expected a list of mappings, found int"),
    "text": ("a0", "sample 0: expected a mapping of fields to values, found str"),
    "a list of None": ([None], "sample 0: expected a mapping of fields to values, found NoneType"),
    "a list of lists": ([ONE, ["a0", "b0", "c0"]], "sample 1: expected a mapping of fields to values, found list"),
    "a 2-D array": (np.array([["a0", "b0", "c0"]]), "sample 0: expected a mapping of fields to values, found ndarray"),
    "ids": (np.zeros((2, 3), np.int64), "sample 0: expected a mapping of fields to values, found ndarray"),
    "a frame": (pd.DataFrame([ONE]), "sample 0: expected a mapping of fields to values, found str"),
    "a missing field": ([ONE, {"a": "a0", "b": "b0"}], r"sample 1: expected a value for c, found \['a', 'b'\]"),
    "a misspelt field": ([{**{"A": "a0"}, "b": "b0", "c": "c0"}], r"sample 0: expected a value for a, found"),
    "no value": ([{**ONE, "a": None}], "sample 0: expected text or a whole number for a, found None"),
    "not a number": ([{**ONE, "b": math.nan}], "sample 0: expected text or a whole number for b, found nan"),
    "bytes": ([{**ONE, "b": b"b0"}], "sample 0: expected text or a whole number for b, found b'b0'"),
    "truth": ([{**ONE, "c": True}], "sample 0: expected text or a whole number for c, found True"),
    "very many digits": ([{**ONE, "a": 10**5000}], "sample 0: expected text or a whole number for a, found .*int"),
    "a list of such": ([{**ONE, "a": [10**5000]}], "sample 0: expected text or a whole number for a, found "),
    "such a name": ([{10**5000: "a0"}], "sample 0: expected a value for a, found "),
    "a list for a value": ([{**ONE, "c": ["c0"]}], r"sample 0: expected text or a whole number for c, found \['c0'\]"),
}


@pytest.mark.parametrize(("samples", "said"), SAMPLES.values(), ids=SAMPLES)
def test_what_cannot_be_scored_is_refused_in_a_sentence(samples: Any, said: str, model: PackedModel) -> None:
    with pytest.raises(PackedError, match=said) as caught:
        model.score(samples)
    assert "\n" not in str(caught.value)


SCORED: dict[str, Any] = {
    "a tuple": (ONE, ONE),
    "a generator": (each for each in (ONE, ONE)),
    "records of a frame": pd.DataFrame([ONE, ONE]).to_dict("records"),
    "more keys than fields": [{**ONE, "label": 1}, {**ONE, "x": None}],
    "values of NumPy": [{key: np.str_(value) for key, value in ONE.items()}, ONE],
}


@pytest.mark.parametrize("samples", SCORED.values(), ids=SCORED)
def test_what_can_be_scored_is(samples: Any, model: PackedModel) -> None:
    expected = 1 / (1 + np.exp(-model.logits(np.array([[0, 6, 9]]))))
    np.testing.assert_allclose(model.score(samples), np.repeat(expected, 2), rtol=1e-12)


def test_no_samples_have_no_scores_and_an_extreme_one_is_a_number(model: PackedModel) -> None:
    assert model.score([]).shape == (0,)
    for bias, expected in ((-1e4, 0.0), (1e4, 1.0)):
        model.tensors["rest.bias"] = np.array([bias], np.float32)
        with np.errstate(all="raise", under="ignore"):
            assert model.score([ONE]).tolist() == [expected]


VOCABULARIES = {
    "a list": [],
    "a field less": {"a": ["a0"]},
    "a value less": {name: [str(n) for n in range(size - 1)] for name, size in SIZES.items()},
    "a value twice": {name: ["x"] * size for name, size in SIZES.items()},
    "numbers": {name: list(range(size)) for name, size in SIZES.items()},
    "text": {name: "x" * size for name, size in SIZES.items()},
}


@pytest.mark.parametrize("known", VOCABULARIES.values(), ids=VOCABULARIES)
def test_a_vocabulary_that_was_signed_as_well_is_refused(known: Any, model: PackedModel) -> None:
    path = model.path.with_suffix(".vocabulary.json")
    path.write_text(json.dumps(known))
    model.model["vocabulary_sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(PackedError, match=r"vocabulary\.json: expected of each field a list of its values, all diff"):
        model.score([ONE])


IDS = {
    "a row": np.array([0, 6, 9]),
    "a field less": np.array([[0, 6]]),
    "numbers with a point": np.array([[0.0, 6.0, 9.0]]),
    "texts": np.array([["0", "6", "9"]]),
}


@pytest.mark.parametrize("ids", IDS.values(), ids=IDS)
def test_ids_that_are_none_are_refused(ids: Any, model: PackedModel) -> None:
    with pytest.raises(ValueError, match=r"ids: expected integers \[B, 3\], found"):
        model.logits(ids)


def test_a_key_twice_among_very_many_is_found_soon() -> None:
    text = "{" + ",".join(f'"{n}": 1' for n in range(40_000)) + ', "39999": 2}'
    start = time.perf_counter()
    with pytest.raises(ValueError, match="'39999': expected once, found 2 times"):
        loads(text)
    assert time.perf_counter() - start < 2
