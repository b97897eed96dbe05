"""A trained model in a file of at most so many bytes.

What counts is said where it is counted: here the whole file on the disk, with its header and its dense weights.
Wherever methods are compared it is what stands for embedding and first-order weights: the rest is alike for all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from autodpq_budget.by_groups import ByGroups
from autodpq_budget.menu import Menu, bytes_of, menu
from autodpq_budget.sensitivity import sensitivities
from autodpq_budget.tables import Table, order
from autodpq_budget.train_on import train_on
from autodpq_data.prepared import vocabulary
from autodpq_data.samples import Samples
from autodpq_data.schema import Schema
from autodpq_lib.config import RunConfig
from autodpq_lib.models.build import assemble
from autodpq_lib.models.ctr_model import CTRModel
from autodpq_lib.training.metrics import evaluate
from autodpq_packed.container import Tensors
from autodpq_packed.export import export, vectors
from autodpq_runs.explore import LoadedRun
from autodpq_runs.open import scratch_run

#: What the distortion of first-order weights is multiplied by, each tried on validation: its price is underestimated
#: where weights are few and coarse, the more so when the model is trained on.
FACTORS = (1.0, 4.0, 16.0)
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
    fields = range(len(schema.fields))
    rows = {n: torch.cat([vectors(getattr(model, n), schema, m) for m in fields]).numpy() for n in found}
    tables = {name: Table(rows[name], found[name]) for name in found}
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
    run: LoadedRun, budget_bytes: int, path: Path, *, factors: Sequence[float] = FACTORS, onward: bool = False
) -> Compressed:
    """Write the best model on validation whose file has at most ``budget_bytes``, vocabulary aside.

    Args:
        run: of any strategy.
        budget_bytes: of the whole file on the disk.
        path: of the file (``.safetensors``), for the readers of :mod:`autodpq_packed`.
        factors: of first-order weights, each of which is tried.
        onward: train on with the codes fixed, with early stopping on validation: minutes, and better below 5 % of FE.

    Raises:
        ValueError: nothing fits; it says how much would.
    """
    offered = menu_of(run.model, run.schema, run.train)
    made = [_within(run, offered, budget_bytes, factor, onward=onward) for factor in factors]
    best = max(made, key=lambda each: each.valid_auc)
    _write(run, best.model, path)
    return best


def smallest(run: LoadedRun, loss: float, path: Path) -> Compressed:
    """Write the smallest file whose validation AUC is at most ``loss`` below the run's; no training on."""
    offered, aim = menu_of(run.model, run.schema, run.train), evaluate(run.model, run.valid).auc - loss
    low, high = offered.least, offered.most
    for _ in range(HALVINGS):
        middle = round((low * high) ** 0.5)
        model = on_groups(run.record.config, run.schema, run.model, offered.tensors(offered.choose(middle)))
        low, high = (low, middle) if evaluate(model, run.valid).auc >= aim else (middle, high)
    best = _made(run, offered, high, 1.0, onward=False)
    _write(run, best.model, path)
    return best


def _within(run: LoadedRun, offered: Menu, budget: int, factor: float, *, onward: bool) -> Compressed:
    """The tables that leave room for all else in the file, whose header grows a little with them."""
    least = _made(run, offered, offered.least, factor, onward=False)
    if least.file_bytes > budget:
        raise ValueError(f"budget_bytes: expected at least {least.file_bytes} for this model, found {budget}")
    tables = budget - (least.file_bytes - least.table_bytes)
    while (made := _made(run, offered, tables, factor, onward=False)).file_bytes > budget:
        tables -= made.file_bytes - budget
    return _made(run, offered, tables, factor, onward=onward) if onward else made


def _made(run: LoadedRun, offered: Menu, tables: int, factor: float, *, onward: bool) -> Compressed:
    tensors = offered.tensors(offered.choose(tables, {"first_order": factor}))
    model = on_groups(run.record.config, run.schema, run.model, tensors)
    if onward:
        scratch = scratch_run(run.record.config)
        train_on(scratch, model)
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
