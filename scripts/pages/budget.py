"""results/budget.md: AUC against bytes, the rate-distortion choice and its rivals beside FE."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import cache, partial

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from autodpq_budget import at_equal_bytes, auc_curve
from autodpq_budget.other_width import TEACHER_DIM
from autodpq_budget.plan import OTHER_MODELS
from autodpq_budget.read_runs import full_bytes, shares_of
from autodpq_budget.settings import SHARES
from autodpq_budget.strategy import COMPRESSOR
from autodpq_budget.width import AMPLE, HALF, NARROWEST, OWN, Room, width_for
from autodpq_eval.layout import LABELS, markdown
from autodpq_eval.words import from_to, plus_minus
from autodpq_lib.config import RECIPES, STRATEGIES
from autodpq_rivals.budget import WIDTHS
from autodpq_rivals.methods import METHODS
from benchmarks import after_training, choice, compressing, large, search_or_choice, width
from benchmarks.measured import read_measures
from scripts.pages import aims, equal_bytes, handicaps, own_options, variants, which_row
from scripts.pages.equal_bytes import NOT_YET, RECIPE, bold_ours, choice_runs, found

#: A picture for each recipe; README has that of :data:`RECIPE`.
PICTURES = {RECIPE: "budget.png", "paper": "budget-paper.png"}
WHAT_TO_SEE = {
    RECIPE: (
        "What to see: how far to the left the thick line, the compressor, stays near FE, which is dashed, and where it "
        "lies above the rivals. A mark is FE's mean plus the paired difference to FE, at the bytes that a method uses "
        "of its budget; bars are 95 % intervals, and may run beyond their panel. The upper panel has what is near FE. "
        "Hollow marks are strategies of Table 1."
    ),
    "paper": "What to see: the same; here FE is easier to beat, for its first-order weights start far from zero.",
}


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
    said = [f"`{recipe}`: {_used(recipe)}{absent(recipe)}" for recipe in RECIPES]
    return _rows([("deepfm", recipe) for recipe in RECIPES]) + "\n" + "\n".join(said) + "\n"


def _used(recipe: str, model: str = "deepfm") -> str:
    """How much of its budgets each method uses at least, where that is less than nine tenths."""
    rows = data(recipe, model).query("share < 1")
    rows = rows[~rows["method"].isin(STRATEGIES)]
    used = (rows["bytes"] / (rows["share"] * full_bytes(found(recipe, model)))).groupby(rows["method"]).min()
    said = [f"{at_equal_bytes.METHOD_NAMES[name]} {least:.0%}" for name, least in used.items() if least < 0.9]
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


def models() -> str:
    """The same of the other models, and the compressor against the best rival."""
    kinds = [(model, recipe) for model in OTHER_MODELS for recipe in RECIPES]
    used = [f"{LABELS[model]}, `{recipe}`: {_used(recipe, model)}\n" for model, recipe in kinds]
    return f"{_rows(kinds)}\n{variants.compared(kinds)}\n{''.join(used)}"


def avazu() -> str:
    """The same on the sample of Avazu's rows."""
    return _rows([("deepfm", recipe) for recipe in RECIPES], "avazu-sample")


def _rows(kinds: Sequence[tuple[str, str]], dataset: str = "ml-1m") -> str:
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
        for model, recipe in kinds
        for _, row in data(recipe, model, dataset).iterrows()
    ]
    head = ["model, recipe", "method", "budget", "X", "options", "bytes", "seeds", "AUC ↑", "difference to FE"]
    return markdown(head, rows) if rows else NOT_YET


def draw(rows: pd.DataFrame, recipe: str) -> Figure:
    """The picture of :func:`autodpq_budget.auc_curve.draw`; an empty one where nothing was run yet."""
    return plt.figure() if rows.empty else auc_curve.draw(rows, _title(recipe))


def pictures() -> str:
    """Each recipe's picture with its numbers as alternative text, and what to see in it."""
    drawn = {recipe: path for recipe, path in PICTURES.items() if len(data(recipe))}
    return "\n".join(f"{image(path, recipe)}\n\n{caption(recipe)}\n" for recipe, path in drawn.items()) or NOT_YET


def _title(recipe: str) -> str:
    return f"MovieLens-1M, DeepFM, recipe {recipe}: test AUC against bytes"


