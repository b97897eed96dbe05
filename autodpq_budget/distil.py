"""Learning from a full model: the targets are its probabilities and no labels (Hinton, Vinyals and Dean, 2015).

A narrow model that is taught so loses little to the wide one that teaches it, and its rows say more with fewer numbers:
results/budget.md, "How wide?", has the difference.
"""

from __future__ import annotations

from contextlib import suppress
from copy import deepcopy

import torch
from torch import Tensor
from tqdm import tqdm

from autodpq_budget.check_arguments import expect
from autodpq_data.samples import Batch
from autodpq_lib.config import READ_BY, RunConfig
from autodpq_lib.models.build import full_model
from autodpq_lib.models.ctr_model import CTRModel
from autodpq_lib.training.fit import Fit
from autodpq_lib.training.run import Run
from autodpq_lib.training.trainer import Row, Trainer
from autodpq_rivals.methods import check_options
from autodpq_rivals.strategies import train_and_store
from autodpq_runs.kept import DamagedError, weights
from autodpq_runs.run_paths import identity_of, weights_path

#: Name of the strategy that is FE, taught; and width X of the FE that teaches, by which all are measured.
TAUGHT, TEACHER_DIM = "taught", 16
#: Keys in which what a run starts from is not like the run.
OWN = ("options", "embedding_dim", "strategy", "subspaces", "reading")


class Distilling(Trainer):
    """Trains a model towards a teacher's probabilities on the training samples.

    Args:
        model: what is trained.
        run: its training part and configuration.
        teacher: gives the targets.
    """

    def __init__(self, model: CTRModel, run: Run, teacher: CTRModel) -> None:
        super().__init__(model, run.train, run.config)
        self.teacher, self.bar = teacher.eval(), tqdm(disable=True)

    def round(self, number: int) -> Row:
        """One round, with a progress bar where there is a terminal."""
        with tqdm(desc=f"round {number}", unit=" batches", leave=False, disable=None) as self.bar:
            return super().round(number)

    def loss(self, batch: Batch) -> Tensor:
        """Mean cross entropy between the teacher's probabilities of a batch and the model's."""
        self.bar.update()
        ids, _ = batch
        with torch.no_grad():
            targets = self.teacher(ids).sigmoid()
        return super().loss((ids, targets))


def teacher_of(run: Run) -> tuple[CTRModel, list[Fit]]:
    """FE of width :data:`TEACHER_DIM` on the run's data, and its fit if it had to be trained."""
    return fe_of(run, TEACHER_DIM, "full-teacher")


def fe_of(run: Run, dim: int, name: str) -> tuple[CTRModel, list[Fit]]:
    """FE of width ``dim``, from labels, and its fit, of that name, if it had to be trained."""
    return _made(run, like(run.config, "fe", dim), name)


def taught_of(run: Run, teacher: CTRModel) -> tuple[CTRModel, list[Fit]]:
    """FE of the run's width, taught, and its fit if it had to be trained; of the teacher's width a copy of that."""
    if run.config.embedding_dim == TEACHER_DIM:
        return deepcopy(teacher), []
    return _made(run, like(run.config, TAUGHT, run.config.embedding_dim), "full-taught", teacher)


def _made(run: Run, config: RunConfig, name: str, teacher: CTRModel | None = None) -> tuple[CTRModel, list[Fit]]:
    """The finished model of a configuration, or one that is trained now, by a teacher if there is one, and its fit."""
    model = full_model(config, run.schema)
    if _load(model, config, run):
        return model, []
    return model, [run.fit(name, model, trainer=Distilling(model, run, teacher) if teacher else None)]


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


def like(config: RunConfig, strategy: str, dim: int) -> RunConfig:
    """Another strategy of width ``dim``; in all else that every strategy reads as ``config`` has it."""
    named = {key: getattr(config, key) for key in ("dataset", "recipe", "model", "seed")}
    same = {key: value for key, value in config.changed().items() if key not in OWN and key not in READ_BY}
    return RunConfig.model_validate(named | same | {"strategy": strategy} | keys_of_width(config.dataset, dim))


def keys_of_width(dataset: str, dim: int) -> dict[str, object]:
    """What a configuration without quantisers says of X: the subspaces, which it has too, must divide it.

    An X that is no multiple of 8 has one subspace; another has those of the data set that divide it, or one.
    """
    usual = RunConfig(dataset=dataset, strategy="fe").subspaces
    fit = tuple(parts for parts in usual if dim % parts == 0) if dim % 8 == 0 else ()
    fit = fit or (1,)
    return {"embedding_dim": dim, **({} if fit == usual else {"subspaces": fit})}


def _load(model: CTRModel, config: RunConfig, run: Run) -> bool:
    """Take the weights of the finished run, if they are whole on this machine.

    A training here would give the same bits, if this kind of processor has trained them.
    """
    with suppress(FileNotFoundError, DamagedError):
        model.load_state_dict(weights(weights_path(identity_of(config, run.schema.fingerprint))))
        return True
    return False
