"""Fine-tuning: codes are chosen anew, and numbers and the rest of the model learn what a full model says.

Labels of the training part have been seen often enough: with them a small model overfits at once.
"""

from __future__ import annotations

from autodpq_budget.distil import Distilling
from autodpq_budget.recode import recode
from autodpq_budget.starting_model import for_scratch
from autodpq_lib.config import Limit, RunConfig
from autodpq_lib.models.ctr_model import CTRModel
from autodpq_lib.training.fit import Fit
from autodpq_lib.training.run import Run
from autodpq_lib.training.trainer import Row
from autodpq_rivals.strategies import FineTuning
from autodpq_runs.open import scratch_run

#: At most eight rounds after the one that only validates; it stops after two in a row without a gain.
LIMIT = Limit(rounds=9, patience=2)
#: Before so many of the first rounds that train, codes are chosen anew.
MOVES = 3


class Recoding(FineTuning, Distilling):
    """Fine-tuning towards a teacher, with codes that are chosen anew before the first ``moves`` rounds that train."""

    def __init__(self, model: CTRModel, run: Run, teacher: CTRModel, moves: int = MOVES) -> None:
        super().__init__(model, run, teacher)
        self.schema, self.moves = run.schema, moves

    def round(self, number: int) -> Row:
        """One round; codes are chosen anew before it, if it is one of the first ``moves`` that train."""
        if 0 < number <= self.moves:
            recode(self.model, self.teacher, self.schema, self.train)
        return super().round(number)


def limit(config: RunConfig) -> Limit:
    """How long fine-tuning may be; in the smoke profile no longer than a training."""
    return config.limits.train if config.profile == "smoke" else LIMIT


def fine_tune(run: Run, model: CTRModel, teacher: CTRModel, moves: int = MOVES) -> Fit:
    """Fine-tune, and stop on validation; the model ends with the weights that the run's configuration scores.

    The best may be those that it came with. With ``moves=0`` codes stay as they are.
    """
    return run.fit("compress", model, trainer=Recoding(model, run, teacher, moves), limit=limit(run.config))


def fine_tune_apart(config: RunConfig, model: CTRModel, teacher: CTRModel, moves: int = MOVES) -> None:
    """Fine-tune beside a loaded run: on the CPU, and nothing of it is kept but the model's weights."""
    scratch = scratch_run(for_scratch(config))
    fine_tune(scratch, model, teacher, moves)
    scratch.checkpoints.clear()
