"""Of the settings of a method that fit a share of FE's bytes, the one that stands for it."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pandas as pd

from autodpq_budget.read_runs import full_bytes, read_runs, shares_of
from autodpq_budget.settings import CHOICE_SEED, Key, Settings, half_tried, room
from autodpq_budget.strategy import COMPRESSOR
from autodpq_eval.plans import TEN_SEEDS
from autodpq_eval.tables import read_plans
from autodpq_lib.config import STRATEGIES, RunConfig

#: Share and method -> its setting's run on the seed of choice, and that run's validation AUC.
Chosen = dict[Key, tuple[RunConfig, float]]
#: Share and method -> its setting, as :func:`read_runs` names it.
ChosenSettings = dict[Key, str]


def chosen(every: Settings, out: Path, control: str = "") -> Chosen:
    """The setting that stands for each share and method of a plan, once all settings that may stand for it have run.

    Args:
        every: the plan.
        out: folder of the records.
        control: as of :func:`chosen_settings`.
    """
    if not every:
        return {}
    first, half = next(iter(every.values()))[0], half_tried(every, read_plans(out, every))
    found = read_runs(out, first.dataset, first.recipe, [CHOICE_SEED, *TEN_SEEDS])
    tried = found[found["seed"] == CHOICE_SEED]
    runs = tried[tried["control"] == control].set_index("setting")
    settings = chosen_settings(found, tried, control)
    wanted = {key: runs.loc[one] for key, one in settings.items() if key in {*every} - {*half}}
    return {key: (one["run"], one["valid"]) for key, one in wanted.items()}


def at_chosen_settings(found: pd.DataFrame, choice: pd.DataFrame, control: str = "") -> pd.DataFrame:
    """The runs of each method and share at one setting for all seeds, which fits into the share on every seed.

    Of those that fit it has the best validation AUC on the seed of choice; the compressor's was told that very share.
    The strategies of Table 1, which are not told how many bytes they may have, have share 1.

    Args:
        found: of :func:`read_runs`, on the seeds that are reported.
        choice: of :func:`read_runs`, on the seed of choice.
        control: which control, instead of the methods as they come.
    """
    return at_settings(found[found["control"] == control], chosen_settings(found, choice, control))


def at_settings(runs: pd.DataFrame, settings: ChosenSettings) -> pd.DataFrame:
    """Of each method and share the runs of its setting; the strategies of Table 1 have share 1."""
    parts = [runs[runs["method"].isin(STRATEGIES)].assign(share=1.0)]
    parts += [runs[runs["setting"] == setting].assign(share=share) for (share, _), setting in settings.items()]
    return pd.concat(parts, ignore_index=True)


def chosen_settings(found: pd.DataFrame, choice: pd.DataFrame, control: str = "") -> ChosenSettings:
    """The setting that stands for each share and method, of each method in ``found``.

    All settings count that were tried, those of earlier plans too. The bytes of every seed must fit, not those of the
    seed of choice alone: so of MPE, whose search decides its bytes, another may be wanted once some seeds have run.

    Args:
        found: as of :func:`at_chosen_settings`.
        choice: as there.
        control: as there.
    """
    full, settings = full_bytes(found), ChosenSettings()
    runs, tried = (rows[(rows["control"] == control) & ~rows["method"].isin(STRATEGIES)] for rows in (found, choice))
    for share, (method, group) in product(shares_of(choice) or shares_of(found), runs.groupby("method")):
        there = tried[tried["method"] == method]
        largest = pd.concat([group, there]).groupby("setting")["bytes"].max()
        if method == COMPRESSOR:
            tried_so, ran_so = (rows[rows["told"] == int(share * full)] for rows in (there, group))
            there = tried_so if len(tried_so) else ran_so  # another model's width, or another data set's, is not chosen
        fits = there[there["setting"].map(largest) <= room(full, share)]
        if len(fits):
            settings[share, str(method)] = str(fits["setting"].iloc[fits["valid"].argmax()])
    return settings
