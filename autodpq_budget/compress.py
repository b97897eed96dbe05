"""A trained model in a file of at most so many bytes.

What counts is said where it is counted: here the whole file on the disk, with its header and its dense weights.
Wherever methods are compared it is what stands for embedding and first-order weights: the rest is alike for all.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from autodpq_budget.asked import check_bytes, check_loss, check_width, expect
from autodpq_budget.by_groups import ByGroups
from autodpq_budget.menu import Menu, bytes_of, menu
from autodpq_budget.sensitivity import sensitivities
from autodpq_budget.tables import Table
from autodpq_budget.teach import Taught, like
from autodpq_budget.train_on import train_on
from autodpq_budget.width import width_for
from autodpq_data.prepared import vocabulary
from autodpq_data.samples import Samples
from autodpq_data.schema import Schema
from autodpq_lib.config import RunConfig
from autodpq_lib.models.build import assemble, full_model
from autodpq_lib.models.ctr_model import CTRModel
from autodpq_lib.training.metrics import evaluate
from autodpq_packed.container import Tensors
from autodpq_packed.export import check_name, export, vectors
from autodpq_packed.grouped import order
from autodpq_runs.explore import LoadedRun
from autodpq_runs.open import scratch_run

#: Halvings of the range of bytes, where a loss is given.
HALVINGS = 12


def menu_of(model: CTRModel, schema: Schema, train: Samples) -> Menu:
    """All that can be chosen of a trained model: any that this suite has. Half a minute on MovieLens-1M.

    Args:
        model: put into evaluation mode.
        schema: of the data that it was trained on.
        train: its training part, from which it is estimated how much an error matters.
    """
    found = sensitivities(model, train)
    tables = {name: Table(vectors(getattr(model, name), schema).numpy(), found[name]) for name in found}
    return menu(tables, schema.sizes, schema.counts.numpy())


def on_groups(config: RunConfig, schema: Schema, model: CTRModel, tensors: Tensors) -> CTRModel:
    """The model with its tables in the place of its own: those of :meth:`Menu.tensors`."""
    embedding = ByGroups(schema, config.embedding_dim)
    tables = {"embedding": embedding, **({} if model.first_order is None else {"first_order": embedding.first_order()})}
    for name, table in tables.items():
        table.fill({key.removeprefix(f"{name}."): array for key, array in tensors.items() if key.startswith(name)})
    made = assemble(config, len(schema.fields), *tables.values())
    rest = {key: tensor for key, tensor in model.state_dict().items() if not key.startswith(tuple(tables))}
    made.load_state_dict(rest | {key: t for key, t in made.state_dict().items() if key.startswith(tuple(tables))})
    return made.eval()


@dataclass(frozen=True)
class Compressed:
    """A compressed model.

    Attributes:
        model: of the suite's own ids; the file numbers features anew, so ``load(path, schema=run.schema)`` reads it, or
            :func:`autodpq_packed.grouped.file_ids` says how.
        menu: what there was to choose from.
        tensors: the two tables as the file has them, before any training on.
        table_bytes: theirs.
        file_bytes: of the whole file.
        valid_auc: on validation.
        width: X.
    """

    model: CTRModel
    menu: Menu
    tensors: Tensors
    table_bytes: int
    file_bytes: int
    valid_auc: float
    width: int


def compress(
    run: LoadedRun,
    budget_bytes: int,
    path: Path | str,
    *,
    onward: bool = True,
    width: int | None = None,
    tables: bool = False,
) -> Compressed:
    """Write a file of at most ``budget_bytes``, vocabulary aside.

    Args:
        run: of any strategy.
        budget_bytes: of the whole file on the disk.
        path: of the file (``.safetensors``), for the readers of :mod:`autodpq_packed`.
        onward: train on, the run's own model as the teacher, with early stopping on validation: a minute on
            MovieLens-1M, and better the smaller the file.
        width: X of what is compressed: the run's own, or that of a narrower FE that the run's model teaches first, in
            another minute. Without, :func:`autodpq_budget.width.width_for` chooses it; with ``onward`` off it is the
            run's own.
        tables: the budget is that of embedding and first-order weights alone, as wherever methods are compared.

    Raises:
        ValueError: an argument is not as it should be; nothing fits, and it says how much would.
    """
    _check_run(run)
    check_bytes(budget_bytes)
    path, own = _path_of(path), run.record.config.embedding_dim
    if width is not None:
        check_width(width, own)
    elif onward:
        width = width_for(partial(_share, run, budget_bytes, tables=tables), own)
    shape = _of_width(run, width or own)
    room = _room_or_refuse(shape, budget_bytes, tables=tables)
    start = shape if shape is run else _taught(shape, run.model)
    most = math.inf if tables else budget_bytes
    made = _within(start, menu_of(start.model, run.schema, run.train), room, most, run.model, onward=onward)
    _write(start, made.model, path)
    return made


def _path_of(path: Path | str) -> Path:
    """The path, of a text too; its ending is checked."""
    expect(isinstance(path, Path | str), "path", "a path or a text", repr(path))
    check_name(Path(path))
    return Path(path)


def _check_run(run: object) -> None:
    expect(isinstance(run, LoadedRun), "run", "a finished run, as load_run gives it", type(run).__name__)


@dataclass(frozen=True)
class Least:
    """The smallest file of a shape: every group has its mean. The bytes of its tables, and of all of it."""

    table_bytes: int
    file_bytes: int


def least(run: LoadedRun) -> Least:
    """The smallest file of a run's width, from the shape of its model alone."""
    config, schema = run.record.config, run.schema
    embedding = ByGroups(schema, config.embedding_dim)
    tables = [embedding, *([embedding.first_order()] if config.model == "deepfm" else [])]
    model = assemble(config, len(schema.fields), *tables).eval()
    return Least(sum(table.served_bytes() for table in tables), _file_bytes(run, model))


