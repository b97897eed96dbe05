"""FE as a teacher, and what it has taught: finished runs of this machine, or trained now."""

from __future__ import annotations

from contextlib import suppress

from autodpq_budget.distil import Distilling
from autodpq_budget.other_width import TAUGHT, TEACHER_DIM, like
from autodpq_lib.config import RunConfig
from autodpq_lib.models.build import full_model
from autodpq_lib.models.ctr_model import CTRModel
from autodpq_lib.training.fit import Fit
from autodpq_lib.training.run import Run
from autodpq_runs.kept import DamagedError, weights
from autodpq_runs.run_paths import identity_of, weights_path


def teacher_of(run: Run) -> tuple[CTRModel, list[Fit]]:
    """FE of width :data:`TEACHER_DIM` on the run's data, and its fit if it had to be trained."""
    return fe_of(run, TEACHER_DIM, "full-teacher")


def fe_of(run: Run, dim: int, name: str) -> tuple[CTRModel, list[Fit]]:
    """FE of width ``dim``, from labels, and its fit, of that name, if it had to be trained."""
    return _made(run, like(run.config, "fe", dim), name)


def taught_of(run: Run, teacher: CTRModel) -> tuple[CTRModel, list[Fit]]:
    """FE of the run's width, taught, and its fit if it had to be trained; of the teacher's width it is the teacher."""
    if run.config.embedding_dim == TEACHER_DIM:
        return teacher, []
    return _made(run, like(run.config, TAUGHT, run.config.embedding_dim), "full-taught", teacher)


def _made(run: Run, config: RunConfig, name: str, teacher: CTRModel | None = None) -> tuple[CTRModel, list[Fit]]:
    """The finished model of a configuration, or one that is trained now, by a teacher if there is one, and its fit."""
    model = full_model(config, run.schema)
    if _load(model, config, run):
        return model, []
    return model, [run.fit(name, model, trainer=Distilling(model, run, teacher) if teacher else None)]


def _load(model: CTRModel, config: RunConfig, run: Run) -> bool:
    """Take the weights of the finished run, if they are whole on this machine.

    A training here would give the same bits, if this kind of processor has trained them.
    """
    with suppress(FileNotFoundError, DamagedError):
        model.load_state_dict(weights(weights_path(identity_of(config, run.schema.fingerprint))))
        return True
    return False
