"""Sets of runs against each other, pair by pair, by all tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product

import pandas as pd

from autodpq_eval.measures import more_is_better
from autodpq_eval.stats import common, corrected, effect, hedges_g
from autodpq_runs.record import Record


def compared(runs: Mapping[str, Sequence[Record]], pairs: Iterable[tuple[str, str]]) -> pd.DataFrame:
    """A row a metric, AUC or logloss, and pair: *a* over *b*, positive where *a* is better.

    With the 95 % intervals and p-values by Welch and paired, the test of equivalence within
    :data:`~autodpq_eval.stats.MARGIN`, Hedges' g and the verdict; each test's p-values are corrected by Holm over the
    table. Only seeds that both sides have count, so that pairs are pairs.

    Raises:
        ValueError: there is no pair.
    """
    rows: list[dict[str, object]] = []
    for metric, (ours, baseline) in product(("auc", "logloss"), pairs):
        a, b = common(*(more_is_better(runs[name], metric) for name in (ours, baseline)))
        rows.append({"metric": metric, "a": ours, "b": baseline, **effect(a, b), "g": hedges_g(a, b)})
    return corrected(rows)
