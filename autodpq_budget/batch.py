"""What the batch has to know of the compressor and its rivals: strategies, their notebook, their plan."""

from __future__ import annotations

from autodpq_budget.distil import learn
from autodpq_budget.plan import budget_plan
from autodpq_budget.strategy import register_budget
from autodpq_eval.batch import NOTEBOOKS
from autodpq_eval.parts import PLANS
from autodpq_lib.config import OUTSIDE
from autodpq_rivals.strategies import register_rivals

NOTEBOOK = "14_at_equal_bytes"


def register_all() -> None:
    """Make all of them strategies, run by one notebook, and ``budget`` a part of the evaluation."""
    register_rivals(learn)
    register_budget()
    NOTEBOOKS.update(dict.fromkeys(OUTSIDE, NOTEBOOK))
    PLANS["budget"] = budget_plan
