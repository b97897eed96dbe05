"""Training on with the codes fixed: numbers and the rest of the model follow each other."""

from __future__ import annotations

from autodpq_lib.config import Limit
from autodpq_lib.models.ctr_model import CTRModel
from autodpq_lib.training.fit import Fit
from autodpq_lib.training.run import Run
from autodpq_lib.training.trainer import Row, Trainer

#: Rounds at most, the one without training among them, and those that may bring nothing.
LIMIT = Limit(rounds=16, patience=3)
#: The model as it comes.
NONE = Limit(rounds=1, patience=1)


class Onward(Trainer):
    """Trains on a model that is whole already: its first round only validates what there is."""

    def round(self, number: int) -> Row:
        """One round; the first changes nothing."""
        return super().round(number) if number else {"steps": 0}


def train_on(run: Run, model: CTRModel, name: str = "compress", *, onward: bool = True) -> Fit:
    """Train on, as the run's configuration says, and stop on validation; the model ends with the best weights.

    Those may be the ones that it came with, and are if ``onward`` is off.
    """
    trainer = Onward(model, run.train, run.config)
    return run.fit(name, model, trainer=trainer, limit=LIMIT if onward else NONE)
