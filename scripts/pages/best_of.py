"""What choosing among trainings is worth by itself: the best of k by validation, of each strategy on ten seeds."""

from __future__ import annotations

from functools import cache
from statistics import mean

from autodpq_eval.best_of import best_of
from autodpq_eval.layout import LABELS, markdown
from autodpq_eval.measures import by_seed
from autodpq_eval.plans import TEN_SEEDS
from autodpq_lib.config import RECIPES
from scripts.pages import committed

#: Of so many trainings one is kept.
SEVERAL = (2, 3, 5)
SHOWN = ("fe", "others", "autodpq")
#: What they are held against: Grid and Random, which choose among trials, and AutoDPQ.
CHOOSING = ("grid", "random", "autodpq")


@cache
def expected(recipe: str, strategy: str, k: int) -> float:
    """Test AUC to expect of the best of k seeds by validation."""
    runs = committed.runs_of_controls(recipe)[strategy]
    return best_of(k, *(list(by_seed(runs, measure).values()) for measure in ("valid auc", "auc")))


def table() -> str:
    """A row a recipe and strategy: the mean of single runs, and what keeping the best of several adds."""
    head = ["recipe", "strategy", "one training", *(f"best of {k}" for k in SEVERAL)]
    rows = [[f"`{recipe}`", LABELS[name], *_row(recipe, name)] for recipe in RECIPES for name in SHOWN]
    return f"{markdown(head, rows)}\n{' '.join(map(_needed, RECIPES))}\n"


def _row(recipe: str, name: str) -> list[str]:
    one = expected(recipe, name, 1)
    return [f"{one:.4f}", *(f"{each:.4f} ({each - one:+.4f})" for each in (expected(recipe, name, k) for k in SEVERAL))]


def _needed(recipe: str) -> str:
    """How many FE trainings have a best one as good as what chooses among trials, and as AutoDPQ."""
    runs = committed.runs_of_controls(recipe)
    aucs = {name: by_seed(runs[name], "auc").values() for name in CHOOSING}
    said = (
        f"{LABELS[name]}'s {mean(each):.4f} ({len(each)} seeds) {_reached(recipe, mean(each))}"
        for name, each in aucs.items()
    )
    return f"Recipe `{recipe}`: the best of k trainings of FE reaches {', '.join(said)}."


def _reached(recipe: str, aim: float) -> str:
    enough = [k for k in range(1, len(TEN_SEEDS) // 2 + 1) if expected(recipe, "fe", k) >= aim]
    return f"at k = {enough[0]}" if enough else f"at no k up to {len(TEN_SEEDS) // 2}"


BLOCKS = {"best-of": table}
