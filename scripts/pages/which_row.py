"""What an engineer takes at his budget, in a list of results/budget.md, and where a rival is ahead."""

from __future__ import annotations

import pandas as pd

from autodpq_budget.at_equal_bytes import METHOD_NAMES
from autodpq_budget.read_runs import full_bytes
from autodpq_budget.settings import SHARES, room
from autodpq_data import movielens
from autodpq_eval.stats import LEVEL
from autodpq_eval.words import plus_minus
from autodpq_lib.config import RECIPES, RunConfig
from autodpq_rivals.budget import WIDTHS, rest_bytes
from autodpq_rivals.methods import METHODS
from benchmarks.measured import read_measures
from scripts.pages.aims import comparisons, finished
from scripts.pages.equal_bytes import RECIPE, choice_runs, found, told

#: Bytes of the header of a compressed file, about: 3.1 to 3.6 kB on MovieLens-1M.
HEADER = 3000


def text() -> str:
    """From a number of bytes to a row, and what it loses on MovieLens-1M."""
    rows = comparisons(RECIPE)
    losses = ", ".join(f"{row['difference']:+.4f} at {row['share']:.1%}" for row in rows)
    dense = ", ".join(f"{_dense(dim) / 1000:.1f} kB at X = {dim}" for dim in WIDTHS)
    return (
        "1. In float32 the tables of N features take 4 N (X + 1) bytes, or 4 N X on PNN and DCN, which have no "
        f"first-order weights. From a budget for the whole file take off the dense weights (here {dense}) and the "
        f"header, about {HEADER / 1000:.0f} kB. What is left, over the bytes of the tables in float32, is your row. "
        f"{_example()}\n"
        f"2. On MovieLens-1M, recipe `{RECIPE}`, the compressor's AUC minus FE's is {losses}. Other data lose more or "
        "less ([Avazu's sample](#avazu)); `make compress` ends by printing what yours lost. Any budget will do that "
        "holds one mean for each group at X = 1; a smaller one is refused, with the least that works. Less than "
        f"{rows[-1]['share']:.1%} was not tried.\n"
        f"3. If {_int8():.0%} of FE's file is not too much, nothing has to be chosen: "
        '`export(…, kept="int8")`, as in section 5 of [notebook 11](../notebooks/11_packed_model.ipynb), stores '
        "the embedding in bytes with a scale for each row, and leaves first-order weights in float32 ([what it "
        "loses](packed.md#kept-rows-in-fewer-bits)).\n"
        "4. Most rivals are trained from scratch. The compressor starts from a trained model and, where bytes are few, "
        f"teaches a narrower one. {' '.join(map(ahead, RECIPES))}\n"
        "5. To try a row: `make replicate STRATEGIES=fe MODELS=deepfm SEEDS=1 OUT=runs/mine` trains FE in minutes, and "
        "`make compress RECORD=runs/mine/ml-1m/tuned/records/deepfm-fe-seed1.json "
        f"TABLES={told(RECIPE, 0.0625)['told'].iloc[0]:.0f}` compresses it, to "
        "`TO=` or a place below `runs/compressed/`. To serve the file copy it with its vocabulary, the second file "
        "that is written: [how](packed.md).\n"
    )


def _example() -> str:
    """What a whole file's bytes leave for its tables on MovieLens-1M."""
    budget, dim, full = 30_000, 8, full_bytes(choice_runs(RECIPE))
    left = (budget - _dense(dim) - HEADER) / full
    above, below = ([share for share in SHARES if (share > left) == more] for more in (True, False))
    rows = f"between the rows of {above[-1]:.1%} and {below[0]:.1%}"
    return f"On MovieLens-1M `BYTES={budget}` leaves about {left:.0%} at X = {dim}: {rows}."


def _int8() -> float:
    """The file with rows in int8, as a share of the one in float32."""
    files = (
        pd.DataFrame(read_measures("precision")["rows"]).query("strategy == 'FE'").groupby("kept rows")["file, bytes"]
    )
    return float(files.mean()["int8"] / files.mean()["float32"])


def ahead(recipe: str) -> str:
    """The budgets at which the best rival has the better AUC, by the paired test; and where neither of the two has."""
    rows = [row for row in comparisons(recipe) if finished(row) and pd.notna(row["p_holm"])]
    shown = [row for row in rows if row["p_holm"] < LEVEL and row["lead"] < 0]
    said = (
        f"at {row['share']:.1%} ({METHOD_NAMES[row['rival']]}), by {plus_minus(-row['lead'], row['lead_half'])}, the "
        f"best of {row['rivals']} that ran on as many seeds"
        for row in shown
    )
    level = ", ".join(f"{row['share']:.1%}" for row in rows if not row["p_holm"] < LEVEL)
    neither = f" At {level} neither is shown to be ahead." if level else ""
    return (
        f"Recipe `{recipe}`, by the paired test: the best rival is ahead of the compressor "
        f"{'; '.join(said) or 'nowhere'}.{neither}{_waiting(recipe)}"
    )


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
