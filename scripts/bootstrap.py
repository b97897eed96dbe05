"""Bootstrap the AUC gaps of the ten-seed runs over test samples, and keep the summary beside the tables.

It needs the predictions of the runs (``runs/models``), which are not committed; the summary is.
"""

from __future__ import annotations

from pathlib import Path

from autodpq_data.errors import DataError
from autodpq_data.prepared import load_samples
from autodpq_eval.best_pair import pair_of_grid
from autodpq_eval.layout import as_csv
from autodpq_eval.plans import ten_seeds
from autodpq_eval.tables import read_plan
from autodpq_eval.ten_seeds import bootstrap, by_strategy
from autodpq_system.atomic import write_text


def write_bootstrap(out: Path, dataset: str, recipe: str) -> str:
    """Write ``.../tables/bootstrap.csv``; without the runs or their predictions say so and write nothing."""
    runs, gaps = read_plan(out, ten_seeds(dataset, recipe, pair_of_grid(out, dataset, recipe)))
    if gaps:
        return f"no bootstrap: {len(gaps)} of the ten-seed runs are missing"
    try:
        table = bootstrap(by_strategy(runs), load_samples(dataset, "test").labels.numpy())
    except FileNotFoundError as error:
        return f"no bootstrap: the predictions of the runs are not on this machine ({error.filename})"
    except DataError as error:
        return f"no bootstrap: {error}"
    except ValueError as error:
        return f"no bootstrap: the predictions on this machine are not those of the records ({error})"
    path = out / dataset / recipe / "tables" / "bootstrap.csv"
    write_text(path, as_csv(table))
    return f"bootstrap written to {path}"
