"""What is compressed of a run: its own model, or a narrower FE that this teaches first."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from autodpq_budget.by_groups import float_bytes, least_bytes, means
from autodpq_budget.check_arguments import expect
from autodpq_budget.distil import Distilling
from autodpq_budget.menu import Menu
from autodpq_budget.of_model import menu_of
from autodpq_budget.other_width import like
from autodpq_budget.width import Room
from autodpq_data.prepared import known_fingerprint
from autodpq_data.schema import Schema
from autodpq_lib.config import RunConfig
from autodpq_lib.models.build import assemble, final_model, full_model
from autodpq_lib.models.ctr_model import CTRModel
from autodpq_packed.export import export
from autodpq_packed.rest import rest
from autodpq_runs.explore import LoadedRun
from autodpq_runs.open import scratch_run
from autodpq_runs.record import Record


def check_model(run: LoadedRun) -> None:
    """Refuse a model that is not of the kind that the run's record says, or whose weights are not all finite.

    Raises:
        ValueError: one sentence that names the part.
    """
    config, model = run.record.config, run.model
    made = final_model(for_scratch(config), run.schema, run.record.decision)
    shapes, found = ({name: list(part.shape) for name, part in rest(each).items()} for each in (made, model))
    for name in sorted({*shapes, *found}):
        expect(shapes.get(name) == found.get(name), f"run.model: {name}", str(shapes.get(name)), found.get(name))
    rows, given = (len(getattr(each.embedding, "table", ())) for each in (made, model))
    expect(given == rows, "run.model: embedding", f"{rows} rows", given)
    with torch.no_grad():
        dim = model.embedding(run.valid.take(torch.zeros(1, dtype=torch.int32))[0]).shape[-1]
    expect(dim == config.embedding_dim, "run.model: embedding", f"X = {config.embedding_dim}", f"X = {dim}")
    for name, part in model.state_dict().items():
        expect(
            not part.is_floating_point() or bool(part.isfinite().all()),
            f"run.model: {name}",
            "finite numbers",
            "others",
        )


def check_data(schema: Schema) -> None:
    """Refuse prepared data that have changed since a run was made: its ids would now stand for other features.

    Raises:
        ValueError: they have changed since.
    """
    now, then = known_fingerprint(schema.dataset), schema.fingerprint
    expect(now == then, f"data of {schema.dataset}", f"those of the run, {then[:12]}", f"others, {str(now)[:12]}")


def least_and_rest(schema: Schema, record: Record, *, tables: bool) -> tuple[int, int]:
    """Of the smallest file of a record's width, in which every group has its mean: bytes of its tables, of the rest.

    Where a budget counts ``tables`` alone, the rest is 0.
    """
    config = record.config
    small = least_bytes(schema, config.embedding_dim, config.model)
    if tables:
        return small, 0
    model = assemble(config, len(schema.fields), *means(schema, config.embedding_dim, config.model))
    return small, file_bytes_of(model.eval(), schema, record) - small


def room_or_refuse(schema: Schema, record: Record, budget: int, *, tables: bool) -> int:
    """Bytes that a budget leaves for the tables, where the smallest choice fits.

    Raises:
        ValueError: it does not; it says how many bytes would do, here and at a narrower width.
    """
    (small, rest), dim = least_and_rest(schema, record, tables=tables), record.config.embedding_dim
    if budget < (enough := small + rest):
        narrower = ((x, sum(least_and_rest(schema, of_width(record, x), tables=tables))) for x in range(dim - 1, 0, -1))
        fits = next((f"; {some} do at width {x}" for x, some in narrower if some <= budget or x == 1), "")
        raise ValueError(f"budget_bytes: expected at least {enough} for this model at X = {dim}, found {budget}{fits}")
    return budget - rest


def room_at(schema: Schema, record: Record, budget: int, width: int, *, tables: bool) -> Room:
    """What a budget leaves for tables of some X."""
    small, rest = least_and_rest(schema, of_width(record, width), tables=tables)
    own = float_bytes(schema, record.config.embedding_dim, record.config.model)
    return Room((budget - rest) / own, (budget - rest) / small)


def begin(run: LoadedRun, width: int) -> tuple[LoadedRun, Menu]:
    """What is compressed at some X, and all that can be chosen of it: a minute or two on MovieLens-1M."""
    start = run if width == run.record.config.embedding_dim else _taught(run, width)
    return start, menu_of(start.model, run.schema, run.train)


def of_width(record: Record, width: int) -> Record:
    """The record itself or, as far as a file tells of it, that of FE of another width, taught by its model."""
    if width == record.config.embedding_dim:
        return record
    identity = hashlib.sha256(f"{record.identity} taught FE of X = {width}".encode()).hexdigest()
    return record.model_copy(update={"config": for_scratch(like(record.config, "fe", width)), "identity": identity})


def _taught(run: LoadedRun, width: int) -> LoadedRun:
    """FE of another width, taught by the run's model."""
    record = of_width(run.record, width)
    scratch, model = scratch_run(record.config), full_model(record.config, run.schema)
    scratch.fit("fit", model, trainer=Distilling(model, scratch, run.model))
    scratch.checkpoints.clear()
    return replace(run, record=record, model=model)


def for_scratch(config: RunConfig) -> RunConfig:
    """The configuration for training beside a loaded model: on the CPU, keeping the best round."""
    return config.model_copy(update={"device": "cpu", "scored": "best"})


def file_bytes_of(model: CTRModel, schema: Schema, record: Record) -> int:
    """Bytes of the file, which has of the vocabulary the digest alone."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "m.safetensors"
        export(model, schema, record, {}, path)
        return path.stat().st_size
