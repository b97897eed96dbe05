"""Bootstrap the AUC gaps of the ten-seed runs over test samples, and keep the summary beside the tables.

It needs the predictions of the runs (``runs/models``), which are not committed; the summary is.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from autodpq_eval.plans import plan
from autodpq_eval.tables import read_plan
from autodpq_eval.ten_seeds import bootstrap, by_strategy
from autodpq_lib.atomic import write_text
from autodpq_lib.data.prepared import load_samples
from autodpq_lib.paths import ROOT


def main() -> int:
    """Write ``<out>/<dataset>/<recipe>/tables/bootstrap.csv``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", default="ml-1m")
    parser.add_argument("--recipe", required=True)
    parser.add_argument("--out", type=Path, default=Path("results"))
    asked = parser.parse_args()
    runs, _ = read_plan(ROOT / asked.out, plan("seeds", asked.dataset, asked.recipe, [1, 2, 3], out=ROOT / asked.out))
    table = bootstrap(by_strategy(runs), load_samples(asked.dataset, "test").labels.numpy())
    path = ROOT / asked.out / asked.dataset / asked.recipe / "tables" / "bootstrap.csv"
    write_text(path, table.to_csv(index=False, float_format="%.6g"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
