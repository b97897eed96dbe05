"""The rules of the ledger's verdicts: thresholds that were fixed before any result."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from scipy import stats

from autodpq_eval.paper import truncated
from autodpq_eval.stats import LEVEL, MARGIN


def on_number(values: Mapping[int, float], paper: float) -> dict[str, float | str]:
    """Mean over the seeds, its 95 % interval, and the verdict.

    *reproduced* if the mean is within 0.001 of the paper's number, or that number lies in the interval; else *off by*
    the gap. With fewer than two seeds only ``n`` and the verdict *missing*.
    """
    if len(values) < 2:
        return {"n": len(values), "verdict": "missing"}
    each = np.array(list(values.values()))
    half = stats.t.ppf(0.975, len(each) - 1) * each.std(ddof=1) / math.sqrt(len(each))
    mean, low, high = each.mean(), each.mean() - half, each.mean() + half
    same = abs(mean - paper) <= MARGIN or low <= paper <= high
    verdict = "reproduced" if same else f"off by {mean - paper:+.4f}"
    return {"ours": mean, "low": low, "high": high, "n": len(each), "verdict": verdict}


def on_space(space: int, paper: str) -> dict[str, str]:
    """*reproduced* if equal after truncation to thousands or millions."""
    return {"ours": truncated(space), "verdict": "reproduced" if truncated(space) == paper else "off"}


def on_comparison(ours: float, p: float, paper: float) -> str:
    """Verdict on "A beats B"; ``ours`` and ``paper`` are positive where the claim holds, ``p`` is corrected.

    *reproduced*: the claimed sign, p < 0.05, at least half of the paper's size. *direction only*: the claimed sign
    otherwise. *not reproduced*: the other sign or zero, p >= 0.05. *contradicted*: the other sign, p < 0.05. Where the
    paper gives no size (NaN), or its own numbers contradict its text, half of its size is no hurdle.
    """
    if ours <= 0:
        return "contradicted" if p < LEVEL else "not reproduced"
    return "reproduced" if p < LEVEL and not ours < paper / 2 else "direction only"


def on_no_worse(ours: float, p: float, p_no_worse: float) -> str:
    """Verdict on "A is no worse than B", a claim that the test of a difference can't show; both p are corrected.

    *reproduced*: the one-sided paired test shows A less than 0.001 below B, ``p_no_worse`` < 0.05. Else *contradicted*,
    if A is shown to be below B as in any comparison, ``p`` < 0.05; else *not reproduced*.
    """
    if p_no_worse < LEVEL:
        return "reproduced"
    return "contradicted" if ours < 0 and p < LEVEL else "not reproduced"
