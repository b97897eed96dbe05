"""Training on: codes move, and numbers and the rest of the model learn what a full model says.

Labels of the training part have been seen often enough: with them a small model overfits at once.
"""

from __future__ import annotations

from autodpq_budget.move import move
from autodpq_budget.teach import Taught
from autodpq_lib.config import Limit
from autodpq_lib.models.ctr_model import CTRModel
from autodpq_lib.training.fit import Fit
from autodpq_lib.training.run import Run
from autodpq_lib.training.trainer import Row, Trainer

#: Rounds at most, the one without training among them, and those that may bring nothing.
LIMIT = Limit(rounds=9, patience=2)
#: Rounds, the first ones, before which codes move.
MOVES = 3


class Onward(Trainer):
    """Trains a model that is whole already: its first round only validates what there is."""

    def round(self, number: int) -> Row:
        """One round; the first changes nothing."""
        return super().round(number) if number else {"steps": 0}


class Moving(Onward, Taught):
    """Towards a teacher, with codes that move."""

    def __init__(self, model: CTRModel, run: Run, teacher: CTRModel) -> None:
        super().__init__(model, run, teacher)
        self.schema = run.schema

    def round(self, number: int) -> Row:
        """One round; before each of the first few that train, the codes move."""
        if 0 < number <= MOVES:
            move(self.model, self.teacher, self.schema, self.train)
        return super().round(number)


def train_on(run: Run, model: CTRModel, teacher: CTRModel) -> Fit:
    """Train on, as the run's configuration says, and stop on validation; the model ends with the best weights.

    Those may be the ones that it came with.
    """
    return run.fit("compress", model, trainer=Moving(model, run, teacher), limit=LIMIT)
