"""results/budget.md: AUC against bytes, the rate-distortion choice and its rivals beside FE."""

from __future__ import annotations

import sys
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
from benchmarks import after_training, choice, compressing, large, search_or_choice
from benchmarks.measured import read_measures
from scripts.pages import aims, equal_bytes, which_row
from scripts.pages.equal_bytes import NOT_YET, RECIPE, bold_ours, choice_runs, found


def methods() -> str:
    """What each rival stores, and whose it is: the first line of its file."""
    docs = {name: str(sys.modules[each.__module__].__doc__).splitlines()[0] for name, each in METHODS.items()}
    rows = [[at_equal_bytes.METHOD_NAMES[name], f"[`{name}`](../{_file(name)})", line] for name, line in docs.items()]
    return markdown(["method", "strategy", "what it is"], rows)


def _file(method: str) -> str:
    return METHODS[method].__module__.replace(".", "/") + ".py"


@cache
def data(recipe: str = RECIPE, model: str = "deepfm", dataset: str = "ml-1m") -> pd.DataFrame:
    """A row a method and budget."""
    runs = found(recipe, model, dataset=dataset)
    return runs if runs.empty else at_equal_bytes.table(runs)


def table() -> str:
    """Bytes, AUC and the paired difference to FE, in both recipes."""
    said = [f"`{recipe}`: {used(recipe)}{absent(recipe)}" for recipe in RECIPES]
    return rows_of([(recipe, "deepfm") for recipe in RECIPES]) + "\n" + "\n".join(said) + "\n"


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


def tried() -> str:
    """How many settings of each method were tried on the seed of choice, and their widths."""
    names = (COMPRESSOR, *METHODS)
    runs = {recipe: choice_runs(recipe).query("control == ''").groupby("method") for recipe in RECIPES}
    counts = {recipe: each["setting"].nunique() for recipe, each in runs.items()}
    every = pd.concat([each["width"].unique().explode() for each in runs.values()])
    widths = {name: sorted({*every[every.index == name]}, reverse=True) for name in names}
    rows = [
        [
            at_equal_bytes.METHOD_NAMES[name],
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
        f"{at_equal_bytes.METHOD_NAMES[method]}, `{recipe}`, {of['sum']} of {of['count']}"
        for (method, recipe), of in lost.iterrows()
    )
    return (
        f"On the seed of choice the norm lowered validation AUC in {lost['sum'].sum()} of {lost['count'].sum()} pairs "
        f"of settings ({'; '.join(each)}). So the six settings a budget of DPQ-VQ and MGQE are six sizes, all without "
        "it; MGQE in recipe `paper` never had it. Those with it are of an earlier plan, which `make budget` no longer "
        "runs.\n"
    )


def avazu() -> str:
    """The same on the sample of Avazu's rows."""
    return rows_of([(recipe, "deepfm") for recipe in RECIPES], "avazu-sample")


def above() -> str:
    """Why a quarter needs no compressor: what an embedding in integers of eight bits loses."""
    said = "; ".join(f"`{recipe}` {after_training.lost(recipe)}" for recipe in RECIPES)
    return f"FE with its embedding in int8 minus FE, after training, ten seeds: {said}.\n"


def outside() -> str:
    """DeepCTR-Torch's DeepFM before and after."""
    first, *rest = read_measures("outside")["rows"]
    rows = [
        [f"{row['share']:.1%}", f"{row['bytes']:,.0f}", f"{row['auc']:.4f}", f"{row['auc'] - first['auc']:+.4f}"]
        for row in (first, *rest)
    ]
    return markdown(["of its tables", "bytes", "test AUC ↑", "change"], rows)


BLOCKS: dict[str, Callable[[], str]] = {
    "budget-methods": methods,
    "budget-table": table,
    "budget-targets": aims.targets,
    "budget-tried": tried,
    "budget-norm": norms,
    "budget-search": search_or_choice.table,
    "budget-outside": outside,
    "budget-avazu": avazu,
    "budget-row": which_row.text,
    "budget-above": above,
    "budget-choice": choice.text,
    "budget-large": large.table,
    "budget-compressing": compressing.table,
}
