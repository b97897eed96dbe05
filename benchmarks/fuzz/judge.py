"""Sound packed files to start from, and what each reader makes of a mutated one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from autodpq_data.schema import Schema
from autodpq_lib.config import RunConfig
from autodpq_lib.models.build import final_model
from autodpq_packed.bits import bits_for
from autodpq_packed.container import PackedError, Tensors, unpack_file
from autodpq_packed.export import Kept, export
from autodpq_packed.look_up import PackedInC
from autodpq_packed.module import Packed, load
from autodpq_packed.score import PackedModel
from autodpq_runs.record import Record

SIZES = {"a": 6, "b": 3, "c": 11}
COUNTS = torch.tensor([90, 80, 3, 2, 5, 1, 60, 70, 50, 40, 90, 45, 2, 4, 1, 1, 1, 1, 1, 50])
SCHEMA = Schema("ml-100k", tuple(SIZES), tuple(SIZES.values()), COUNTS, 40, "fuzz")
KEPT: tuple[Kept, ...] = ("float32", "float32", "float16", "int8")
#: K of 3 leaves room for a code that no centroid has.
DECISION = {"a": (3, 2), "c": (8, 4)}
#: What C says of kept rows that only the others read; it is given none such to begin with.
NOT_IN_C = "load(path, Packed) reads any"
Floats = NDArray[np.float32]
Ids = NDArray[np.int64]


class WrongError(Exception):
    """A reader took a file and gave something else than what is in it."""


def sound(folder: Path, types: Sequence[Kept] = KEPT) -> list[bytes]:
    """Files of every model and kind of embedding, with kept rows of each type; their vocabulary goes to ``folder``."""
    torch.manual_seed(0)
    made = []
    for (model, strategy), kept in product(product(("deepfm", "pnn", "dcn"), ("fe", "others", "autodpq")), types):
        keys = {"dataset": "ml-100k", "strategy": strategy, "model": model, "embedding_dim": 8, "hidden": (4, 3)}
        config = RunConfig.model_validate({**keys, "recipe": "paper" if kept == "float32" else "tuned"})
        said: dict[str, Any] = {"config": config, "identity": "fuzz"}
        network = final_model(config, SCHEMA, DECISION if strategy == "autodpq" else None)
        vocabulary = {name: [f"{name}{n}" for n in range(size)] for name, size in SIZES.items()}
        path = folder / "sound.safetensors"
        export(network, SCHEMA, Record.model_construct(None, **said), vocabulary, path, kept)
        made.append(path.read_bytes())
    return made


def judge(raw: bytes, path: Path, reader: str) -> str:
    """``refused``, in a sentence that names the file, or ``harmless``: read, and each vector is what the file says.

    Raises:
        WrongError: neither. Any other exception is wrong too.
    """
    path.write_bytes(raw)
    try:
        model, tensors = READERS[reader](path)
    except PackedError as error:
        return _one_sentence(str(error), path)
    except ValueError as error:
        if reader == "c" and NOT_IN_C in str(error):
            return "refused"
        raise
    about, stored = unpack_file(raw)
    for name, found in tensors.items():
        expected = np.concatenate([each[None] for each in naive(name, about, stored)])
        if not np.array_equal(found, expected[all_ids(about["sizes"])]):
            raise WrongError(f"{name}: other vectors than the file has")
    if model.shape != (max(about["sizes"]),):
        raise WrongError(f"expected a logit a sample, found {model.shape}")
    return "harmless"


def _one_sentence(said: str, path: Path) -> str:
    if not said.startswith(f"{path}: ") or not said.isprintable() or len(said) > 1000:
        raise WrongError(f"expected one sentence that names the file, found {said[:200]!r}")
    return "refused"


def all_ids(sizes: list[int]) -> Ids:
    """Every feature of every field at least once: ``[max N_m, M]``."""
    n, offsets = np.arange(max(sizes))[:, None], np.cumsum([0, *sizes[:-1]])
    return offsets + n % np.array(sizes)


def naive(table: str, about: Any, tensors: Tensors) -> Iterator[Floats]:
    """Vector by vector, from the description in reader.py alone: each is ``[X]``."""
    low = int.from_bytes(tensors[f"{table}.low"].tobytes(), "little")
    kept = tensors[f"{table}.kept"].astype(np.float32) * tensors.get(f"{table}.scale", np.float32(1))
    rows, feature = iter(kept), 0
    for field, size in zip(about["fields"], about["sizes"], strict=True):
        rank = 0
        for _ in range(size):
            if low >> feature & 1:
                yield _decoded(tensors[f"{table}.codes.{field}"], tensors[f"{table}.centroids.{field}"], rank)
                rank += 1
            else:
                yield next(rows)
            feature += 1


def _decoded(codes: NDArray[np.uint8], centroids: Floats, rank: int) -> Floats:
    bits, (subspaces, k, _) = int.from_bytes(codes.tobytes(), "little"), centroids.shape
    b = bits_for(k)
    return np.concatenate([part[bits >> (rank * subspaces + d) * b & (1 << b) - 1] for d, part in enumerate(centroids)])


Found = tuple[NDArray[np.floating[Any]], dict[str, Floats]]


def _by_numpy(path: Path) -> Found:
    model = PackedModel(path)
    ids = all_ids(model.model["sizes"])
    tables = {"embedding": model.embedding, "first_order": model.first_order}
    return model.logits(ids), {name: table(ids) for name, table in tables.items() if table is not None}


def _by_torch(table: type[Packed | PackedInC]) -> Callable[[Path], Found]:
    @torch.inference_mode()
    def read(path: Path) -> Found:
        model = load(path, table)
        ids = torch.from_numpy(all_ids(unpack_file(path.read_bytes())[0]["sizes"]))
        tables = {"embedding": model.embedding, "first_order": model.first_order}
        return model(ids).numpy(), {name: each(ids).numpy() for name, each in tables.items() if each is not None}

    return read


READERS: dict[str, Callable[[Path], Found]] = {
    "numpy": _by_numpy,
    "torch": _by_torch(Packed),
    "c": _by_torch(PackedInC),
}
