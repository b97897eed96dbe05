"""A tiny data set in memory, and folders of their own for everything that tests write."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

import autodpq_native as native
from autodpq_data.samples import Samples
from autodpq_data.schema import Schema
from autodpq_lib.config import RunConfig
from autodpq_lib.training.checkpoints import Checkpoints
from autodpq_runs.open import OpenRun

# A make that a test starts knows nothing of `make test`: it says and does what it would in a shell.
for name in [name for name in os.environ if name.startswith("MAKE") or name == "MFLAGS"]:
    del os.environ[name]

# Field a: features 0 to 5, the last four low-frequency. b: 6 to 8, none. c: 9 to 13, two low-frequency.
SIZES = {"a": 6, "b": 3, "c": 5}
COUNTS = torch.tensor([90, 80, 3, 2, 5, 1, 60, 70, 50, 40, 90, 45, 2, 4])


@pytest.fixture
def schema() -> Schema:
    return Schema("ml-100k", tuple(SIZES), tuple(SIZES.values()), COUNTS, 40, "fingerprint")


@pytest.fixture
def config() -> RunConfig:
    return small_config()


@contextmanager
def restored(*registries: dict[str, Any]) -> Iterator[None]:
    """Afterwards registries hold what they held before: the tests of a process share them."""
    kept = [dict(registry) for registry in registries]
    yield
    for registry, before in zip(registries, kept, strict=True):
        registry.clear()
        registry.update(before)


def small_config(**changed: object) -> RunConfig:
    keys = {"dataset": "ml-100k", "strategy": "autodpq", "profile": "smoke", "batch_size": 32}
    return RunConfig.model_validate({**keys, "centroids": (2, 4), "subspaces": (2, 4), "draws": 3, **changed})


def small_samples(schema: Schema, rows: int, seed: int) -> Samples:
    """Random ids, labels that depend on them; low-frequency features are as frequent as the others."""
    generator = torch.Generator().manual_seed(seed)
    columns = [
        torch.randint(offset, offset + size, (rows,), generator=generator)
        for offset, size in zip(schema.offsets, schema.sizes, strict=True)
    ]
    ids = torch.stack(columns, 1)
    labels = ((ids.sum(1) + torch.randint(3, (rows,), generator=generator)) % 2).byte()
    return Samples(ids.int(), labels, torch.arange(rows, dtype=torch.int32))


def small_run(folder: Path, schema: Schema, config: RunConfig) -> OpenRun:
    return OpenRun(config, schema, small_samples(schema, 200, 1), small_samples(schema, 60, 2), Checkpoints(folder))


@pytest.fixture
def run(tmp_path: Path, schema: Schema, config: RunConfig) -> OpenRun:
    return small_run(tmp_path / "work", schema, config)


@pytest.fixture(autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test writes into the project's runs/, and none depends on those before it."""
    monkeypatch.setenv("AUTODPQ_RUNS", str(tmp_path_factory.mktemp("runs")))
    torch.set_num_threads(1)
    torch.manual_seed(0)


class KilledError(Exception):
    pass


class DyingCheckpoints(Checkpoints):
    """Dies after so many checkpoints, as a kill between two epochs would have it."""

    def __init__(self, folder: Path, lives: int) -> None:
        super().__init__(folder)
        self.lives = lives

    def save(self, name: str, state: dict[str, object]) -> None:
        super().save(name, state)
        self.lives -= 1
        if not self.lives:
            raise KilledError


@pytest.fixture(params=["C", "torch"])
def compiler(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test with the functions in C, where there is a compiler, and without."""
    if request.param == "torch":
        monkeypatch.setattr(native, "available", lambda: False)
    elif not native.available():
        pytest.skip("no C compiler")
