"""results/budget-rivals.md: the rivals, the settings that were tried of each, and every method at every budget."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pandas as pd

from autodpq_budget.at_equal_bytes import METHOD_NAMES
from autodpq_budget.strategy import COMPRESSOR
from autodpq_eval.layout import markdown
from autodpq_lib.config import RECIPES
from autodpq_rivals.methods import METHODS
from scripts.pages.budget import absent, rows_of, used
from scripts.pages.equal_bytes import choice_runs


def methods() -> str:
    """What each rival stores, and whose it is: the first line of its file."""
    docs = {name: str(sys.modules[each.__module__].__doc__).splitlines()[0] for name, each in METHODS.items()}
    rows = [[METHOD_NAMES[name], f"[`{name}`](../{_file(name)})", line] for name, line in docs.items()]
    return markdown(["method", "strategy", "what it is"], rows)


def _file(method: str) -> str:
    return METHODS[method].__module__.replace(".", "/") + ".py"


def table() -> str:
    """Bytes, AUC and the paired difference to FE, in both recipes."""
    said = [f"`{recipe}`: {used(recipe)}{absent(recipe)}" for recipe in RECIPES]
    return rows_of([(recipe, "deepfm") for recipe in RECIPES]) + "\n" + "\n".join(said) + "\n"


def tried() -> str:
    """How many settings of each method were tried on the seed of choice, and their widths."""
    names = (COMPRESSOR, *METHODS)
    runs = {recipe: choice_runs(recipe).query("control == ''").groupby("method") for recipe in RECIPES}
    counts = {recipe: each["setting"].nunique() for recipe, each in runs.items()}
    every = pd.concat([each["width"].unique().explode() for each in runs.values()])
    widths = {name: sorted({*every[every.index == name]}, reverse=True) for name in names}
    rows = [
        [
            METHOD_NAMES[name],
            ", ".join(map(str, widths[name])),
            *(f"{counts[r].get(name, 0)}" for r in RECIPES),
        ]
        for name in names
    ]
    return markdown(["method", "X", *(f"settings, `{recipe}`" for recipe in RECIPES)], rows)


def norms() -> str:
    """How often the norm of DPQ-VQ and MGQE lost on the seed of choice."""
    rows = pd.concat([choice_runs(recipe).assign(recipe=recipe) for recipe in RECIPES]).query("control == ''")
    rows = rows[rows["method"].isin(["dpq-vq", "mgqe"])]
    plain = rows["options"].str.contains("normed no")
    rows["rest"] = rows["options"].str.replace(r", normed (yes|no)", "", regex=True)
    pairs = rows[plain].merge(rows[~plain], on=["recipe", "method", "width", "rest", "cpu"])
    lost = (pairs["valid_x"] > pairs["valid_y"]).groupby([pairs["method"], pairs["recipe"]]).agg(["sum", "count"])
    each = (
        f"{METHOD_NAMES[method]}, `{recipe}`, {of['sum']} of {of['count']}" for (method, recipe), of in lost.iterrows()
    )
    return (
        "On the seed of choice, which is not reported, the [norm](#where-rivals-differ-from-their-sources) lowered "
        f"validation AUC in {lost['sum'].sum()} of {lost['count'].sum()} pairs "
        f"of settings ({'; '.join(each)}). So at each budget DPQ-VQ and MGQE try up to six sizes, all without it; "
        "MGQE in recipe `paper` was never tried with it. Settings with the norm are of an earlier plan, which `make "
        "budget` no longer runs.\n"
    )


BLOCKS: dict[str, Callable[[], str]] = {
    "budget-methods": methods,
    "budget-table": table,
    "budget-tried": tried,
    "budget-norm": norms,
}
