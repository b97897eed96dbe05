"""What is compressed of a run: its own model, or a narrower FE that this teaches first."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from autodpq_budget.by_groups import means
from autodpq_budget.distil import Distilling, like
from autodpq_budget.menu import Menu
from autodpq_budget.of_model import menu_of
from autodpq_lib.config import RunConfig
from autodpq_lib.models.build import assemble, full_model
from autodpq_lib.models.ctr_model import CTRModel
from autodpq_packed.export import export
from autodpq_runs.explore import LoadedRun
from autodpq_runs.open import scratch_run


def least(run: LoadedRun, *, tables: bool) -> tuple[int, int]:
    """Of the smallest file of a run's width, in which every group has its mean: bytes of its tables, and of the rest.

    It is told by the shape of the model alone; where a budget counts ``tables`` alone, the rest is 0.
    """
    config, schema = run.record.config, run.schema
    made = means(schema, config.embedding_dim, config.model)
    small = sum(table.served_bytes() for table in made)
    if tables:
        return small, 0
    return small, file_bytes_of(run, assemble(config, len(schema.fields), *made).eval()) - small


def room_or_refuse(run: LoadedRun, budget: int, *, tables: bool) -> int:
    """Bytes that a budget leaves for the tables, where the smallest choice fits.

    Raises:
        ValueError: it does not; it says how many bytes would do, here and at a narrower width.
    """
    (small, rest), dim = least(run, tables=tables), run.record.config.embedding_dim
    if budget < (enough := small + rest):
        narrower = ((x, sum(least(of_width(run, x), tables=tables))) for x in range(dim - 1, 0, -1))
        fits = next((f"; {some} do at width {x}" for x, some in narrower if some <= budget or x == 1), "")
        raise ValueError(f"budget_bytes: expected at least {enough} for this model at X = {dim}, found {budget}{fits}")
    return budget - rest


def share_of(run: LoadedRun, budget: int, width: int, *, tables: bool) -> float:
    """What a budget leaves for tables of some X: a share of the run's own in float32, ``4 N (X + 1)``, 1 for DeepFM."""
    config = run.record.config
    full = 4 * run.schema.num_features * (config.embedding_dim + (config.model == "deepfm"))
    _, rest = least(of_width(run, width), tables=tables)
    return (budget - rest) / full


def begin(run: LoadedRun, width: int) -> tuple[LoadedRun, Menu]:
    """What is compressed at some X, and all that can be chosen of it: a minute or two on MovieLens-1M."""
    start = of_width(run, width)
    start = start if start is run else _taught(start, run.model)
    return start, menu_of(start.model, run.schema, run.train)


def of_width(run: LoadedRun, width: int) -> LoadedRun:
    """The run itself, or what FE of another width, taught by it, has for a record; its model is yet to be made."""
    if width == run.record.config.embedding_dim:
        return run
    config = here(like(run.record.config, "fe", width))
    identity = hashlib.sha256(f"{run.record.identity} taught FE of X = {width}".encode()).hexdigest()
    return replace(run, record=run.record.model_copy(update={"config": config, "identity": identity}))


def _taught(run: LoadedRun, teacher: CTRModel) -> LoadedRun:
    """FE of the record's width, taught."""
    config = run.record.config
    scratch, model = scratch_run(config), full_model(config, run.schema)
    scratch.fit("fit", model, trainer=Distilling(model, scratch, teacher))
    scratch.checkpoints.clear()
    return replace(run, model=model)


def here(config: RunConfig) -> RunConfig:
    """The configuration for training beside a loaded model: on the CPU, keeping the best round."""
    return config.model_copy(update={"device": "cpu", "scored": "best"})


def file_bytes_of(run: LoadedRun, model: CTRModel) -> int:
    """Bytes of the file, which has of the vocabulary the digest alone."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "m.safetensors"
        export(model, run.schema, run.record, {}, path)
        return path.stat().st_size
