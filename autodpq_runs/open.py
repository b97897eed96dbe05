"""Open a run: its data, and its checkpoints if it was interrupted."""

from __future__ import annotations

import atexit
from contextlib import ExitStack
from dataclasses import dataclass, field

import torch

from autodpq_data.prepared import load_samples, load_schema
from autodpq_data.schema import Schema
from autodpq_lib.config import RunConfig
from autodpq_lib.training.checkpoints import Checkpoints
from autodpq_lib.training.run import Run
from autodpq_runs.provenance import Origin, after, origin
from autodpq_runs.run_paths import identity_of, work_folder
from autodpq_system.atomic import scratch_folder, sweep
from autodpq_system.paths import runs_root
from autodpq_system.process import settle


@dataclass(frozen=True)
class OpenRun(Run):
    """A run that can be recorded: it knows when and with which code it began."""

    origin: Origin = field(default_factory=origin)

    @property
    def identity(self) -> str:
        """sha256 over configuration, data, method and whether C is used."""
        return identity_of(self.config, self.schema.fingerprint)


def open_run(config: RunConfig) -> OpenRun:
    """Load training and validation data, and the run's checkpoints if it was interrupted.

    Raises:
        BlockingIOError: another process is at the same run.
        ValueError: a GPU is asked for and there is none.
    """
    _refuse_a_missing_gpu(config)
    schema = load_schema(config.dataset, config.threshold)
    checkpoints = Checkpoints(work_folder(identity_of(config, schema.fingerprint)))
    checkpoints.claim()
    return _open(config, schema, checkpoints, _origin(checkpoints))


def scratch_run(config: RunConfig) -> OpenRun:
    """A run to play with: its checkpoints go to a folder of their own, which ends with the process.

    What processes that were killed have left there goes now.
    """
    _refuse_a_missing_gpu(config)
    schema = load_schema(config.dataset, config.threshold)
    work, held = runs_root() / "work", ExitStack()
    sweep(work)
    folder = held.enter_context(scratch_folder(work / "scratch"))
    atexit.register(held.close)
    return _open(config, schema, Checkpoints(folder), origin())


def _refuse_a_missing_gpu(config: RunConfig) -> None:
    if config.device == "cuda" and not torch.cuda.is_available():
        raise ValueError("device: expected cpu, for torch finds no GPU on this machine, found cuda")


def _origin(checkpoints: Checkpoints) -> Origin:
    """Origin of a run that begins here, or goes on."""
    here, earlier = origin(), checkpoints.load("origin")
    here = after(here, earlier) if earlier else here
    checkpoints.save("origin", {key: getattr(here, key) for key in ("git_commit", "git_dirty", "cpu")})
    return here


def _open(config: RunConfig, schema: Schema, checkpoints: Checkpoints, begun: Origin) -> OpenRun:
    settle()
    train, valid = (load_samples(config.dataset, part, config.split_seed, config.split) for part in ("train", "valid"))
    return OpenRun(config, schema, train.to(config.device), valid.to(config.device), checkpoints, begun)
