"""How far a strategy moves with its seed alone: the yardstick beside every difference between trials."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from scipy import stats

from autodpq_eval import notebook
from autodpq_eval.batch import status
from autodpq_eval.layout import LABELS
from autodpq_eval.plans import TEN_SEEDS
from autodpq_eval.stats import LEVEL
from autodpq_lib.config import RunConfig
from autodpq_runs.record import Record
from autodpq_system.paths import ROOT


def at_hand(config: RunConfig, *folders: str | Path) -> Record | None:
    """The record of a configuration in the first of the folders that has a valid, current one.

    A relative folder counts from the project's.
    """
    found = (status(ROOT / folder, config, anywhere=True).record for folder in folders)
    return next(filter(None, found), None)


def over_seeds(config: RunConfig, *folders: str | Path) -> dict[int, Record]:
    """The records that differ from a configuration in the seed alone, by seed."""
    found = {seed: at_hand(config.model_copy(update={"seed": seed}), *folders) for seed in TEN_SEEDS}
    return {seed: record for seed, record in found.items() if record is not None}


def yardsticks(config: RunConfig, out: str | Path) -> Iterator[tuple[str, list[float]]]:
    """FE's validation AUCs over seeds, under a name: on the same data and model, and on MovieLens-1M as committed.

    Args:
        config: of the run that they stand beside.
        out: where its records are looked for, beside the committed ones.
    """
    for one in dict.fromkeys((_fe_beside(config), RunConfig(dataset="ml-1m", recipe=config.recipe, strategy="fe"))):
        aucs = [record.valid.auc for record in over_seeds(one, out, "results").values()]
        if len(aucs) > 1:
            yield f"FE, {len(aucs)} seeds, {one.dataset}", aucs


def beside_the_seed(aucs: Sequence[float], what: str, config: RunConfig, out: str | Path) -> None:
    """Show trials beside FE's seeds; say how their spreads compare, and how far luck carries the best.

    Args:
        aucs: on validation, one a trial.
        what: the trials differ in, in the plural.
        config: of their run.
        out: where FE's records are looked for, beside the committed ones.
    """
    if len(aucs) == 1:
        notebook.say("One trial has no spread.")
        return
    name = f"{len(aucs)} {what}, {config.dataset}, seed {config.seed}"
    title = f"{LABELS[config.strategy]}'s trials beside the seed: recipe {config.recipe}"
    notebook.show(spreads({name: aucs} | dict(yardsticks(config, out)), title))
    notebook.say(f"*What to see: {spread_in_words(aucs, config, out)}.*")


def spread_in_words(trials: Sequence[float], config: RunConfig, out: str | Path) -> str:
    """What trials spread over beside FE's seeds on the same data and model, if two are at hand, in words."""
    seeds = [record.valid.auc for record in over_seeds(_fe_beside(config), out, "results").values()]
    if len(seeds) > 1:
        n, one = len(trials), np.std(seeds, ddof=1)
        return (
            f"the spread of the trials is {np.std(trials, ddof=1) / one:.1f} times that of FE's {len(seeds)} seeds; of "
            f"equal trials it would be more than {wider(n, len(seeds)):.1f} times in one case of twenty. The best lies "
            f"{(max(trials) - np.mean(trials)) / one:.1f} deviations of these seeds above the trials' mean; of {n} "
            f"equal trials it would lie {luck(n):.1f} above it, on average"
        )
    return (
        f"how far the trials lie apart. No two seeds of FE are at hand on {config.dataset} and this model (notebook 02 "
        "makes them). A row of other data stands there only to be looked at: its validation part is another"
    )


def _fe_beside(config: RunConfig) -> RunConfig:
    keys = {key: getattr(config, key) for key in ("dataset", "recipe", "model", "profile")}
    return RunConfig(strategy="fe", **keys)


def spreads(rows: Mapping[str, Sequence[float]], title: str) -> Figure:
    """A row of dots each: distances from the row's own mean, so that rows of different heights can be compared."""
    figure, axis = plt.subplots(figsize=(8, 1.2 + 0.55 * len(rows)), layout="constrained")
    colours, said = sns.color_palette("colorblind"), []
    for y, (name, values) in enumerate(rows.items()):
        away = np.array(values) - np.mean(values)
        axis.plot(away, np.full(len(away), y), "o", color=colours[0] if y == 0 else "0.45", ms=6, alpha=0.7)
        said.append(f"{name}: sd {np.std(values, ddof=1):.4f}")
    axis.axvline(0, color="0.8", lw=0.8, zorder=0)
    axis.set_yticks(range(len(rows)), said)
    axis.set(title=title, xlabel="validation AUC, minus the mean of its row", ylim=(len(rows) - 0.5, -0.5))
    sns.despine(figure, left=True)
    figure.set_label(
        f"{title}. Rows of dots, each the distance of a validation AUC from its row's mean. {'; '.join(said)}."
    )
    return figure


def wider(trials: int, seeds: int) -> float:
    """The ratio of the deviation of trials to that of seeds that equal runs exceed in 5 % of cases: sqrt(F)."""
    return float(stats.f.ppf(1 - LEVEL, trials - 1, seeds - 1)) ** 0.5


def luck(n: int) -> float:
    """By how many standard deviations the best of n equal trials lies above their mean, on average: simulated."""
    return float(np.random.default_rng(0).standard_normal((20_000, n)).max(1).mean())
