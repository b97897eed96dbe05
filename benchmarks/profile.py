"""Where the time of a training step goes: by kind of work, from torch's profiler."""

from __future__ import annotations

import os
from collections.abc import Callable
from statistics import median
from time import perf_counter

import pandas as pd
from torch.profiler import ProfilerActivity, profile

#: Kind of work -> the operators that do it, torch's and ours. What is none of these but an operator is "elementwise".
KINDS = {
    "gather": ("aten::index_select", "aten::gather", "aten::index", "aten::embedding"),
    "scatter": (
        "aten::index_add_",
        "aten::scatter_add_",
        "aten::index_copy_",
        "aten::_index_put_impl_",
        "RowsInCBackward",
    ),
    "products": ("aten::mm", "aten::addmm", "aten::bmm", "aten::baddbmm"),
    "quantisers": ("quantisers",),
    "optimiser": ("aten::_fused_adam_",),
}
ELEMENTWISE, PYTHON = "elementwise", "Python and dispatch"


def by_kind(step: Callable[[], object], repeats: int, warm: int = 10) -> dict[str, float]:
    """Milliseconds of a step by kind of work, their floor, and the whole.

    The floor is what cannot be fused away: rows gathered and scattered, matrices multiplied, vectors quantised, weights
    updated, each as long as the operator for it takes within this step. Python and dispatch are what no operator
    accounts for. The whole is measured without the profiler, which slows steps down, and divided in the proportions
    that it saw.

    Args:
        step: does one step.
        repeats: steps to measure, with the profiler and without.
        warm: steps before.
    """
    for _ in range(warm):
        step()
    whole = 1e3 * median(_seconds(step) for _ in range(repeats))
    os.environ.setdefault("KINETO_LOG_LEVEL", "6")  # or the profiler tells when it starts and when it stops
    with profile(activities=[ProfilerActivity.CPU]) as watched:
        watched_ms = sum(1e3 * _seconds(step) for _ in range(repeats))
    found = dict.fromkeys([*KINDS, ELEMENTWISE], 0.0)
    for event in watched.key_averages():
        if kind := _kind(event.key):
            found[kind] += whole * event.self_cpu_time_total / 1e3 / watched_ms
    found[PYTHON] = whole - sum(found.values())
    return found | {"floor": sum(found[kind] for kind in KINDS), "whole": whole}


def as_table(found: dict[str, dict[str, float]]) -> pd.DataFrame:
    """A strategy a row: milliseconds, and the whole in floors."""
    table = pd.DataFrame(found).T
    return table.assign(**{"whole / floor": table["whole"] / table["floor"]})


def _seconds(step: Callable[[], object]) -> float:
    start = perf_counter()
    step()
    return perf_counter() - start


def _kind(event: str) -> str | None:
    """None for what is no operator, and so counts as Python and dispatch."""
    other = ELEMENTWISE if event.startswith("aten::") else None
    return next((kind for kind, operators in KINDS.items() if event in operators), other)
