"""The compressor as a strategy: ``RunConfig(strategy="budget", options={"bytes": 57_630}, embedding_dim=8, ...)``."""

from __future__ import annotations

from autodpq_budget.by_groups import ByGroups, least_bytes
from autodpq_budget.check_arguments import check_bytes, expect
from autodpq_budget.fine_tune import fine_tune, limit
from autodpq_budget.of_model import menu_of, on_groups
from autodpq_budget.other_width import TAUGHT
from autodpq_budget.taught import taught
from autodpq_budget.teacher import fe_of, taught_of, teacher_of
from autodpq_data.schema import Schema
from autodpq_lib.config import RunConfig
from autodpq_lib.models.build import full
from autodpq_lib.models.ctr_model import CTRModel
from autodpq_lib.strategies import register
from autodpq_lib.training.fit import Fit
from autodpq_lib.training.run import Run
from autodpq_rivals.strategies import FineTuning

COMPRESSOR = "budget"


def budget(run: Run) -> list[Fit]:
    """Compress a taught FE of the run's width, or the teacher, to ``bytes`` and fine-tune it; the fits that this took.

    Options: ``bytes`` of embedding and first-order weights, as wherever methods are compared; as a control ``taught``,
    false for training on labels in place of a teacher, with codes that are not chosen anew.

    Raises:
        ValueError: other options, bytes that are too few, or a device that is not the CPU.
    """
    _check(run.config)
    _check_room(run.config, run.schema)
    if not run.config.options.get("taught", True):
        return _alone(run)
    teacher, fits = teacher_of(run)
    model, own = taught_of(run, teacher)
    return [*fits, *own, fine_tune(run, _chosen(run, model), teacher)]


def _check(config: RunConfig) -> None:
    options, of = config.options, f"options of {COMPRESSOR}"
    named = {"bytes"} <= {*options} <= {"bytes", "taught"}
    expect(named, of, "bytes, and at most taught", ", ".join(options) or "none")
    check_bytes(options["bytes"], f"{of}: bytes")
    taught = options.get("taught", True)
    expect(isinstance(taught, bool), f"{of}: taught", "true or false", repr(taught))
    expect(config.device == "cpu", f"device of {COMPRESSOR}", "cpu", config.device)


def _check_room(config: RunConfig, schema: Schema) -> None:
    """Before anything is trained: the choice itself would refuse it after minutes."""
    budget, dim = config.options["bytes"], config.embedding_dim
    least = least_bytes(schema, dim, config.model)
    expect(budget >= least, f"options of {COMPRESSOR}: bytes", f"at least {least} at X = {dim}", budget)


def _alone(run: Run) -> list[Fit]:
    """FE of the run's width, from labels; trained on by labels, too."""
    model, fits = fe_of(run, run.config.embedding_dim, "full-labels")
    made = _chosen(run, model)
    trainer = FineTuning(made, run.train, run.config)
    return [*fits, run.fit("compress", made, trainer=trainer, limit=limit(run.config))]


def _chosen(run: Run, model: CTRModel) -> CTRModel:
    """A model in the bytes of the run."""
    offered = menu_of(model, run.schema, run.train)
    return on_groups(run.config, run.schema, model, offered.stored(int(run.config.options["bytes"])))


def embedding(config: RunConfig, schema: Schema) -> ByGroups:
    """Means of all groups, in the place of which :func:`budget` puts its choice."""
    return ByGroups(schema, config.embedding_dim)


def register_budget() -> None:
    """Make the compressor a strategy, and so the FE that it starts from."""
    register(COMPRESSOR, embedding, strategy=budget)
    register(TAUGHT, full, strategy=taught)
