"""Sound packed files to start from, and what each reader makes of a mutated one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from autodpq_budget.by_groups import ByGroups
from autodpq_data.schema import Schema
from autodpq_lib.config import RECIPES, RunConfig
from autodpq_lib.models.build import assemble, final_model
from autodpq_lib.models.ctr_model import CTRModel
from autodpq_packed.bits import bits_for
from autodpq_packed.container import PackedError, Tensors, unpack_file
from autodpq_packed.export import Kept, export
from autodpq_packed.grouped import centroids_option, code_bytes, numbers_of
from autodpq_packed.module import load
from autodpq_packed.packed import Packed
from autodpq_packed.packed_in_c import PackedInC
from autodpq_packed.score import PackedModel
from autodpq_runs.record import Record

SIZES = {"a": 6, "b": 3, "c": 11}
COUNTS = torch.tensor([90, 80, 3, 2, 5, 1, 60, 70, 50, 40, 90, 45, 2, 4, 1, 1, 1, 1, 1, 50])
SCHEMA = Schema("ml-100k", tuple(SIZES), tuple(SIZES.values()), COUNTS, 40, "fuzz")
MODELS = "deepfm", "pnn", "dcn"
KEPT: tuple[Kept, ...] = ("float32", "float32", "float16", "int8")
#: K of 3 leaves room for a code that no centroid has.
DECISION = {"a": (3, 2), "c": (8, 4)}
#: In what a file may have its tables.
FORMATS = "rows and codes", "groups"
#: How each group of the embedding is stored, and of first-order weights, of which X = 1: all that there is, odd widths
#: of codes among them.
OPTIONS = (
    ((9, centroids_option(8, 4), 3, 0, 5), (9, 3, 0, centroids_option(4, 1), 8)),
    ((0, 1, centroids_option(4, 1), 7, centroids_option(2, 8)), (2, 9, centroids_option(2, 1), 5, 1)),
    ((4, centroids_option(16, 2), 9, 8, 6), (0, 7, 4, 9, 6)),
)
#: What C says of kept rows that only the others read; it is given none such to begin with.
NOT_IN_C = "load(path, Packed) reads any"
Floats = NDArray[np.float32]
Ids = NDArray[np.int64]


class WrongError(Exception):
    """A reader took a file and gave something else than what is in it."""


def sound(folder: Path, types: Sequence[Kept] = KEPT) -> list[bytes]:
    """Files of every model and kind of embedding, with kept rows of each type; their vocabulary goes to ``folder``.

    Those of tables by groups come last.
    """
    torch.manual_seed(0)
    made = []
    for (model, strategy), kept in product(product(MODELS, ("fe", "others", "autodpq")), types):
        config = _config(model, strategy, "paper" if kept == "float32" else "tuned")
        network = final_model(config, SCHEMA, DECISION if strategy == "autodpq" else None)
        made.append(_written(config, network, folder, kept))
    for (model, options), recipe in product(product(MODELS, OPTIONS), RECIPES):
        config = _config(model, "fe", recipe)
        made.append(_written(config, by_groups(config, options), folder))
    return made


def _config(model: str, strategy: str, recipe: str) -> RunConfig:
    keys = {"dataset": "ml-100k", "strategy": strategy, "model": model, "embedding_dim": 8, "hidden": (4, 3)}
    return RunConfig.model_validate({**keys, "recipe": recipe})


def _written(config: RunConfig, network: CTRModel, folder: Path, kept: Kept = "float32") -> bytes:
    said: dict[str, Any] = {"config": config, "identity": "fuzz"}
    vocabulary = {name: [f"{name}{n}" for n in range(size)] for name, size in SIZES.items()}
    path = folder / "sound.safetensors"
    export(network, SCHEMA, Record.model_construct(None, **said), vocabulary, path, kept)
    return path.read_bytes()


def by_groups(config: RunConfig, options: Sequence[Sequence[int]]) -> CTRModel:
    """A model whose tables are stored by groups, by these options, with codes and numbers at random."""
    rng, embedding = np.random.default_rng(0), ByGroups(SCHEMA, config.embedding_dim)
    tables = [embedding, embedding.make_first_order()] if config.model == "deepfm" else [embedding]
    for table, own in zip(tables, options, strict=False):
        each = [(option, n, table.dim) for option, n in zip(own, table.groups.tolist(), strict=True)]
        codes = rng.integers(0, 256, sum(code_bytes(*one) for one in each), np.uint8)
        numbers = rng.normal(size=sum(numbers_of(*one) for one in each)).astype(np.float16) / np.float16(64)
        table.fill({"option": np.array(own, np.uint8), "codes": codes, "numbers": numbers})
    return assemble(config, len(SIZES), *tables)


def format_of(raw: bytes) -> str:
    """Which of :data:`FORMATS` a sound file has."""
    return FORMATS["groups" in unpack_file(raw)[1]]


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
    """Vector by vector, from the descriptions in reader.py and grouped.py alone: each is ``[X]``."""
    if "groups" in tensors:
        yield from naive_groups(table, about["config"]["embedding_dim"] if table == "embedding" else 1, tensors)
        return
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


def naive_groups(table: str, dim: int, tensors: Tensors) -> Iterator[Floats]:
    """Vectors of a table of groups, bit by bit: each is ``[X]``."""
    codes, numbers = tensors[f"{table}.codes"].tobytes(), tensors[f"{table}.numbers"].astype(np.float32)
    for n, option in zip(tensors["groups"].tolist(), tensors[f"{table}.option"].tolist(), strict=True):
        bits, d = (
            (option, dim) if option < 9 else (0, 1) if option == 9 else ((option - 10) % 8 + 1, 1 << (option - 10) // 8)
        )
        length = {0: dim, 9: n * dim}.get(option, 2 * dim if option < 9 else dim << bits)
        own, stream, used = numbers[:length], int.from_bytes(codes, "little"), -(-n * d * bits // 8)
        for r in range(n):
            code = np.array([stream >> (r * d + part) * bits & (1 << bits) - 1 for part in range(d)])
            if option in (0, 9):
                yield own[r * dim :][:dim] if option else own
            elif option < 9:
                yield own[:dim] + code.astype(np.float32) * own[dim:]
            else:
                yield own.reshape(d, 1 << bits, -1)[np.arange(d), code].ravel()
        codes, numbers = codes[used:], numbers[length:]


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
