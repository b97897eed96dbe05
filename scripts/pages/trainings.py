"""results/budget-rivals.md: trainings' ends: a rival's at the limit of epochs, the compressor's where they began."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import numpy as np

from autodpq_budget.at_equal_bytes import METHOD_NAMES
from autodpq_budget.plan import AVERAGED, FROM_ZERO
from autodpq_budget.read_runs import full_bytes
from autodpq_budget.settings import OF_FORM
from autodpq_budget.strategy import COMPRESSOR
from autodpq_lib.config import RECIPES
from autodpq_rivals.methods import METHODS
from autodpq_runs.curves import FitLog
from autodpq_runs.explore import find_records
from autodpq_runs.record import Record, read_record, record_path
from scripts.pages.committed import RESULTS
from scripts.pages.equal_bytes import choice_runs, every_run


def ended() -> str:
    """Both, over all trainings at equal bytes on MovieLens-1M, but those of averaged weights or another form."""
    runs = [record for recipe in RECIPES for record in _of_rivals(recipe)]
    every = Counter(run.config.strategy for run in runs)
    longest = Counter(run.config.strategy for run in runs if any(_at_the_limit(run)))
    each = (f"{METHOD_NAMES[name]} in {count} of {every[name]} runs" for name, count in longest.most_common())
    below = "; ".join(filter(None, (_below_its_search(recipe, runs) for recipe in RECIPES)))
    return (
        f"These reached the limit of epochs (averaged weights and other forms not counted): {', '.join(each) or 'none'}"
        f". The best validation AUC of MPE's last training is below that of the search before it {below}.\n"
    )


def _of_rivals(recipe: str) -> list[Record]:
    every = map(read_record, find_records(RESULTS / "ml-1m" / recipe))
    plain = [record for record in every if record.config.strategy in METHODS and not record.config.average]
    return [record for record in plain if record.config.options.keys().isdisjoint(OF_FORM)]


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


def kept() -> str:
    """How often no round of fine-tuning gained anything, so that the compressor kept what it began with, by budget."""
    plain, averaged, from_zero = (
        "; ".join(f"`{recipe}`: {said}" for recipe in RECIPES if (said := _by_budget(recipe, switches)))
        for switches in ({}, AVERAGED, FROM_ZERO)
    )
    return (
        "Fine-tuning has one learning rate for all stored numbers, the step between integers among them. So the value "
        "of the largest 8-bit integer moves 255 times as far as its step, which can cost more than a round gains. Then "
        f"the compressor keeps the choice that it began with. Runs that did, {plain}; with averaged weights, "
        f"{averaged}; with first-order weights from zero, {from_zero}.\n"
    )


def _by_budget(recipe: str, switches: Mapping[str, float]) -> str:
    every, full, said = every_run(recipe, **switches), full_bytes(choice_runs(recipe)), []
    runs = every[(every["method"] == COMPRESSOR) & (every["control"] == "")]
    for size, group in sorted(runs.groupby("told")["run"], reverse=True):
        logs = [read_record(record_path(RESULTS, run)).fits[-1] for run in group]
        if own := sum(log.curve["valid_auc"][0] == _best(log) for log in logs):
            said.append(f"{own} of {len(logs)} at {size / full:.1%}")
    return ", ".join(said) or "none" * bool(len(runs))


BLOCKS = {"budget-trainings": ended, "budget-kept": kept}
