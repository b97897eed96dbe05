"""The summary, the model card, and what was broken on purpose: results/summary.md, model_card.md and trust.md."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from autodpq_eval.layout import LABELS, markdown
from autodpq_eval.words import plus_minus
from autodpq_lib.config import RECIPES, STRATEGIES
from benchmarks import kills, suite
from benchmarks.fuzz import run as fuzz
from scripts.pages import readings, verdict
from scripts.pages.committed import runs, table


def accuracy() -> str:
    """Test AUC of Table 1, by strategy and recipe."""
    rows = []
    for recipe in RECIPES:
        aucs = table(recipe).query("metric == 'auc'").set_index("strategy")
        rows.append(
            [f"`{recipe}`", *(plus_minus(aucs.loc[name, "mean"], aucs.loc[name, "sd"], "") for name in STRATEGIES)]
        )
    return markdown(["recipe", *(LABELS[name] for name in STRATEGIES)], rows)


def touched() -> str:
    """Test AUC of the samples with and without a low-frequency feature, by strategy."""
    rows = []
    for part, name in (("touched", "with a rare feature"), ("untouched", "without")):
        each = [[r.test_parts[part].auc for r in runs("tuned").of(strategy)] for strategy in STRATEGIES]
        rows.append([name, *(f"{np.mean(aucs):.4f}" for aucs in each)])
    return markdown(["samples", *(LABELS[name] for name in STRATEGIES)], rows)


SUMMARY: Mapping[str, Callable[[], str]] = {
    "summary": verdict.whole,
    "summary-laboratory": readings.summary,
}
MODEL_CARD = {"model-card": accuracy, "model-card-touched": touched}
TRUST = {"trust-files": fuzz.table, "trust-kills": kills.table, "trust-tests": suite.table}