def caption(recipe: str) -> str:
    """What to see, and what a mark is."""
    runs = found(recipe)
    seeds = runs[runs["method"].isin(METHODS)].groupby(["method", "share"])["seed"].count()
    ours = from_to(runs[runs["method"] == COMPRESSOR].groupby("share")["seed"].count())
    rivals = f" Rivals have {from_to(seeds)} seeds, the compressor {ours}." if len(seeds) else ""
    alone = " A mark without a bar has one seed." if len(seeds) and seeds.min() == 1 else ""
    return f"*{WHAT_TO_SEE[recipe]}{alone}{rivals}{_below(data(recipe))}*"


def _below(rows: pd.DataFrame) -> str:
    """What the picture has no room for."""
    below = rows[rows["place"] < auc_curve.lowest(rows)]
    names = below["method"].map(at_equal_bytes.METHOD_NAMES).groupby(below["share"], sort=False).agg(", ".join)
    said = [f"at {share:.1%} {each}" for share, each in names.items()]
    return f" Below the picture's edge: {'; '.join(said)}." if said else ""


def image(path: str, recipe: str = RECIPE) -> str:
    """A picture, with the compressor's numbers as its alternative text."""
    rows = data(recipe)
    ours, fe = rows.query("method == @COMPRESSOR"), rows.query("method == 'fe'")["place"].iloc[0]
    said = "; ".join(f"{row['share']:.1%} of FE's bytes, AUC {row['place']:.4f}" for _, row in ours.iterrows())
    return f"![{_title(recipe)}. The compressor: {said}. FE: {fe:.4f}. The table of budget.md has the rivals.]({path})"


def widths() -> str:
    """Validation AUC of the compressor by width, on the seed of choice; and what a width by rotation would lose."""
    rows = [_by_width(recipe, share) for recipe in RECIPES for share in shares_of(choice_runs(recipe))]
    table = markdown(["budget", *(f"X = {dim}" for dim in WIDTHS)], rows)
    rule = (
        "Unless it is told X, `make compress` chooses it by the bytes that the file leaves for the tables, divided by "
        f"those of the run's own tables in float32. From {OWN:.0%} on X is the run's own; from {HALF:.0%} on half of "
        f"it; else a quarter, or {NARROWEST} if that is more. If its tables would then have less than {AMPLE:.0f} "
        "times their least size, one mean for each group, X is lowered until they have as much; where no X has, that "
        f"with most is taken. Of FE that is X = {_taken()}. For the tables of this page X was chosen by trying, as "
        f"above; another was best {_otherwise()}."
    )
    return f"{table}\n{rule}\n\nTest AUC on three seeds, recipe `{RECIPE}`, nothing compressed:\n\n{width.table()}"


def _taken() -> str:
    return ", ".join(f"{width_for(partial(_ample, share), TEACHER_DIM)} at {share:.1%}" for share in SHARES)


def _otherwise() -> str:
    """Where another X than that of ``make compress`` was best."""
    said = []
    for recipe in RECIPES:
        best = {share: equal_bytes.told(recipe, share).set_index("width")["valid"].idxmax() for share in SHARES}
        other = [share for share in SHARES if best[share] != width_for(partial(_ample, share), TEACHER_DIM)]
        said += [f"in `{recipe}` at {', '.join(f'{share:.1%}' for share in other)}"] if other else []
    return " and ".join(said) or "nowhere"


def _ample(share: float, _: int) -> Room:
    return Room(share, AMPLE)


def _by_width(recipe: str, share: float) -> list[str]:
    aucs = equal_bytes.told(recipe, share).set_index("width")["valid"].reindex(WIDTHS)
    cells = ("–" if pd.isna(auc) else f"**{auc:.4f}**" if auc == aucs.max() else f"{auc:.4f}" for auc in aucs)
    return [f"`{recipe}`, {share:.1%}", *cells]


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
    "budget-picture": pictures,
    "budget-methods": methods,
    "budget-table": table,
    "budget-targets": aims.targets,
    "budget-models": models,
    "budget-split": variants.on_a_new_split,
    "budget-average": variants.averaged,
    "budget-from-zero": variants.from_zero,
    "budget-teachers": handicaps.teachers,
    "budget-weights": own_options.weights,
    "budget-forms": own_options.forms,
    "budget-tried": tried,
    "budget-norm": norms,
    "budget-search": search_or_choice.table,
    "budget-outside": outside,
    "budget-avazu": avazu,
    "budget-row": which_row.text,
    "budget-above": above,
    "budget-widths": widths,
    "budget-choice": choice.text,
    "budget-large": large.table,
    "budget-compressing": compressing.table,
}
