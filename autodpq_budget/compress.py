"""A trained model in a file of at most so many bytes.

By default a budget here is that of the whole file on the disk, with its header and its dense weights. Wherever methods
are compared, only embedding and first-order weights count, since the rest is the same for every method.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from autodpq_budget.check_arguments import check_bytes, check_loss, check_width, expect
from autodpq_budget.fine_tune import MOVES, fine_tune_apart
from autodpq_budget.menu import Menu, bytes_of
from autodpq_budget.of_model import menu_of, on_groups
from autodpq_budget.starting_model import (
    begin,
    check_data,
    check_model,
    file_bytes_of,
    of_width,
    room_at,
    room_or_refuse,
)
from autodpq_budget.width import width_for
from autodpq_data.prepared import vocabulary
from autodpq_lib.models.ctr_model import CTRModel
from autodpq_lib.training.metrics import evaluate
from autodpq_packed.container import Tensors
from autodpq_packed.export import check_path, export
from autodpq_packed.grouped import order
from autodpq_runs.explore import LoadedRun

#: For ``loss``: bisection steps on choices without fine-tuning, then on files that are taught and fine-tuned.
HALVINGS, TRIES = 12, 4
#: The latter are sought down to 1 / DEEPEST of the first result's bytes; we never saw them save more.
DEEPEST = 4


@dataclass(frozen=True)
class CompressedModel:
    """A compressed model.

    Attributes:
        model: takes the suite's own ids. The file numbers features anew: ``load(path, schema=run.schema)`` reads it, or
            :func:`autodpq_packed.grouped.file_ids` converts the ids.
        menu: what there was to choose from.
        tensors: the chosen tables before fine-tuning; the file has those after it, ``stored()`` of the model's tables.
        table_bytes: bytes of ``tensors``, which fine-tuning does not change.
        file_bytes: bytes of the whole file.
        valid_auc: AUC of ``model`` on validation.
        width: embedding dimension X.
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
    tune: bool = True,
    move_codes: bool = True,
    width: int | None = None,
    tables: bool = False,
) -> CompressedModel:
    """Write a file of at most ``budget_bytes``, vocabulary aside.

    Args:
        run: of any strategy. A model of its kind that you trained otherwise or further takes its model's place by
            ``dataclasses.replace(run, model=model)``.
        budget_bytes: of the whole file on the disk.
        path: of the file (``.safetensors``), for the readers of :mod:`autodpq_packed`.
        tune: fine-tune, the run's own model as the teacher, with early stopping on validation: a minute on
            MovieLens-1M, and better the smaller the file.
        move_codes: fine-tuning also chooses codes anew; without, it trains only stored numbers and dense weights.
        width: X of what is compressed: the run's own, or that of a narrower FE that the run's model teaches first, in
            another minute. Without, :func:`autodpq_budget.width.width_for` chooses it; with ``tune`` off it is the
            run's own.
        tables: the budget is that of embedding and first-order weights alone, as wherever methods are compared.

    Raises:
        ValueError: an argument is not as it should be; nothing fits, and it says how much would.
    """
    _check_run(run)
    budget_bytes = check_bytes(budget_bytes)
    path, own = _path_of(path), run.record.config.embedding_dim
    if width is not None:
        check_width(width, own)
    check_data(run.schema)
    with _undisturbed(run.model):
        check_model(run)
        if width is None:
            room_for = partial(room_at, run.schema, run.record, budget_bytes, tables=tables)
            width = width_for(room_for, own) if tune else own
        room = room_or_refuse(run.schema, of_width(run.record, width), budget_bytes, tables=tables)
        start, offered = begin(run, width)
        fits = offered.stored(room) if tables else _in_file(start, offered, room, budget_bytes)
        made = _made(start, offered, fits, run.model if tune else None, MOVES if move_codes else 0)
        _write(start, made.model, path)
    return made


@contextmanager
def _undisturbed(model: CTRModel) -> Iterator[None]:
    """Restore torch's random state and the model's mode on leaving; training leaves torch on one thread.

    Inside, the model is in evaluation mode and autograd is on, even where the caller has turned it off.
    """
    training = model.training
    model.eval()
    try:
        with torch.random.fork_rng(devices=[]), torch.inference_mode(mode=False), torch.enable_grad():
            yield
    finally:
        model.train(training)


def _path_of(path: Path | str) -> Path:
    """The path, of a text too; whether a file can be there is checked before minutes of work."""
    expect(isinstance(path, Path | str), "path", "a path or a text", repr(path))
    check_path(Path(path))
    return Path(path)


