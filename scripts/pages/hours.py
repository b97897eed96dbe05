"""What the runs of results/budget.md took, and one compression; a block of that page."""

from __future__ import annotations

from autodpq_budget.other_width import TAUGHT, TEACHER_DIM, like
from autodpq_budget.strategy import COMPRESSOR
from autodpq_eval.cost import wall_minutes
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
    """What the runs of this page took, FE's and those of Table 1 apart."""
    every = records(RESULTS)
    every = every[(every["dataset"] == "ml-1m") & every["strategy"].isin(OUTSIDE)]
    took = [
        f"{len(runs)} in recipe `{recipe}`, {runs['seconds'].sum() / 3600:.1f} core-hours"
        for recipe, runs in every.groupby("recipe")
    ]
    total = every["seconds"].sum() / 3600
    kept = "missed" if total > HOURS * CORES else "kept so far"
    return (
        f"Runs at equal bytes so far: {'; '.join(took)} of training and validation. Aimed at for all of them: "
        f"{HOURS} hours on {CORES} cores, {kept}. {_clock()}\n"
    )


def _clock() -> str:
    """What the compressor takes by the clock where FE is at hand: of its own width, and narrower ones, taught first."""
    runs = [record for record in _records(COMPRESSOR) if [log.name for log in record.fits] == ["compress"]]
    taught = {record.config: record for record in _records(TAUGHT) if [log.name for log in record.fits] == ["fit"]}
    own = [wall_minutes([record]) for record in runs if record.config.embedding_dim == TEACHER_DIM]
    pairs = [(taught.get(like(run.config, TAUGHT, run.config.embedding_dim)), run) for run in runs]
    both = [wall_minutes([first]) + wall_minutes([run]) for first, run in pairs if first]
    if not own or not both:
        return ""
    kept, taught_kept = ("kept" if max(each) <= MINUTES else "missed" for each in (own, both))
    return (
        f"The compressor alone, where FE of X = {TEACHER_DIM} is at hand, took at most {max(own):.1f} minutes by the "
        f"clock ({len(own)} runs, `{RECIPE}`, one thread, others beside it), scoring included; where a narrower FE is "
        f"taught first, {max(both):.1f} with the teaching ({len(both)} runs). Aimed at: {MINUTES} minutes, {kept} "
        f"without the teaching and {taught_kept} with it."
    )


def _records(strategy: str) -> list[Record]:
    paths = sorted((RESULTS / "ml-1m" / RECIPE / "records").glob(f"deepfm-{strategy}-*.json"))
    return list(map(read_record, paths))


BLOCKS = {"budget-hours": hours}
