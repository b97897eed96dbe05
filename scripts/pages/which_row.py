"""README.md and results/budget.md: a row a budget, how an engineer finds his own, and where a rival is ahead."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pandas as pd

from autodpq_budget import at_equal_bytes
from autodpq_budget.at_equal_bytes import METHOD_NAMES
from autodpq_budget.plan import AVERAGED
from autodpq_budget.read_runs import full_bytes
from autodpq_budget.settings import SHARES, room
from autodpq_budget.strategy import COMPRESSOR
from autodpq_budget.width import HALF_FROM, OWN_FROM
from autodpq_data import movielens
from autodpq_eval.layout import markdown
from autodpq_eval.stats import LEVEL, MARGIN
from autodpq_eval.words import from_to, gap, plus_minus
from autodpq_lib.config import RECIPES, RunConfig
from autodpq_rivals.budget import WIDTHS, rest_bytes
from autodpq_rivals.methods import METHODS
from benchmarks import after_training
from benchmarks.measured import read_measures
from scripts.pages import handicaps, variants
from scripts.pages.aims import comparisons, finished
from scripts.pages.equal_bytes import RECIPE, choice_runs, found, rival_name, told

#: Bytes of a compressed file's header and rows for unknown values on MovieLens-1M, about: 3.1 to 3.6 kB.
HEADER = 3300


def text() -> str:
    """The rows, how to find one's own, and what it loses on MovieLens-1M."""
    dense = ", ".join(f"{_dense(dim) / 1000:.1f} kB at X = {dim}" for dim in WIDTHS)
    lost = "; ".join(f"`{recipe}` {after_training.lost(recipe)}" for recipe in RECIPES)
    return (
        f"{table(SHARES)}\n"
        f"{about_the_table()}\n\n"
        "- **Your row.** In float32 the tables of N features take 4 N (X + 1) bytes, or 4 N X on PNN and DCN, which "
        f"have no first-order weights. From a budget for the whole file take off the dense weights (here {dense}), and "
        f"header and rows for unknown values (about {HEADER / 1000:.1f} kB); for a run of yours `make compress` prints "
        "the bytes of file and tables, which differ by all that. Divide what is left by the bytes of the run's tables: "
        f"this share is your row. Begin with the X of the run; below {OWN_FROM:.0%} do it again with half of it, and "
        f"if that leaves less than {HALF_FROM:.0%}, with a quarter. {example()}\n"
        f"- **Before you compress.** {_averaging()}\n"
        "- **Your data** may lose more or less ([Avazu's sample](#avazu)); `make compress` ends by printing what yours "
        "lost. The smallest budget that works holds one mean for each group at X = 1; `make compress` refuses a "
        f"smaller one, and names the least. Less than {min(SHARES):.1%} was not tried.\n"
        '- **Without any choice.** `export(…, kept="float16")`, as in section 5 of '
        f"[notebook 11](../notebooks/11_packed_model.ipynb), writes {_kept('float16'):.0%} of FE's file, "
        f'`kept="int8"` {_kept("int8"):.0%}: int8 has a scale for each row, and both leave first-order weights in '
        "float32 ([what they lose](packed.md#kept-rows-in-fewer-bits)). Another int8 has a scale for each field and "
        f"dimension; minus FE, after training, ten seeds: {lost}.\n"
        "- **Try a row.** `make replicate STRATEGIES=fe MODELS=deepfm SEEDS=1 OUT=runs/mine` trains FE in minutes, and "
        "`make compress RECORD=runs/mine/ml-1m/tuned/records/deepfm-fe-seed1.json "
        f"TABLES={_told(0.0625)}` compresses it, to "
        "`TO=` or a place below `runs/compressed/`. To serve the file copy it with its vocabulary, the second file "
        "that is written: [how](packed.md).\n"
    )


def table(shares: Collection[float]) -> str:
    """A row a budget: its bytes, the compressor's X, and what it has against FE and against its best rival."""
    every = at_equal_bytes.table(found(RECIPE)).set_index(["method", "share"]).loc[COMPRESSOR]
    alike = [handicaps.alike(leads) for leads in taught_alike()]
    rows = [
        [
            *(f"{row['share']:.1%}", str(_told(row["share"])), f"{every.loc[row['share'], 'width']}"),
            plus_minus(row["difference"], row["half"]),
            f"{rival_name(row['rival'])}: {plus_minus(row['lead'], row['lead_half'])}"
            if finished(row)
            else "unfinished",
            *(column.get(row["share"], "–") for column in alike),
        ]
        for row in comparisons(RECIPE)
        if row["share"] in shares
    ]
    head = ["of FE's bytes", "bytes, `TABLES=`", "X", "AUC: the compressor minus FE", "minus the best rival"]
    return markdown([*head, "the same, both from labels", "the same, both from FE"], rows)


def taught_alike() -> list[pd.DataFrame]:
    """The leads where the compressor and the best rival both learn from labels, and where both learn from FE."""
    return [handicaps.from_labels(RECIPE), handicaps.from_teacher(RECIPE)]


