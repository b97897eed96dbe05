"""A trained model in a file of at most so many bytes.

What counts is said where it is counted: here the whole file on the disk, with its header and its dense weights.
Wherever methods are compared it is what stands for embedding and first-order weights: the rest is alike for all.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from autodpq_budget.by_groups import ByGroups
from autodpq_budget.menu import Menu, bytes_of, menu
from autodpq_budget.sensitivity import sensitivities
from autodpq_budget.tables import Table, order
from autodpq_budget.teach import Taught, like
from autodpq_budget.train_on import train_on
from autodpq_data.prepared import vocabulary
from autodpq_data.samples import Samples
from autodpq_data.schema import Schema
from autodpq_lib.config import RunConfig
from autodpq_lib.models.build import assemble, full_model
from autodpq_lib.models.ctr_model import CTRModel
from autodpq_lib.training.metrics import evaluate
from autodpq_packed.container import Tensors
from autodpq_packed.export import check_name, export, vectors
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
        model: of the suite's own ids; the file numbers features anew, see :func:`autodpq_budget.tables.order`.
        menu: what there was to choose from.
        tensors: the two tables as the file has them, before any training on.
        table_bytes: theirs.
        file_bytes: of the whole file.
        valid_auc: on validation.
    """

    model: CTRModel
    menu: Menu
    tensors: Tensors
    table_bytes: int
    file_bytes: int
    valid_auc: float


def compress(
    run: LoadedRun, budget_bytes: int, path: Path, *, onward: bool = True, width: int | None = None
) -> Compressed:
    """Write a file of at most ``budget_bytes``, vocabulary aside.

    Args:
        run: of any strategy.
        budget_bytes: of the whole file on the disk.
        path: of the file (``.safetensors``), for the readers of :mod:`autodpq_packed`.
        onward: train on, the run's own model as the teacher, with early stopping on validation: a minute on
            MovieLens-1M, and better the smaller the file.
        width: X of an FE that is taught by the run's model first, and compressed in its place: another minute, and
            better where the run's own is larger.

    Raises:
        ValueError: nothing fits, and it says how much would; or the path has another ending.
    """
    check_name(path)
    start = run if width is None else _narrower(run, width)
    made = _within(start, menu_of(start.model, run.schema, run.train), budget_bytes, run.model, onward=onward)
    _write(start, made.model, path)
    return made


def _narrower(run: LoadedRun, width: int) -> LoadedRun:
    """FE of a width, taught by the run's model."""
    config = _here(like(run.record.config, "fe", width))
    scratch, model = scratch_run(config), full_model(config, run.schema)
    scratch.fit("fit", model, trainer=Taught(model, scratch, run.model))
    scratch.checkpoints.clear()
    identity = hashlib.sha256(f"{run.record.identity} taught FE of X = {width}".encode()).hexdigest()
    return replace(run, model=model, record=run.record.model_copy(update={"config": config, "identity": identity}))


def _here(config: RunConfig) -> RunConfig:
    """The same where a model that was loaded is: on the CPU."""
    return config.model_copy(update={"device": "cpu"})


def smallest(run: LoadedRun, loss: float, path: Path) -> Compressed:
    """Write the smallest file whose validation AUC is at most ``loss`` below the run's; no training on.

    Raises:
        ValueError: the largest choice loses more, or the path has another ending.
    """
    check_name(path)
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


def _within(run: LoadedRun, offered: Menu, budget: int, teacher: CTRModel, *, onward: bool) -> Compressed:
    """The tables that leave room for all else in the file, whose header grows a little with them."""
    least = _made(run, offered, offered.least)
    if least.file_bytes > budget:
        raise ValueError(f"budget_bytes: expected at least {least.file_bytes} for this model, found {budget}")
    tables = budget - (least.file_bytes - least.table_bytes)
    while (made := _made(run, offered, tables)).file_bytes > budget:
        tables = max(offered.least, tables - (made.file_bytes - budget))
    return _made(run, offered, tables, teacher) if onward else made


def _made(run: LoadedRun, offered: Menu, tables: int, teacher: CTRModel | None = None) -> Compressed:
    """The choice for so many bytes, trained on where there is a teacher."""
    tensors = offered.tensors(offered.choose(tables))
    model = on_groups(run.record.config, run.schema, run.model, tensors)
    if teacher is not None:
        scratch = scratch_run(_here(run.record.config))
        train_on(scratch, model, teacher)
        scratch.checkpoints.clear()
    with TemporaryDirectory() as folder:
        size = _write(run, model, Path(folder) / "m.safetensors")
    return Compressed(model, offered, tensors, bytes_of(tensors), size, evaluate(model, run.valid).auc)


def _write(run: LoadedRun, model: CTRModel, path: Path) -> int:
    """Write the file and its vocabulary, in the file's order; the bytes of the former."""
    known, ordered = vocabulary(run.schema.dataset), order(run.schema.sizes, run.schema.counts.numpy())
    values = np.array([value for field in run.schema.fields for value in known[field]], object)[ordered]
    parts = np.split(values, np.cumsum(run.schema.sizes)[:-1])
    texts = {field: part.tolist() for field, part in zip(run.schema.fields, parts, strict=True)}
    export(model, run.schema, run.record, texts, path)
    return path.stat().st_size