def _check_run(run: object) -> None:
    expect(isinstance(run, LoadedRun), "run", "a finished run, as load_run gives it", type(run).__name__)


def smallest(run: LoadedRun, loss: float, path: Path | str) -> CompressedModel:
    """Write the smallest file found whose validation AUC is at most ``loss`` below the run's.

    First it finds the smallest choice that will do without teaching or fine-tuning. Below that size, bisection tries
    :data:`TRIES` models with both, as :func:`compress` makes them: minutes on MovieLens-1M.

    Raises:
        ValueError: the largest choice loses more, or an argument is not as it should be.
    """
    _check_run(run)
    check_loss(loss)
    path, own = _path_of(path), run.record.config.embedding_dim
    check_data(run.schema)
    with _undisturbed(run.model):
        check_model(run)
        start, best = _smallest(run, loss, own)
        _write(start, best.model, path)
    return best


def _smallest(run: LoadedRun, loss: float, own: int) -> tuple[LoadedRun, CompressedModel]:
    """What was compressed, and the smallest that keeps to the loss."""
    offered, aim = menu_of(run.model, run.schema, run.train), evaluate(run.model, run.valid).auc - loss
    start, best = run, _made(run, offered, offered.stored(_fewest(run, offered, aim, loss)))
    begun = cache(lambda width: (run, offered) if width == own else begin(run, width))
    low, high = max(offered.least, best.table_bytes // DEEPEST), best.table_bytes
    for _ in tqdm(range(TRIES), desc="smaller files", leave=False, disable=None):
        if low >= high - 1:  # nothing is left to halve
            break
        middle = round(math.sqrt(low * high))
        tried, menu = begun(width_for(partial(room_at, run.schema, run.record, middle, tables=True), own))
        if (made := _made(tried, menu, menu.stored(middle), run.model)).valid_auc >= aim:
            start, best, high = tried, made, middle
        else:
            low = middle
    return start, best


def _fewest(run: LoadedRun, offered: Menu, aim: float, loss: float) -> int:
    """Bytes of the smallest choice of the run's own width that has so much AUC as it is."""
    low, high = offered.least, offered.most
    if (lacking := aim - _auc(run, offered, high)) > 0:
        enough = math.ceil(round((loss + lacking) * 1e5, 6)) / 1e5  # rounded up, but not for a last bit
        raise ValueError(f"loss: expected at least {enough:.5f} for this model, found {loss}")
    for _ in range(HALVINGS):
        middle = round(math.sqrt(low * high))
        low, high = (low, middle) if _auc(run, offered, middle) >= aim else (middle, high)
    return high


def _auc(run: LoadedRun, offered: Menu, tables: int) -> float:
    """Validation AUC of the choice for so many bytes, as it is."""
    return evaluate(_on(run, offered.stored(tables)), run.valid).auc


def _on(run: LoadedRun, tensors: Tensors) -> CTRModel:
    """The run's model with a choice in the place of its tables."""
    return on_groups(run.record.config, run.schema, run.model, tensors)


def _in_file(run: LoadedRun, offered: Menu, tables: int, most: int) -> Tensors:
    """The choice for so many bytes of tables, or fewer where the whole file would have more than ``most``."""

    def size(tensors: Tensors) -> int:
        return file_bytes_of(_on(run, tensors), run.schema, run.record)

    return offered.within(tables, most, size)


def _made(
    run: LoadedRun, offered: Menu, tensors: Tensors, teacher: CTRModel | None = None, moves: int = MOVES
) -> CompressedModel:
    """A model with a choice, fine-tuned where there is a teacher."""
    model = _on(run, tensors)
    if teacher is not None:
        fine_tune_apart(run.record.config, model, teacher, moves)
    size, auc = file_bytes_of(model, run.schema, run.record), evaluate(model, run.valid).auc
    return CompressedModel(model, offered, tensors, bytes_of(tensors), size, auc, run.record.config.embedding_dim)


def _write(run: LoadedRun, model: CTRModel, path: Path) -> None:
    """Write the file and its vocabulary, in the file's order."""
    known, ordered = vocabulary(run.schema.dataset), order(run.schema.sizes, run.schema.counts.numpy())
    check_data(run.schema)  # again, for the work takes minutes
    values = np.array([value for field in run.schema.fields for value in known[field]], object)[ordered]
    parts = np.split(values, np.cumsum(run.schema.sizes)[:-1])
    texts = {field: part.tolist() for field, part in zip(run.schema.fields, parts, strict=True)}
    export(model, run.schema, run.record, texts, path)