def about_the_table() -> str:
    """What its rows are, and what differs in the last two columns."""
    seeds = from_to([row["n"] for row in comparisons(RECIPE)])
    return (
        f"MovieLens-1M, DeepFM, recipe `{RECIPE}`, ± half a 95 % interval, paired over {seeds} seeds. Bytes are what "
        "embedding and first-order weights may take, and 6.2% is a sixteenth; X is the embedding's dimension. The "
        "compressor learns from FE, its rivals from labels; in the last two columns, "
        f"{from_to(pd.concat(taught_alike())['n'])} seeds, both learn alike (–: not run so)."
    )


def example() -> str:
    """What a whole file's bytes leave for its tables on MovieLens-1M."""
    budget, dim, full = 30_000, 8, full_bytes(choice_runs(RECIPE))
    left = (budget - _dense(dim) - HEADER) / full
    above, below = ([share for share in SHARES if (share > left) == more] for more in (True, False))
    rows = f"between the rows of {above[-1]:.1%} and {below[0]:.1%}"
    return f"`BYTES={budget}`, the whole file, leaves about {left:.1%} for the tables at X = {dim}: {rows}."


def _told(share: float) -> int:
    """Bytes that the compressor may use for the tables at a share."""
    return int(told(RECIPE, share)["told"].iloc[0])


def _averaging() -> str:
    """What averaged weights are worth to FE, and to the compressor at the same bytes."""
    said = []
    for recipe in RECIPES:
        plain, with_it = found(recipe), found(recipe, **AVERAGED)
        ours = [variants.gained(plain, with_it, COMPRESSOR, share)["effect"] for share in SHARES]
        fe = gap(variants.gained(plain, with_it, "fe", 1.0))
        said.append(f"FE by {fe}, the compressor by {min(ours):+.4f} to {max(ours):+.4f} (`{recipe}`)")
    return (
        f"Weights that are averaged over steps cost no byte: train FE with `average={AVERAGED['average']}` in its "
        f"`RunConfig`. It changes AUC, over the budgets: {'; '.join(said)} "
        "([control](budget-controls.md#with-averaged-weights-ema-0999))."
    )


def _kept(how: str) -> float:
    """The file with rows kept in some way, as a share of the one in float32."""
    files = (
        pd.DataFrame(read_measures("precision")["rows"]).query("strategy == 'FE'").groupby("kept rows")["file, bytes"]
    )
    return float(files.mean()[how] / files.mean()["float32"])


def verdict() -> str:
    """Where a rival is ahead, recipe by recipe."""
    return "".join(f"- {ahead(recipe)}\n" for recipe in RECIPES)


def ahead(recipe: str) -> str:
    """The budgets at which the best rival has the better AUC, by the paired test; and where neither of the two has."""
    rows = [row for row in comparisons(recipe) if finished(row) and pd.notna(row["p_holm"])]
    shown = [row for row in rows if row["p_holm"] < LEVEL and row["lead"] < 0]
    said = (
        f"at {row['share']:.1%} ({METHOD_NAMES[row['rival']]}, the best of {row['rivals']} rivals with as many seeds), "
        f"by {plus_minus(-row['lead'], row['lead_half'])}"
        for row in shown
    )
    neither = _neither([row for row in rows if not row["p_holm"] < LEVEL])
    first = f"In recipe `{recipe}` the best rival is ahead of the compressor by the paired test {'; '.join(said)}."
    if not shown:
        first = f"In recipe `{recipe}` the best rival is nowhere shown to be ahead of the compressor."
    return f"{first}{neither}{_waiting(recipe)}"


def _neither(rows: Sequence[Mapping[str, Any]]) -> str:
    """Where neither is shown to be ahead, and where of these both are shown to be equal."""
    equal = _shares([row for row in rows if row["p_as_rival_holm"] < LEVEL])
    within = f"to be equal within {MARGIN:g}"
    shown = f"; the two are shown {within} at {equal}" if equal else f", nor are the two shown {within}"
    return f" At {_shares(rows)} neither is shown to be ahead{shown}." if rows else ""


def _shares(rows: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(f"{row['share']:.1%}" for row in rows)


def _waiting(recipe: str) -> str:
    """Rivals that beat the compressor on validation on the seed of choice, and have not run on the others yet."""
    ran = set(found(recipe)["method"])
    said = [
        f"{' and '.join(names)} at {share:.1%}"
        for share in SHARES
        if (names := [METHOD_NAMES[name] for name in METHODS if name not in ran and _above(recipe, name, share)])
    ]
    rest = "; ".join(said)
    if not said:
        return ""
    return f" Not run on the reported seeds, but above the compressor by validation on the seed of choice: {rest}."


def _above(recipe: str, name: str, share: float) -> bool:
    """Whether a rival has a setting within a share whose validation AUC is above the compressor's on its processor."""
    tried, ours = choice_runs(recipe), told(recipe, share).groupby("cpu")["valid"].max()
    own = tried[(tried["method"] == name) & (tried["control"] == "")]
    theirs = own[own["bytes"] <= room(full_bytes(tried), share)].groupby("cpu")["valid"].max()
    return bool((theirs > ours.reindex(theirs.index)).any())


def _dense(dim: int) -> int:
    """Bytes of DeepFM's dense weights on MovieLens-1M's fields."""
    config = RunConfig(dataset="ml-1m", strategy="fe", recipe=RECIPE, embedding_dim=dim, subspaces=(1,))
    return rest_bytes(config, len(movielens.FIELDS))
