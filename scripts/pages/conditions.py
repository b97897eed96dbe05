"""results/conditions.md: what the paper's gain could be made of."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

import pandas as pd

from autodpq_eval import conditions, ladder
from autodpq_eval.layout import LABELS, markdown
from autodpq_eval.lead import gain
from autodpq_eval.plans import LADDER_RECIPE, LADDER_SEEDS, LENGTHS, PARTS
from autodpq_eval.words import interval, p_in_words, p_value, spanned
from autodpq_lib.config import RECIPES
from scripts.pages.committed import RESULTS


@cache
def data() -> pd.DataFrame:
    """A row a recipe, condition and baseline; last those that choose on the test set."""
    every = pd.concat([conditions.table(RESULTS, recipe) for recipe in RECIPES])
    return every.sort_values("on test", kind="stable", ignore_index=True)


def chosen(*, on_test: bool) -> pd.DataFrame:
    """The rows in which the test set chose something, or did not."""
    return data()[data()["on test"] == on_test]


def shown() -> pd.DataFrame:
    """What the picture shows."""
    return chosen(on_test=False)


def numbers(*, on_test: bool) -> str:
    """A table a baseline, a row a recipe and condition: mean AUCs, and the gain with its tests."""
    return "\n".join(_over(*each, chosen(on_test=on_test)) for each in (("FE", "fe"), ("Others", "others")))


def _over(name: str, key: str, every: pd.DataFrame) -> str:
    rows = every[every["over"] == name]
    head = ["recipe", "condition", "seeds", "AutoDPQ", name, "mean gain", "95 %, paired", "by ranks", "p paired"]
    cells = [
        [
            *(f"`{row['recipe']}`", f"{row['condition']}", f"{row['n']:.0f}"),
            *(f"{row['ours']:.4f}", f"{row['base']:.4f}", f"{row['effect']:+.4f}", interval(row["low"], row["high"])),
            *(by_ranks(row), *(p_value(row[p]) for p in ("p", "p_welch", "p_equal"))),
        ]
        for _, row in rows.iterrows()
    ]
    return f"Over {name}, the paper {gain('auc', key):+.4f}:\n\n{markdown([*head, 'p Welch', 'p equal'], cells)}"


def by_ranks(row: pd.Series) -> str:
    """``+0.0045 (+0.0029 to +0.0158)``: the estimate by ranks and its interval, of a row of the table."""
    return f"{row['centre']:+.4f} ({interval(row['rank low'], row['rank high'])})"


def picture() -> str:
    """The picture with its numbers as alternative text, and what to see in it."""
    over = shown().query("over == 'FE'")
    plain, best = over.iloc[0], over.loc[over["effect"].idxmax()]
    return (
        f"![AutoDPQ's gain in AUC over FE, left, and over Others, right, under {shown()['condition'].nunique()} "
        f"conditions, with intervals; the paper's gain is dashed. Over FE as run, recipe {plain['recipe']}: "
        f"{plain['effect']:+.4f}; the largest, {best['condition']}: {best['effect']:+.4f}. The table below has all "
        "numbers.](conditions.png)\n\n*What to see: which intervals contain the dashed "
        "line, the paper's gain, and which lie wholly above it. Intervals that contain the line only "
        f"because of one seed: {_hanging(shown())}.*\n"
    )


def _hanging(rows: pd.DataFrame) -> str:
    """Conditions whose interval holds the paper's gain because of single seeds."""
    rows = rows[rows["hangs on"] != ""]
    said = [
        f"*{row['condition']}* (`{row['recipe']}`) over {row['over']}, {seeds(row['hangs on'])}"
        for _, row in rows.iterrows()
    ]
    return "; ".join(said) or "none"


def seeds(listed: str) -> str:
    """``seed 8``; ``seeds 5 and 6``."""
    *first, end = listed.split(", ")
    return f"seeds {', '.join(first)} and {end}" if first else f"seed {end}"


@cache
def steps() -> pd.DataFrame:
    """The ladder of pretrain lengths."""
    return ladder.table(RESULTS, LADDER_RECIPE)


def ladder_picture() -> str:
    """The ladder's picture, its numbers as alternative text, and what is not run yet."""
    if steps().empty:
        return "Not run yet.\n"
    whole = steps().query("without == 'nothing'").set_index("pretrain")["effect"]
    wanted = len(LENGTHS) * len(PARTS)
    left = f" Not run yet: {wanted - len(steps())} of {wanted} marks." if len(steps()) < wanted else ""
    return (
        f"![AutoDPQ's gain over FE by the epochs of its pretrain: {whole.iloc[0]:+.4f} at {whole.index[0]}, "
        f"{whole.iloc[-1]:+.4f} at the last, {whole.index[-1]}; two more lines leave out Eq. 2 or "
        "compression.](ladder.png)\n\n*What to see: how the gain changes with the pretrain, and how much of it stays "
        f"when a part is taken out. Bars are paired 95 % intervals over {len(LADDER_SEEDS)} seeds.{left}*\n"
    )


def ladder_parts() -> str:
    """AutoDPQ over both baselines, and what each part adds, at each length of the pretrain."""
    found = {f"{part} adds": rows for part, rows in ladder.added(RESULTS, LADDER_RECIPE).groupby("part", sort=False)}
    whole = {LABELS[over]: ladder.table(RESULTS, LADDER_RECIPE, over) for over in ("fe", "others")}
    found = {f"AutoDPQ over {name}": rows.query("without == 'nothing'") for name, rows in whole.items()} | found
    cells = pd.DataFrame({name: _intervals(rows) for name, rows in found.items()}).fillna("")
    return markdown(["epochs of the pretrain", *cells], [[str(length), *row] for length, *row in cells.itertuples()])


def _intervals(rows: pd.DataFrame) -> dict[str, str]:
    """Length of the pretrain -> the paired interval, and p by the paired and by Welch's test."""
    return {
        row["pretrain"]: spanned(row, p_in_words(row["p"]), f"Welch {p_value(row['p_welch'])}")
        for _, row in rows.iterrows()
    }


BLOCKS: dict[str, Callable[[], str]] = {
    "ladder-parts": ladder_parts,
    "conditions-picture": picture,
    "conditions": partial(numbers, on_test=False),
    "conditions-on-test": partial(numbers, on_test=True),
    "ladder-picture": ladder_picture,
}
