"""What the benchmarks leave: ``results/bench/<name>.json``, with the machine that gave it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import torch

from autodpq_system.atomic import write_text
from autodpq_system.paths import ROOT
from autodpq_system.process import cpu


def write_measures(name: str, **found: Any) -> None:
    """Write what a benchmark found, beside processor, cores and version of torch."""
    machine = {"cpu": cpu(), "cores": os.cpu_count(), "torch": torch.__version__}
    write_text(_path(name), json.dumps(machine | found, indent=1) + "\n")


def read_measures(name: str) -> dict[str, Any]:
    """What :func:`write_measures` wrote."""
    return dict(json.loads(_path(name).read_text(encoding="utf-8")))


def _path(name: str) -> Path:
    return ROOT / "results" / "bench" / f"{name}.json"
