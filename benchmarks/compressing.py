"""How long one compression takes on MovieLens-1M, from a trained FE to the file on the disk; one thread."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import torch
from tqdm import tqdm

from autodpq_budget.compress import compress
from autodpq_budget.settings import SHARES, budget_of
from autodpq_eval.layout import markdown
from autodpq_eval.plans import configure
from autodpq_runs.explore import LoadedRun, load_or_train
from autodpq_system.paths import runs_root
from autodpq_system.sentence import Parser
from benchmarks.measured import read_measures, write_measures

#: Aimed at.
MINUTES = 2


def main() -> int:
    """Train FE if no trained model is at hand, and keep the rows in ``results/bench/compressing.json``."""
    Parser(description=__doc__).parse_args()
    torch.set_num_threads(1)
    run = load_or_train(configure("ml-1m", "tuned", "fe", 1), runs_root(), runs_root())
    write_measures("compressing", threads=1, rows=[measure(run, share) for share in tqdm(SHARES)])
    sys.stdout.write(table())
    return 0


def measure(run: LoadedRun, share: float) -> dict[str, Any]:
    """Minutes of :func:`compress`, which chooses X, teaches, chooses, fine-tunes and writes."""
    with TemporaryDirectory() as folder:
        start = perf_counter()
        made = compress(run, budget_of(run.schema, share), Path(folder) / "small.safetensors", tables=True)
        minutes = (perf_counter() - start) / 60
    return {"share": share, "width": made.width, "bytes": made.table_bytes, "minutes": minutes}


def table() -> str:
    """A row a share of FE's bytes."""
    found = read_measures("compressing")
    rows = [
        [f"{row['share']:.1%}", f"{row['width']}", f"{row['bytes']:,}", f"{row['minutes']:.1f}"]
        for row in found["rows"]
    ]
    kept = sum(row["minutes"] <= MINUTES for row in found["rows"])
    said = f"Aimed at: at most {MINUTES} minutes, kept by {kept} of {len(rows)}. On {found['cpu']}."
    return f"{markdown(['of FE', 'X', 'bytes', 'minutes'], rows)}\n{said}\n"


if __name__ == "__main__":
    sys.exit(main())
