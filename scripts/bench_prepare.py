"""Time and memory of preparing a data set, from the raw file to mapped arrays, in a folder of its own."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from autodpq_lib.atomic import write_text
from autodpq_lib.config import RunConfig
from autodpq_lib.data.prepared import load_samples, load_schema, prepare
from autodpq_lib.memory import PeakMemory
from autodpq_lib.paths import ROOT, runs_root
from autodpq_lib.provenance import cpu
from autodpq_lib.space import quantised_space


def main() -> int:
    """Prepare, and keep seconds, rows a second and peak anonymous memory in ``results/bench/prepare.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", default="avazu-standin")
    dataset = parser.parse_args().dataset
    with tempfile.TemporaryDirectory(dir=runs_root()) as folder:
        os.environ["AUTODPQ_RUNS"] = folder
        peak, start = PeakMemory(), perf_counter()
        prepare(dataset)
        seconds, memory = perf_counter() - start, peak.stop()
        rows = len(load_samples(dataset, "train").all_ids)
        space = spaces(dataset)
    found = {"dataset": dataset, "rows": rows, "seconds": seconds, "rows a second": rows / seconds}
    found |= {"peak anonymous MiB": memory, "cpu": cpu(), "cores": os.cpu_count(), "space": space}
    write_text(Path(ROOT) / "results" / "bench" / "prepare.json", json.dumps(found, indent=1) + "\n")
    sys.stdout.write(json.dumps(found, indent=1) + "\n")
    return 0


def spaces(dataset: str) -> dict[str, int]:
    """Space of FE, Others and each global pair, in the paper's units: all that needs no training."""
    config = RunConfig(dataset=dataset, strategy="grid")
    schema = load_schema(dataset, config.threshold)
    kept, dim = int((~schema.low).sum()), config.embedding_dim
    pairs = {pair: dict.fromkeys(schema.low_fields, pair) for pair in config.candidates}
    return {
        "FE": schema.num_features * dim,
        "Others": (kept + len(schema.low_fields)) * dim,
        **{f"Grid {pair}": quantised_space(schema, dim, decision) for pair, decision in pairs.items()},
    }


if __name__ == "__main__":
    sys.exit(main())
