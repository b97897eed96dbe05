"""How large a model is, under several accountings side by side."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd

from autodpq_data.schema import Schema
from autodpq_lib.models.build import final_model
from autodpq_lib.space import space
from autodpq_packed.export import export
from autodpq_runs.record import Record
from autodpq_system.memory import anonymous_mib
from autodpq_system.paths import ROOT

#: What a server does: read the file and score one sample; then its anonymous memory, in bytes.
SERVE = """
import sys
from pathlib import Path
import numpy as np
from autodpq_packed.score import PackedModel
from autodpq_system.memory import anonymous_mib
if len(sys.argv) > 1:
    model = PackedModel(Path(sys.argv[1]))
    model.logits(np.cumsum([[0, *model.model["sizes"][:-1]]], 1))
print(round(anonymous_mib() * 2**20))
"""


def sizes(record: Record, schema: Schema, vocabulary: dict[str, list[str]], folder: Path) -> dict[str, int]:
    """Paper units, bits of information, bytes of the embedding and of the whole file, and memory of serving it.

    The size of a file does not depend on the weights, so the model need not be at hand: one of its shape is written to
    ``folder``. Serving is measured in a fresh process with the NumPy reader, less what the same process needs without a
    model (Linux alone; else 0).
    """
    model = final_model(record.config.model_copy(update={"device": "cpu"}), schema, record.decision)
    path = folder / f"{record.config.name()}.safetensors"
    tensors = export(model, schema, record, vocabulary, path)
    one = space(schema, record.config.embedding_dim, record.decision, model, tied=record.config.tied)
    return {
        "paper units": one.paper,
        "bits": one.bits,
        "embedding, bytes": sum(n for name, n in tensors.items() if name.startswith("embedding.")),
        "file, bytes": path.stat().st_size,
        "serving, bytes": max(_memory(str(path)) - _memory(), 0),
    }


def ratios(table: pd.DataFrame) -> pd.DataFrame:
    """Each size as a share of FE's."""
    return table / table.loc["FE"]


def _memory(*arguments: str) -> int:
    if anonymous_mib() is None:
        return 0
    command = [sys.executable, "-c", SERVE, *arguments]
    return int(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)
