"""Runs at equal bytes on the reported seeds, and those that their settings were chosen by; names of methods."""

from __future__ import annotations

from functools import cache, partial

import pandas as pd

from autodpq_budget import at_equal_bytes, settings
from autodpq_budget.chosen import ChosenSettings, at_settings, chosen, chosen_settings
from autodpq_budget.other_model import on_another_model
from autodpq_budget.plan import best_elsewhere
from autodpq_budget.read_runs import full_bytes, read_runs
from autodpq_budget.settings import CHOICE_SEED, room
from autodpq_budget.strategy import COMPRESSOR
from autodpq_eval.expected import kind
from autodpq_eval.plans import TEN_SEEDS
from autodpq_eval.tables import read_plans
from scripts.pages.committed import RESULTS

#: The recipe of the budgets' targets, and of README.
RECIPE = "tuned"
NOT_YET = "Not run yet.\n"
#: Runs of :func:`~autodpq_budget.chosen.at_chosen_settings`, where there are none.
NONE = pd.DataFrame(columns=["method", "share", "seed", "cpu", "bytes", "width", "options", "auc"])


@cache
def every_run(recipe: str, model: str = "deepfm", dataset: str = "ml-1m", **switches: float) -> pd.DataFrame:
    """All runs at equal bytes on the reported seeds, with these switches."""
    return read_runs(RESULTS, dataset, recipe, TEN_SEEDS, model, switches)


@cache
def found(recipe: str, model: str = "deepfm", dataset: str = "ml-1m", **switches: float) -> pd.DataFrame:
    """One run per method, share and seed, over the compressor's seeds; empty if the compressor has none.

    A method appears at a share only if all settings that were planned for it have been tried, and the bytes of the
    chosen one keep to the share on every seed. With switches the setting is the one that was chosen without them.
    """
    runs = _paired(every_run(recipe, model, dataset, **switches))
    if runs.empty:
        return NONE
    usual = _paired(every_run(recipe, model, dataset))
    own = chosen_settings(usual, choice_runs(recipe)) if model == "deepfm" else _elsewhere(recipe, model)
    rows = at_settings(runs[runs["control"] == ""], own)
    largest = rows.groupby(["share", "method"])["bytes"].transform("max")
    fits = largest <= rows["share"].map(partial(room, full_bytes(runs)))
    return wholly_tried(rows[fits], recipe)


def wholly_tried(rows: pd.DataFrame, recipe: str, control: str = "") -> pd.DataFrame:
    """Rows of the shares and methods of whose settings all have been tried, or all of a control's."""
    return rows[~pd.MultiIndex.from_frame(rows[["share", "method"]]).isin(half_tried(recipe, control))]


@cache
def _elsewhere(recipe: str, model: str) -> ChosenSettings:
    """The settings with which the best methods run on another model than DeepFM."""
    best = best_elsewhere(chosen(planned(recipe), RESULTS))
    return {key: kind(run) for key, (run, _) in on_another_model(best, model, RESULTS).items()}


@cache
def half_tried(recipe: str, control: str) -> list[tuple[float, str]]:
    """Shares and methods of whose settings there, or in a control, some have not run on the seed of choice."""
    every = planned(recipe, control)
    return settings.half_tried(every, read_plans(RESULTS, every))


@cache
def planned(recipe: str, control: str = "") -> settings.Settings:
    """All settings of the seed of choice, or of a control; to find which fit takes seconds."""
    return settings.own_settings("ml-1m", recipe, control) if control else settings.every_setting("ml-1m", recipe)


def not_run(recipe: str) -> list[tuple[float, str]]:
    """Shares and methods that have settings, but not all of them, or not the chosen one on any of these seeds."""
    taken = chosen_settings(_paired(every_run(recipe)), choice_runs(recipe))
    ran = set(zip(found(recipe)["share"], found(recipe)["method"], strict=True))
    return [key for key in taken if key not in ran]


def _paired(every: pd.DataFrame) -> pd.DataFrame:
    """The runs on the seeds that the compressor has."""
    return every[every["seed"].isin(every.loc[every["method"] == COMPRESSOR, "seed"])]


@cache
def choice_runs(recipe: str) -> pd.DataFrame:
    """The runs by which the settings were chosen, controls among them: on MovieLens-1M, DeepFM."""
    return read_runs(RESULTS, "ml-1m", recipe, [CHOICE_SEED])


def told(recipe: str, share: float) -> pd.DataFrame:
    """The compressor's runs on the seed of choice that were told a share of FE's bytes."""
    runs = choice_runs(recipe)
    size = int(share * full_bytes(runs))
    return runs[(runs["method"] == COMPRESSOR) & (runs["control"] == "") & (runs["told"] == size)]


def rival_name(method: str) -> str:
    """As the literature calls the best rival; a dash where none has run."""
    return at_equal_bytes.METHOD_NAMES.get(method, "–")


def bold_ours(method: str) -> str:
    """As the literature calls a method; the compressor in bold."""
    name = at_equal_bytes.METHOD_NAMES[method]
    return f"**{name}**" if method == COMPRESSOR else name