def _room(smallest: Least, budget: int, *, tables: bool) -> int:
    """Bytes that a budget leaves for the tables."""
    return budget if tables else budget - (smallest.file_bytes - smallest.table_bytes)


def _room_or_refuse(run: LoadedRun, budget: int, *, tables: bool) -> int:
    """The same, where the smallest choice fits."""
    smallest, dim = least(run), run.record.config.embedding_dim
    enough = smallest.table_bytes if tables else smallest.file_bytes
    expect(budget >= enough, "budget_bytes", f"at least {enough} for this model at X = {dim}", budget)
    return _room(smallest, budget, tables=tables)


def _share(run: LoadedRun, budget: int, width: int, *, tables: bool) -> float:
    """What a budget leaves for tables of some X: a share of the run's own in float32, ``4 N (X + 1)``, 1 for DeepFM."""
    config = run.record.config
    full = 4 * run.schema.num_features * (config.embedding_dim + (config.model == "deepfm"))
    return _room(least(_of_width(run, width)), budget, tables=tables) / full


def _of_width(run: LoadedRun, width: int) -> LoadedRun:
    """The run itself, or what FE of another width, taught by it, has for a record; its model is yet to be made."""
    if width == run.record.config.embedding_dim:
        return run
    config = _here(like(run.record.config, "fe", width))
    identity = hashlib.sha256(f"{run.record.identity} taught FE of X = {width}".encode()).hexdigest()
    return replace(run, record=run.record.model_copy(update={"config": config, "identity": identity}))


def _taught(run: LoadedRun, teacher: CTRModel) -> LoadedRun:
    """FE of the record's width, taught."""
    config = run.record.config
    scratch, model = scratch_run(config), full_model(config, run.schema)
    scratch.fit("fit", model, trainer=Taught(model, scratch, teacher))
    scratch.checkpoints.clear()
    return replace(run, model=model)


def _here(config: RunConfig) -> RunConfig:
    """The same where a model that was loaded is: on the CPU."""
    return config.model_copy(update={"device": "cpu"})


def smallest(run: LoadedRun, loss: float, path: Path | str) -> Compressed:
    """Write the smallest file whose validation AUC is at most ``loss`` below the run's; no teaching, no training on.

    So a file of :func:`compress`, which does both, may be smaller and lose no more.

    Raises:
        ValueError: the largest choice loses more, or an argument is not as it should be.
    """
    _check_run(run)
    check_loss(loss)
    path = _path_of(path)
    offered, full = menu_of(run.model, run.schema, run.train), evaluate(run.model, run.valid).auc
    low, high = offered.least, offered.most
    if (least := full - _auc(run, offered, high)) > loss:
        enough = math.ceil(round(least * 1e5, 6)) / 1e5  # rounded up, but not for a last bit
        raise ValueError(f"loss: expected at least {enough:.5f} for this model, found {loss}")
    for _ in range(HALVINGS):
        middle = round((low * high) ** 0.5)
        low, high = (low, middle) if full - _auc(run, offered, middle) <= loss else (middle, high)
    best = _made(run, offered, high)
    _write(run, best.model, path)
    return best


def _auc(run: LoadedRun, offered: Menu, tables: int) -> float:
    """Validation AUC of the choice for so many bytes, as it is."""
    model = on_groups(run.record.config, run.schema, run.model, offered.tensors(offered.choose(tables)))
    return evaluate(model, run.valid).auc


def _within(run: LoadedRun, offered: Menu, tables: int, most: float, teacher: CTRModel, *, onward: bool) -> Compressed:
    """The choice for so many bytes of tables, or fewer, for the header of a file, of ``most``, grows with them."""
    while (made := _made(run, offered, tables)).file_bytes > most:
        tables = max(offered.least, tables - int(made.file_bytes - most))
    return _made(run, offered, tables, teacher) if onward else made


def _made(run: LoadedRun, offered: Menu, tables: int, teacher: CTRModel | None = None) -> Compressed:
    """The choice for so many bytes, trained on where there is a teacher."""
    tensors = offered.tensors(offered.choose(tables))
    model = on_groups(run.record.config, run.schema, run.model, tensors)
    if teacher is not None:
        scratch = scratch_run(_here(run.record.config))
        train_on(scratch, model, teacher)
        scratch.checkpoints.clear()
    size, auc = _file_bytes(run, model), evaluate(model, run.valid).auc
    return Compressed(model, offered, tensors, bytes_of(tensors), size, auc, run.record.config.embedding_dim)


def _file_bytes(run: LoadedRun, model: CTRModel) -> int:
    """Bytes of the file, which has of the vocabulary the digest alone."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "m.safetensors"
        export(model, run.schema, run.record, {}, path)
        return path.stat().st_size


def _write(run: LoadedRun, model: CTRModel, path: Path) -> None:
    """Write the file and its vocabulary, in the file's order."""
    known, ordered = vocabulary(run.schema.dataset), order(run.schema.sizes, run.schema.counts.numpy())
    values = np.array([value for field in run.schema.fields for value in known[field]], object)[ordered]
    parts = np.split(values, np.cumsum(run.schema.sizes)[:-1])
    texts = {field: part.tolist() for field, part in zip(run.schema.fields, parts, strict=True)}
    export(model, run.schema, run.record, texts, path)
