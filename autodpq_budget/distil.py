"""Learning from a full model: the targets are its probabilities and no labels (Hinton, Vinyals and Dean, 2015).

A narrow model that is taught so loses little to the wide one that teaches it, and its rows say more with fewer numbers:
results/budget.md, "How wide?", has the difference.
"""

from __future__ import annotations

import torch
from torch import Tensor
from tqdm import tqdm

from autodpq_data.samples import Batch
from autodpq_lib.models.ctr_model import CTRModel
from autodpq_lib.training.run import Run
from autodpq_lib.training.trainer import Row, Trainer


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
