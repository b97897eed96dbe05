"""Beside Figure 3 on results/README.md: of which runs Random's curve is, and how these differ from Table 1's."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean

from autodpq_eval.again import beside
from autodpq_eval.batch import TABLE_SEEDS
from autodpq_eval.figure3 import long_runs
from autodpq_lib.config import RECIPES
from autodpq_runs.record import Record
from scripts.pages.committed import RESULTS, runs


def random_curve() -> str:
    """Of which runs Random's curve is, recipe by recipe."""
    return "\n".join(f"Recipe `{recipe}`: {_random_curve(recipe)}" for recipe in RECIPES)


def _random_curve(recipe: str) -> str:
    longer = long_runs(RESULTS, "ml-1m", recipe, TABLE_SEEDS)
    if not longer:
        return "Random's curve is that of Table 1's runs.\n"
    return two_trainings(runs(recipe).of("random"), [run for run in longer if run.config.strategy == "random"])


def two_trainings(short: Sequence[Record], long: Sequence[Record]) -> str:
    """Where Random ends in Table 1 and in its long runs, seed by seed, and what both trainings of its draws give."""
    draws, more = len(short[0].fits), len(long[0].fits)
    best, differ = zip(*(beside(*pair) for pair in zip(short, long, strict=True)), strict=True)
    return (
        f"Random's curve is not of Table 1's runs, but of longer ones, {more} draws in place of {draws}: it ends at "
        f"{_auc(long)}, where Table 1's Random has {_auc(short)} (means over {len(short)} seeds). The first {draws} "
        f"draws of a long run are the draws of Table 1, trained again (by {_made_by(long)}; Table 1's by "
        f"{_made_by(short)}). After these {draws}, the draw that is best on validation has a test AUC of "
        f"{mean(best):.4f} on average. Validation AUC of the same draw differs between its two trainings, at most by "
        f"{max(differ):.4f}.\n"
    )


def _auc(records: Sequence[Record]) -> str:
    return f"{mean(record.test.auc for record in records):.4f}"


def _made_by(records: Sequence[Record]) -> str:
    made = {f"{str(r.provenance.git_commit)[:7]} on {r.provenance.cpu}" for r in records}
    return ", ".join(sorted(made))
