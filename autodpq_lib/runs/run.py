"""One run: all that a strategy may use. It sees no test data."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import torch

from autodpq_data.prepared import load_samples, load_schema
from autodpq_data.samples import Samples
from autodpq_data.schema import Schema
from autodpq_lib.config import Decision, Limit, RunConfig
from autodpq_lib.models.ctr_model import CTRModel
from autodpq_lib.runs.provenance import Origin, origin
from autodpq_lib.training.checkpoints import Checkpoints
from autodpq_lib.training.fit import Fit, run_fit
from autodpq_lib.training.trainer import Trainer
from autodpq_system.paths import runs_root
from autodpq_system.process import settle


@dataclass(frozen=True)
class Run:
    """Configuration, training and validation data, a place for checkpoints."""

    config: RunConfig
    schema: Schema
    train: Samples
    valid: Samples
    checkpoints: Checkpoints
    origin: Origin = field(default_factory=origin)

    @property
    def identity(self) -> str:
        """sha256 over configuration, data and method."""
        return self.config.identity(self.schema.fingerprint)

    def fit(
        self,
        name: str,
        model: CTRModel,
        *,
        decision: Decision | None = None,
        trainer: Trainer | None = None,
        limit: Limit | None = None,
        scored: bool = True,
    ) -> Fit:
        """Train a model on the run's data, by plain descent within the budget of a training unless told otherwise.

        A fit that was interrupted goes on where it was, to the same bits. The model ends with the weights of the fit's
        result.

        Args:
            name: of the fit within the run; names its checkpoints, and its stage by what stands before a dash.
            model: what is trained.
            decision: (K, D) of each field, where the model has one.
            trainer: trains it; plain descent by default.
            limit: when to stop.
            scored: whether it is a result, or a mixture that cannot be one.
        """
        last = self.config.scored == "last" or (limit is not None and limit.until == "settled")
        fit = Fit(name, self.checkpoints, decision, scored, "last" if last else self.config.scored)
        trainer = trainer or Trainer(model, self.train, self.config)
        return run_fit(fit, trainer, self.valid, limit or self.config.budget.train)


def open_run(config: RunConfig) -> Run:
    """Load training and validation data, and the run's checkpoints if it was interrupted.

    Raises:
        RuntimeError: another process is at the same run.
        ValueError: a GPU is asked for and there is none.
    """
    _refuse_a_missing_gpu(config)
    schema = load_schema(config.dataset, config.threshold)
    checkpoints = Checkpoints(runs_root() / "work" / config.identity(schema.fingerprint))
    checkpoints.claim()
    return _open(config, schema, checkpoints)


def scratch_run(config: RunConfig) -> Run:
    """A run to play with: its checkpoints go to a temporary folder, apart from those of a run to be recorded."""
    _refuse_a_missing_gpu(config)
    schema = load_schema(config.dataset, config.threshold)
    return _open(config, schema, Checkpoints(Path(tempfile.mkdtemp())))


def _refuse_a_missing_gpu(config: RunConfig) -> None:
    if config.device == "cuda" and not torch.cuda.is_available():
        raise ValueError("device: expected cpu, for torch finds no GPU on this machine, found cuda")


def _open(config: RunConfig, schema: Schema, checkpoints: Checkpoints) -> Run:
    settle()
    train, valid = (load_samples(config.dataset, part, config.split_seed) for part in ("train", "valid"))
    return Run(config, schema, train.to(config.device), valid.to(config.device), checkpoints)
