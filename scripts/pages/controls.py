"""results/controls.md: runs that differ in one switch, what the gain is made of, FE compressed after its training."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import pandas as pd

from autodpq_eval import effects
from autodpq_eval.forest import forest_in_words
from autodpq_eval.layout import LABELS, markdown
from autodpq_eval.lead import gain
from autodpq_eval.stats import LEVEL, MARGIN
from autodpq_eval.words import gap, p_value
from autodpq_lib.config import RECIPES
from benchmarks import after_training, search_or_choice
from scripts.pages.committed import contrast, contrasts, controls, runs_of_controls

#: Pairs of runs: the gain, and its three parts.
SUM = (("autodpq", "fe"), ("fe-extra", "fe"), ("no-compression", "fe-extra"), ("autodpq", "no-compression"))
TESTS = {"p_paired": "p paired", "p_welch": "p Welch", "p_equal_paired": "p equal"}


def short() -> str:
    """What AutoDPQ's gain over FE is the sum of, recipe by recipe."""
    return "".join(f"- Recipe `{recipe}`: {_sum(recipe)}\n" for recipe in RECIPES)


def _sum(recipe: str) -> str:
    whole, extra, machinery, compression = (gap(contrast(recipe, *pair)) for pair in SUM)
    return (
        f"AutoDPQ minus FE is {whole} (the paper: {gain('auc', 'fe'):+.4f}). Of this, extra training makes {extra}, "
        f"the search's machinery without compression {machinery}, and compression {compression}."
    )


def made_of(recipe: str) -> str:
    """The contrasts of a recipe, a row each."""
    every = contrasts(recipe)
    run = every["n"] > 1
    rows = [[row["contrast"], f"{row['n']:.0f}", *_effect(row)] for _, row in every[run].iterrows()]
    left = f"\nNot run: {'; '.join(every.loc[~run, 'contrast'])}.\n" if not run.all() else ""
    return markdown(["", "n", "difference in test AUC", *TESTS.values()], rows) + left


def extra() -> str:
    """How much longer FE, Others and DPQ train when they are trained on, beside AutoDPQ."""
    return "".join(f"- Recipe `{recipe}`: {_extra(recipe)}\n" for recipe in RECIPES)


def _extra(recipe: str) -> str:
    steps = effects.further_steps(runs_of_controls(recipe))
    told = ", ".join(f"{name} {number:,.0f}" for name, number in steps.items())
    absent = [name for name in effects.TRAINED_ON.values() if name not in steps]
    left = f" Not run: {', '.join(absent)}." if absent else ""
    share = f" FE has {steps['FE'] / steps['AutoDPQ']:.0%} of AutoDPQ's." if {"FE", "AutoDPQ"} <= steps.keys() else ""
    return f"{told}.{share}{left}"


def of_recipe(recipe: str) -> str:
    """The picture of all controls, what of them is run, and a row each."""
    told = (_picture(recipe), f"{effects.on_the_recipe(controls(recipe))}\n", _starts(recipe), _rows_of(recipe))
    return "\n".join(told)


def _picture(recipe: str) -> str:
    rows = controls(recipe).dropna(subset="effect")
    inside, near = (rows["low"] > -MARGIN) & (rows["high"] < MARGIN), rows["high"] >= gain("auc", "fe")
    said = forest_in_words(rows, f"Controls on ml-1m, DeepFM, recipe {recipe}")
    return (
        f"![{said}](ml-1m/{recipe}/figures/controls.png)\n\n*What to see: which intervals leave the grey band, an "
        f"effect below {MARGIN:g}, and which come near the dashed line, the paper's gain over FE. Of {len(rows)} "
        f"intervals, {inside.sum()} lie within the band; {near.sum()} reach the line or lie beyond it. An effect that "
        "hides in a wide interval is not shown to be zero.*\n"
    )


def _starts(recipe: str) -> str:
    same, able = effects.same_starts(runs_of_controls(recipe))
    chance = LEVEL * controls(recipe)["effect"].count()
    return (
        f"Of {able} runs whose first training should match their reference's, {same} match it to the bit. If no "
        f"control had an effect, about {chance:.0f} controls would have p < {LEVEL:g} by chance.\n"
    )


def _rows_of(recipe: str) -> str:
    head = ["control", "strategy", "n", "effect on test AUC", *TESTS.values(), "steps, reference's"]
    return markdown(head, _rows(controls(recipe).dropna(subset="effect")))


def _rows(rows: pd.DataFrame) -> Iterator[list[str]]:
    """The controls below the headings of their groups."""
    for group, each in rows.groupby("group", sort=False):
        yield [f"**{group}**", *[""] * 7]
        for _, row in each.iterrows():
            done, steps = f"{row['n']:.0f} of {row['planned']}", f"{row['steps']:,.0f}, {row['base steps']:,.0f}"
            yield [row["control"], LABELS[row["strategy"]], done, *_effect(row), steps]


def _effect(row: pd.Series) -> list[str]:
    return [gap(row), *(p_value(row[key]) for key in TESTS)]


BLOCKS: dict[str, Callable[[], str]] = {
    "controls-short": short,
    "controls-extra": extra,
    **{f"contrasts-{recipe}": partial(made_of, recipe) for recipe in RECIPES},
    **{f"controls-{recipe}": partial(of_recipe, recipe) for recipe in RECIPES},
    "search-or-choice": search_or_choice.table,
    "after-training": after_training.sizes,
    "after-training-differences": after_training.differences,
}
