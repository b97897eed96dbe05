"""What a process that trains or plans has to know of the compressor and its rivals: strategies, and their plan."""

from __future__ import annotations

from autodpq_budget.plan import budget_plan
from autodpq_budget.strategy import register_budget
from autodpq_budget.taught import learn
from autodpq_eval.parts import PLANS
from autodpq_rivals.strategies import register_rivals


def register_all() -> None:
    """Make all of them strategies, and ``budget`` a part of the evaluation."""
    register_rivals(learn)
    register_budget()
    PLANS["budget"] = budget_plan
