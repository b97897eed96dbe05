"""The five columns of Table 1, one file each. A strategy turns a :class:`Run` into stages and sees no test data."""

from __future__ import annotations

from collections.abc import Callable

from autodpq_lib.runs.run import Run, Stage
from autodpq_lib.strategies.autodpq import autodpq
from autodpq_lib.strategies.fe import full_embedding
from autodpq_lib.strategies.grid import grid
from autodpq_lib.strategies.others import others
from autodpq_lib.strategies.random import random

BY_NAME: dict[str, Callable[[Run], list[Stage]]] = {
    "fe": full_embedding,
    "others": others,
    "grid": grid,
    "random": random,
    "autodpq": autodpq,
}
