"""results/budget.md: AUC against bytes, the rate-distortion choice and its rivals beside FE."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import pandas as pd

from autodpq_budget import at_equal_bytes
from autodpq_budget.read_runs import full_bytes
from autodpq_budget.strategy import COMPRESSOR
from autodpq_eval.layout import LABELS, markdown
from autodpq_eval.words import plus_minus
from autodpq_lib.config import RECIPES, STRATEGIES
from autodpq_rivals.methods import METHODS
from benchmarks import choice, compressing, fine_tuning, large
from benchmarks.measured import read_measures
from scripts.pages import aims, equal_bytes, which_row
from scripts.pages.equal_bytes import NOT_YET, RECIPE, bold_ours, found


@cache
def data(recipe: str = RECIPE, model: str = "deepfm", dataset: str = "ml-1m") -> pd.DataFrame:
    """A row a method and budget."""
    runs = found(recipe, model, dataset=dataset)
    return runs if runs.empty else at_equal_bytes.table(runs)


def rows_of(kinds: Sequence[tuple[str, str]], dataset: str = "ml-1m") -> str:
    """A table of recipes and models: AutoDPQ and its baselines as they come, then every method at every budget."""
    rows = [
        [
            *(
                f"{LABELS[model]}, `{recipe}`",
                bold_ours(row["method"]),
                f"{row['share']:.1%}" if row["share"] < 1 else "–",
            ),
            *(f"{row['width']}", row["options"], f"{row['bytes']:,.0f}", f"{row['n']:.0f}"),
            plus_minus(row["auc"], row["sd"], ""),
            "" if (row["method"], row["share"]) == ("fe", 1) else plus_minus(row["difference"], row["half"]),
        ]
        for recipe, model in kinds
        for _, row in data(recipe, model, dataset).iterrows()
    ]
    head = ["model, recipe", "method", "budget", "X", "options", "bytes", "seeds", "AUC ↑", "difference to FE"]
    return markdown(head, rows) if rows else NOT_YET


def used(recipe: str, model: str = "deepfm") -> str:
    """How much of its budgets each method uses at least, where that is less than nine tenths."""
    rows = data(recipe, model).query("share < 1")
    rows = rows[~rows["method"].isin(STRATEGIES)]
    least = (rows["bytes"] / (rows["share"] * full_bytes(found(recipe, model)))).groupby(rows["method"]).min()
    said = [f"{at_equal_bytes.METHOD_NAMES[name]} {share:.0%}" for name, share in least.items() if share < 0.9]
    return f"Least share of a budget that a method uses, where it is below 90 %: {'; '.join(said) or 'none'}."


def absent(recipe: str) -> str:
    """The methods without a run on the seeds of the compressor, in a sentence, if there are any."""
    has = set(found(recipe)["method"])
    names = [at_equal_bytes.METHOD_NAMES[name] for name in (COMPRESSOR, *METHODS) if name not in has]
    names += [f"{at_equal_bytes.METHOD_NAMES[name]} at {share:.1%}" for share, name in equal_bytes.not_run(recipe)]
    return f" Not run yet on these seeds in recipe `{recipe}`: {', '.join(names)}." if names else ""


def avazu() -> str:
    """The same on the sample of Avazu's rows."""
    return rows_of([(recipe, "deepfm") for recipe in RECIPES], "avazu-sample")


def outside() -> str:
    """DeepCTR-Torch's DeepFM before and after."""
    first, *rest = read_measures("outside")["rows"]
    rows = [
        [f"{row['share']:.1%}", f"{row['bytes']:,.0f}", f"{row['auc']:.4f}", f"{row['auc'] - first['auc']:+.4f}"]
        for row in (first, *rest)
    ]
    return markdown(["of its tables", "bytes", "test AUC ↑", "change"], rows)


BLOCKS: dict[str, Callable[[], str]] = {
    "budget-ahead": which_row.verdict,
    "budget-avazu": avazu,
    "budget-choice": choice.text,
    "budget-compressing": compressing.table,
    "budget-fine-tuning": fine_tuning.table,
    "budget-large": large.table,
    "budget-outside": outside,
    "budget-row": which_row.text,
    "budget-targets": aims.targets,
}
