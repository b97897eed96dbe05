"""FE: every feature has its row."""

from __future__ import annotations

from autodpq_lib.fit import Descent, Fit, fit
from autodpq_lib.models.build import full_model
from autodpq_lib.models.ctr_model import CTRModel
from autodpq_lib.run import Run, Stage


def descend(run: Run, name: str, model: CTRModel, keep_above: float = -1.0) -> Fit:
    """Train a model on the run's data with the run's budget."""
    trainer = Descent(model, run.train, run.config)
    budget = run.config.budget
    return fit(
        name,
        model,
        trainer,
        run.valid,
        run.workspace,
        seed=run.config.seed,
        epochs=budget.epochs,
        patience=budget.patience,
        keep_above=keep_above,
    )


def full_embedding(run: Run) -> list[Stage]:
    """FE, baseline 1 of section 4.2: all features, no compression."""
    done = descend(run, "fit", full_model(run.config, run.schema))
    return [Stage("fit", [(done, None)], lambda _: full_model(run.config, run.schema))]
