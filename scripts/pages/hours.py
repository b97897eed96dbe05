"""What the runs of results/budget.md took, and one compression; a block of that page."""

from __future__ import annotations

from statistics import median

import pandas as pd

from autodpq_budget.at_equal_bytes import METHOD_NAMES
from autodpq_budget.other_width import TAUGHT, TEACHER_DIM, like
from autodpq_budget.settings import CHOICE_SEED
from autodpq_budget.strategy import COMPRESSOR
from autodpq_eval.cost import wall_minutes
from autodpq_eval.layout import markdown
from autodpq_lib.config import OUTSIDE
from autodpq_runs.explore import records
from autodpq_runs.record import Record, read_record
from scripts.pages.committed import RESULTS
from scripts.pages.equal_bytes import RECIPE

#: What all runs of :func:`hours` were to take.
HOURS, CORES = 4, 2
#: Aimed at for one compression.
MINUTES = 2


def hours() -> str:
    """What the runs of this page took, FE's and those of Table 1 apart: in all, by method, and one compression."""
    every = records(RESULTS)
    every = every[(every["dataset"] == "ml-1m") & every["strategy"].isin(OUTSIDE)]
    took = [
        f"{len(runs)} in recipe `{recipe}`, {_hours(runs):.1f} core-hours" for recipe, runs in every.groupby("recipe")
    ]
    kept = "missed" if _hours(every) > HOURS * CORES else "kept so far"
    choice = _hours(every[every["seed"] == CHOICE_SEED])
    return (
        f"Runs at equal bytes so far: {'; '.join(took)} of training and validation. Aimed at for all of them: "
        f"{HOURS} hours on {CORES} cores, {kept}; the settings on the seed of choice alone take {choice:.1f} "
        f"core-hours.\n\n{_by_method(every)}\n{_clock()}\n"
    )


def _hours(runs: pd.DataFrame) -> float:
    return float(runs["seconds"].sum() / 3600)


def _by_method(every: pd.DataFrame) -> str:
    """A row a method, both recipes together."""
    rows = [
        [METHOD_NAMES[name], f"{len(runs)}", f"{_hours(runs):.1f}", f"{runs['seconds'].median():.0f}"]
        for name, runs in sorted(every.groupby("strategy"), key=lambda each: -_hours(each[1]))
    ]
    return markdown(["method", "runs", "core-hours", "seconds a run, median"], rows)


def _clock() -> str:
    """What the compressor takes by the clock where FE is at hand: of its own width, and narrower ones, taught first."""
    runs = [record for record in _records(COMPRESSOR) if [log.name for log in record.fits] == ["compress"]]
    taught = {record.config: record for record in _records(TAUGHT) if [log.name for log in record.fits] == ["fit"]}
    own = [wall_minutes([record]) for record in runs if record.config.embedding_dim == TEACHER_DIM]
    pairs = [(taught.get(like(run.config, TAUGHT, run.config.embedding_dim)), run) for run in runs]
    both = [wall_minutes([first]) + wall_minutes([run]) for first, run in pairs if first]
    if not own or not both:
        return ""
    took, taught_took = (
        f"{median(each):.1f} minutes in the median and {max(each):.1f} at most" for each in (own, both)
    )
    kept, taught_kept = (f"{sum(one <= MINUTES for one in each)} of {len(each)}" for each in (own, both))
    return (
        f"By the clock (`{RECIPE}`, one thread, others beside it) and with scoring the compressor alone, where FE of "
        f"X = {TEACHER_DIM} is at hand, took {took}; where a narrower FE is taught first, with the teaching, "
        f"{taught_took}. Aimed at: at most {MINUTES} minutes, kept by {kept} runs without the teaching and by "
        f"{taught_kept} with it."
    )


def _records(strategy: str) -> list[Record]:
    paths = sorted((RESULTS / "ml-1m" / RECIPE / "records").glob(f"deepfm-{strategy}-*.json"))
    return list(map(read_record, paths))


BLOCKS = {"budget-hours": hours}
