"""results/budget.md: how the trainings of rivals ended, at the limit of epochs and, of MPE, below its own search."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from autodpq_budget.at_equal_bytes import METHOD_NAMES
from autodpq_lib.config import RECIPES
from autodpq_rivals.methods import METHODS
from autodpq_runs.curves import FitLog
from autodpq_runs.explore import find_records
from autodpq_runs.record import Record, read_record
from scripts.pages.committed import RESULTS


def ended() -> str:
    """Both, over all trainings at equal bytes on MovieLens-1M, but those that average weights, as searches never do."""
    runs = [record for recipe in RECIPES for record in _of_rivals(recipe)]
    every = Counter(run.config.strategy for run in runs)
    longest = Counter(run.config.strategy for run in runs if any(_at_the_limit(run)))
    each = (f"{METHOD_NAMES[name]} in {count} of {every[name]} runs" for name, count in longest.most_common())
    below = "; ".join(filter(None, (_below_its_search(recipe, runs) for recipe in RECIPES)))
    return (
        f"At the limit of epochs ended {', '.join(each) or 'none'}. MPE's last training has a lower validation AUC, at "
        f"its best, than the search before it {below}.\n"
    )


def _of_rivals(recipe: str) -> list[Record]:
    every = map(read_record, find_records(RESULTS / "ml-1m" / recipe))
    return [record for record in every if record.config.strategy in METHODS and not record.config.average]


def _at_the_limit(run: Record) -> Iterator[bool]:
    """Of each training, whether it could have gone on; what is stored is no training."""
    return (log.epochs == run.config.limits.train.rounds for log in run.fits if log.name != "store")


def _below_its_search(recipe: str, runs: list[Record]) -> str:
    fits = [{log.name: log for log in r.fits} for r in runs if (r.config.strategy, r.config.recipe) == ("mpe", recipe)]
    lost = np.array([_best(of["search"]) - _best(of["train"]) for of in fits])
    if not len(lost):
        return ""
    return f"in {(lost > 0).sum()} of {len(lost)} runs of recipe `{recipe}`, in the mean of all by {lost.mean():.4f}"


def _best(log: FitLog) -> float:
    return max(log.curve["valid_auc"])


BLOCKS = {"budget-trainings": ended}
