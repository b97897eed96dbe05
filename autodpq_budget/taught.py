"""Strategies whose runs learn from FE: FE of another width, and the rivals, as a control."""

from __future__ import annotations

from autodpq_budget.check_arguments import expect
from autodpq_budget.distil import Distilling
from autodpq_budget.other_width import TAUGHT
from autodpq_budget.teacher import teacher_of
from autodpq_lib.models.build import full_model
from autodpq_lib.training.fit import Fit
from autodpq_lib.training.run import Run
from autodpq_rivals.methods import check_options
from autodpq_rivals.strategies import train_and_store


def taught(run: Run) -> list[Fit]:
    """FE of the run's width, taught by FE of width :data:`TEACHER_DIM`: a strategy.

    Raises:
        ValueError: it is told options, of which it has none.
    """
    options = run.config.options
    expect(not options, f"options of {TAUGHT}", "none", ", ".join(options))
    teacher, fits = teacher_of(run)
    model = full_model(run.config, run.schema)
    return [*fits, run.fit("fit", model, trainer=Distilling(model, run, teacher))]


def learn(run: Run) -> list[Fit]:
    """A rival, from labels or, with the option ``taught``, from what the compressor's teacher says: a control.

    Raises:
        ValueError: an option that the rival can't have.
    """
    check_options(run.config)  # the teacher does not read them
    if not run.config.options.get("taught"):
        return train_and_store(run)
    teacher, fits = teacher_of(run)
    return [*fits, *train_and_store(run, lambda model: Distilling(model, run, teacher))]
