"""Time and memory of preparing a data set, from the raw file to mapped arrays, in a folder of its own."""

from __future__ import annotations

import os
import sys
import tempfile
from time import perf_counter
from typing import Any

from autodpq_data.prepared import load_samples, load_schema, prepare
from autodpq_eval.paper import truncated
from autodpq_lib.config import RunConfig
from autodpq_lib.space import quantised_space
from autodpq_lib.strategies.grid import global_decisions
from autodpq_system.memory import PeakMemory
from autodpq_system.paths import runs_root
from autodpq_system.sentence import Parser
from benchmarks.measured import read_measures, write_measures

DATASET = "avazu-standin"


def main() -> int:
    """Prepare, and keep seconds, peak anonymous memory and what came out in ``results/bench/prepare.json``."""
    Parser(description=__doc__).parse_args()
    with tempfile.TemporaryDirectory(dir=runs_root()) as folder:
        os.environ["AUTODPQ_RUNS"] = folder
        peak, start = PeakMemory(), perf_counter()
        prepare(DATASET)
        seconds, memory = perf_counter() - start, peak.stop()
        write_measures("prepare", dataset=DATASET, seconds=seconds, **{"peak anonymous MiB": memory}, **shape(DATASET))
    sys.stdout.write(space())
    return 0


def shape(dataset: str) -> dict[str, Any]:
    """Rows, features, and Space of FE, Others and each global pair in the paper's units: what needs no training."""
    config = RunConfig(dataset=dataset, strategy="grid")
    schema = load_schema(dataset, config.threshold)
    kept, dim = int((~schema.low).sum()), config.embedding_dim
    pairs = zip(config.candidates, global_decisions(config, schema), strict=True)
    return {
        "rows": len(load_samples(dataset, "train").all_ids),
        "features": schema.num_features,
        "low-frequency": schema.num_features - kept,
        "space": {
            "FE": schema.num_features * dim,
            "Others": (kept + len(schema.low_fields)) * dim,
            **{f"Grid {pair}": quantised_space(schema, dim, decision) for pair, decision in pairs},
        },
    }


def space() -> str:
    """Space of what needs no training, as the stand-in has it, and what that says of the paper's Grid."""
    found = read_measures("prepare")
    units, features, low = found["space"], found["features"], found["low-frequency"]
    rows = units["FE"] // features * (features - low)
    least = min(size for name, size in units.items() if name.startswith("Grid"))
    sizes = "; ".join(f"{name} {truncated(size)}" for name, size in units.items() if name != "FE")
    return (
        f"On the STAND-IN: FE {units['FE']:,} floats, printed as {truncated(units['FE'])}; {sizes}.\n"
        f"The paper's 31M for Grid can't be reached by its own accounting: the {features - low:,} kept rows alone\n"
        f"take {rows:,} floats, and the smallest pair, D = 2 in every field, adds two code entries for each of\n"
        f"{low:,} low-frequency features: {least:,} with its centroids.\n"
    )


if __name__ == "__main__":
    sys.exit(main())
