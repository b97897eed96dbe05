"""One run: all that a strategy may use. It sees no test data."""

from __future__ import annotations

from dataclasses import dataclass

from autodpq_data.samples import Samples
from autodpq_data.schema import Schema
from autodpq_lib.config import Decision, Limit, RunConfig
from autodpq_lib.models.ctr_model import CTRModel
from autodpq_lib.training.checkpoints import Checkpoints
from autodpq_lib.training.fit import Fit, run_fit
from autodpq_lib.training.trainer import Trainer


@dataclass(frozen=True)
class Run:
    """Configuration, training and validation data, and a folder for checkpoints."""

    config: RunConfig
    schema: Schema
    train: Samples
    valid: Samples
    checkpoints: Checkpoints

    def fit(
        self,
        name: str,
        model: CTRModel,
        *,
        decision: Decision | None = None,
        trainer: Trainer | None = None,
        limit: Limit | None = None,
    ) -> Fit:
        """Train a model on the run's training data, with validation after each round; returns the finished fit.

        An interrupted fit resumes where it was, bit for bit. The model ends with the weights of the fit's result.

        Args:
            name: of the fit within the run, and of its checkpoints; see :func:`~autodpq_lib.training.fit.stage_of`.
            model: what is trained.
            decision: (K, D) of each field, where the model has one.
            trainer: trains the model; by default a plain :class:`Trainer`.
            limit: when to stop; by default the profile's limit of a training.
        """
        last = self.config.scored == "last" or (limit is not None and limit.until == "settled")
        fit = Fit(name, self.checkpoints, decision, last)
        trainer = trainer or Trainer(model, self.train, self.config)
        return run_fit(fit, trainer, self.valid, limit or self.config.limits.train)
