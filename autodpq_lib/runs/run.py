"""One run: open it, hand it to a strategy, which sees no test data, and record what comes back."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from autodpq_system.atomic import atomic_path
from autodpq_lib.config import METHOD_VERSION, Decision, RunConfig
from autodpq_data.prepared import load_samples, load_schema
from autodpq_data.samples import Samples
from autodpq_data.schema import Schema
from autodpq_lib.embedding.dpq import DPQ
from autodpq_lib.training.fit import Fit, Row
from autodpq_lib.training.metrics import SCORING_BATCH, Metrics, predict, score
from autodpq_lib.models.ctr_model import CTRModel
from autodpq_system.paths import ROOT, runs_root
from autodpq_system.process import settle
from autodpq_lib.runs.provenance import Origin, origin, provenance
from autodpq_lib.runs.record import FitLog, Point, Record, record_path, write_record
from autodpq_lib.runs.space import space
from autodpq_lib.runs.checkpoints import Workspace


@dataclass(frozen=True)
class Run:
    """All that a strategy may use: configuration, training and validation data, a place for checkpoints."""

    config: RunConfig
    schema: Schema
    train: Samples
    valid: Samples
    workspace: Workspace
    origin: Origin = field(default_factory=origin)

    @property
    def identity(self) -> str:
        """sha256 over configuration, data and method."""
        return self.config.identity(self.schema.fingerprint)


@dataclass(frozen=True)
class Stage:
    """Fits of one kind, in order, each with its decision; ``build`` makes the model for a decision.

    Attributes:
        build: None for the search, whose mixture is no model to be scored.
    """

    name: str
    fits: list[tuple[Fit, Decision | None]]
    build: Callable[[Decision | None], CTRModel] | None = None


def open_run(config: RunConfig) -> Run:
    """Load training and validation data, and the run's checkpoints if it was interrupted.

    Raises:
        RuntimeError: another process is at the same run.
        ValueError: a GPU is asked for and there is none.
    """
    _refuse_a_missing_gpu(config)
    schema = load_schema(config.dataset, config.threshold)
    workspace = Workspace(runs_root() / "work" / config.identity(schema.fingerprint))
    workspace.claim()
    return _open(config, schema, workspace)


def scratch_run(config: RunConfig) -> Run:
    """A run to play with: its checkpoints go to a temporary folder, apart from those of a run to be recorded."""
    _refuse_a_missing_gpu(config)
    schema = load_schema(config.dataset, config.threshold)
    return _open(config, schema, Workspace(Path(tempfile.mkdtemp())))


def _refuse_a_missing_gpu(config: RunConfig) -> None:
    if config.device == "cuda" and not torch.cuda.is_available():
        raise ValueError("device: expected cpu, for torch finds no GPU on this machine, found cuda")


def _open(config: RunConfig, schema: Schema, workspace: Workspace) -> Run:
    settle()
    train, valid = (load_samples(config.dataset, part, config.split_seed) for part in ("train", "valid"))
    return Run(config, schema, train.to(config.device), valid.to(config.device), workspace)


def finish(run: Run, stages: list[Stage], out: str | Path) -> Record:
    """Score what was kept on test, in one pass, and write model, predictions and record.

    The result is the best fit on validation of the last stage. A relative ``out`` counts from the project's folder.
    """
    test = load_samples(run.config.dataset, "test", run.config.split_seed)
    timeline, model, decision, logits = _score_kept(run, stages, test.to(run.config.device))
    folder = model_folder(run.identity)
    with atomic_path(folder) as target:
        target.mkdir()
        save_file(dict(model.state_dict()), target / "model.safetensors")
        np.save(target / "test_logits.npy", logits.numpy())
    record = Record(
        identity=run.identity,
        method_version=METHOD_VERSION[run.config.strategy],
        data_fingerprint=run.schema.fingerprint,
        config=run.config,
        valid=timeline[-1].valid,
        test=timeline[-1].test,
        test_parts=_parts(logits, test, run.schema),
        codebook_use=model.embedding.codebook_use() if isinstance(model.embedding, DPQ) else {},
        decision=decision,
        space=space(run.schema, run.config.embedding_dim, decision, model, tied=run.config.tied),
        timeline=timeline,
        fits=[FitLog(name=f.name, decision=d, curve=_columns(f.curve)) for s in stages for f, d in s.fits],
        provenance=provenance(run.origin),
    )
    write_record(record, record_path(ROOT / out, run.config))
    run.workspace.clear()
    return record


def model_folder(identity: str) -> Path:
    """Where the trained model and the test predictions of a run are kept."""
    return runs_root() / "models" / identity[:16]


def _score_kept(run: Run, stages: list[Stage], test: Samples) -> tuple[list[Point], CTRModel, Decision | None, Tensor]:
    """Score each improvement of each stage on test; the last point, its model and its logits are the result."""
    timeline: list[Point] = []
    model, built, decision = None, None, None
    for stage, fit, choice, point in _improvements(stages):
        if stage.build is None:
            continue
        if model is None or built != (stage.name, choice):
            model, built, decision = stage.build(choice), (stage.name, choice), choice
        model.load_state_dict(run.workspace.kept(fit.name, point["epoch"]))
        logits = predict(model, test)
        timeline.append(Point(stage=stage.name, fit=fit.name, test=score(logits, test.labels), **point))
    assert model is not None, "nothing was kept to be scored"
    return timeline, model, decision, logits


def _improvements(stages: list[Stage]) -> Iterator[tuple[Stage, Fit, Decision | None, dict[str, Any]]]:
    """Each epoch that was the best on validation so far in its stage, with what the run had cost by then."""
    seconds, steps = 0.0, 0
    for stage in stages:
        best = -1.0
        for fit, decision in stage.fits:
            for row in fit.curve:
                seconds, steps = seconds + row["seconds"], steps + int(row["steps"])
                if row["valid_auc"] > best:
                    best = row["valid_auc"]
                    valid = Metrics(auc=best, logloss=row["valid_logloss"])
                    cost = {"epoch": int(row["epoch"]), "seconds": round(seconds, 3), "steps": steps}
                    yield stage, fit, decision, {**cost, "valid": valid}


def _parts(logits: Tensor, test: Samples, schema: Schema) -> dict[str, Metrics]:
    """Metrics of the samples with a low-frequency feature and of those without, where both labels occur."""
    touched = torch.cat([schema.low[ids].any(1) for ids, _ in test.in_order(SCORING_BATCH)])
    parts = {"touched": touched, "untouched": ~touched}
    return {
        name: score(logits[part], test.labels[part])
        for name, part in parts.items()
        if len(test.labels[part].unique()) == 2
    }


def _columns(curve: list[Row]) -> dict[str, list[float]]:
    """Rows as columns: metrics exact, the rest to seven digits."""
    exact = ("valid_auc", "valid_logloss")
    return {key: [row[key] if key in exact else float(f"{row[key]:.7g}") for row in curve] for key in curve[0]}
