"""A paragraph of results/README.md: what Tables 1 and 2 would say if validation chose the best baseline."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np

from autodpq_eval.layout import LABELS, NAMES
from autodpq_eval.measures import by_seed
from autodpq_eval.stats import BETTER, best_baseline, effect, starred
from autodpq_eval.tables import OURS, TABLES
from autodpq_lib.config import MODELS, RECIPES
from scripts.pages.committed import runs, table_of


class Choice(NamedTuple):
    """A comparison of Table 1 or 2: the best baselines, how much larger AutoDPQ's lead is over validation's, a star."""

    on_test: str
    on_valid: str
    gains: float
    star: bool


def text() -> str:
    """In how many comparisons it is the same baseline, and how far AutoDPQ's lead changes where it is another."""
    found = [choice(*cell) for cell in product(RECIPES, MODELS, NAMES)]
    moved = [each for each in found if each.on_test != each.on_valid]
    names = ", ".join(
        dict.fromkeys(f"{LABELS[each.on_valid]} where test chooses {LABELS[each.on_test]}" for each in moved)
    )
    most = f" {names}; AutoDPQ's lead then grows by at most {max(each.gains for each in moved):.4f}" if moved else ""
    return (
        "The best baseline is the one with the best mean on the *test* set, which works against AutoDPQ. In "
        f"{len(found) - len(moved)} of {len(found)} comparisons (model, metric and recipe; DeepFM as in Table 1) it "
        f"has the best mean on validation, too; in {len(moved)} validation would choose{most or ' another'}. "
        f"Stars that AutoDPQ would then have: {sum(each.star for each in found)}.\n"
    )


def choice(recipe: str, model: str, metric: str) -> Choice:
    """Of the table that has the model."""
    number = table_of(model)
    records = {name: runs(recipe, number).of(name, model) for name in TABLES[number][1]}
    test = {name: by_seed(each, metric) for name, each in records.items()}
    means = {name: np.mean([getattr(r.valid, metric) for r in each]) for name, each in records.items() if name != OURS}
    on_valid = best_baseline(means, metric)
    on_test = best_baseline({name: float(np.mean([*test[name].values()])) for name in means}, metric)
    leads = [effect(test[OURS], test[name]) for name in (on_test, on_valid)]
    gains = BETTER[metric] * (leads[1]["effect"] - leads[0]["effect"])
    return Choice(on_test, on_valid, gains, starred(leads[1], metric))


BLOCKS = {"by-validation": text}
