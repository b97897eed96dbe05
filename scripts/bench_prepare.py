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
from autodpq_lib.data.prepared import load_samples, prepare
from autodpq_lib.memory import PeakMemory
from autodpq_lib.paths import ROOT, runs_root
from autodpq_lib.provenance import cpu


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
    found = {"dataset": dataset, "rows": rows, "seconds": seconds, "rows a second": rows / seconds}
    found |= {"peak anonymous MiB": memory, "cpu": cpu(), "cores": os.cpu_count()}
    write_text(Path(ROOT) / "results" / "bench" / "prepare.json", json.dumps(found, indent=1) + "\n")
    sys.stdout.write(json.dumps(found, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
