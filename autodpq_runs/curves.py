"""What a record keeps of its fits: the epochs of each as columns, and which epochs make the time line."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import Field, model_validator

from autodpq_lib.config import Decision
from autodpq_lib.training.fit import UNSCORED, stage_of
from autodpq_lib.training.metrics import Metrics
from autodpq_system.strict import Strict

#: Columns that every curve has, and the largest value of each; none is negative. A search has more. No run takes longer
#: than thirty years.
COLUMNS = {"seconds": 1e9, "steps": 1e12, "valid_auc": 1.0, "valid_logloss": math.inf}


@dataclass(frozen=True)
class Improvement:
    """An epoch of the time line: by default, every best on validation so far in its stage.

    Attributes:
        stage: of the fit; the best so far is counted in each stage separately.
        fit: name of the fit.
        epoch: its epoch.
        seconds: training and validation of the whole run up to here.
        steps: weight updates of the whole run up to here.
    """

    stage: str
    fit: str
    epoch: int
    seconds: float
    steps: int
    valid: Metrics


@dataclass(frozen=True)
class Point(Improvement):
    """An improvement, scored on test at the end of the run."""

    test: Metrics


class FitLog(Strict):
    """One fit of a run: what it trained, and its epochs as columns.

    Attributes:
        name: of the fit, such as ``trial-003``, see :func:`~autodpq_lib.training.fit.stage_of`.
        decision: (K, D) per field, where the fit had one.
        curve: column -> one number an epoch.
    """

    name: Annotated[str, Field(pattern=r"^[a-z]+(-[a-z0-9]+)?$")]
    decision: Decision | None
    curve: dict[str, list[float]]

    @model_validator(mode="after")
    def _check(self) -> Self:
        lengths = {column: len(self.curve.get(column, [])) for column in {**COLUMNS, **self.curve}}
        if len(set(lengths.values())) > 1 or not all(lengths.values()):
            raise ValueError(f"curve: expected columns of one length, none empty, found {lengths}")
        for column, most in COLUMNS.items():
            if min(self.curve[column]) < 0 or max(self.curve[column]) > most:
                raise ValueError(f"curve.{column}: expected numbers from 0 to {most}, found others")
        return self

    @property
    def epochs(self) -> int:
        """How many epochs it had."""
        return len(self.curve["valid_auc"])

    @property
    def cost(self) -> dict[str, float]:
        """Seconds (training and validation) and steps (weight updates) of the fit."""
        return {key: sum(self.curve[key]) for key in ("seconds", "steps")}

    @property
    def stage(self) -> str:
        """Stage of the fit, such as ``trial``."""
        return stage_of(self.name)


def improvements(fits: Sequence[FitLog], scored: str) -> Iterator[Improvement]:
    """Epochs that are scored on test: the best so far of a served stage; with ``scored`` "last" only last ones."""
    seconds, steps, best = 0.0, 0, dict.fromkeys((log.stage for log in fits), -1.0)
    for log in fits:
        for epoch, auc in enumerate(log.curve["valid_auc"]):
            seconds += log.curve["seconds"][epoch]
            steps += int(log.curve["steps"][epoch])
            counts = scored != "last" or epoch == log.epochs - 1
            if log.stage not in UNSCORED and counts and auc > best[log.stage]:
                best[log.stage] = auc
                valid = Metrics(auc=auc, logloss=log.curve["valid_logloss"][epoch])
                yield Improvement(log.stage, log.name, epoch, round(seconds, 3), steps, valid)
