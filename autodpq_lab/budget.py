"""The byte budget: a slider along the curve of bytes against AUC, with what each field gets (notebook 13)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import ipywidgets as widgets
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.ticker import EngFormatter, LogLocator

from autodpq_budget.choice_table import choice
from autodpq_budget.menu import Menu, bytes_of
from autodpq_budget.of_model import on_groups
from autodpq_budget.settings import SHARES, budget_of
from autodpq_lab.shown import Shown, picture, present
from autodpq_lib.training.metrics import evaluate
from autodpq_runs.explore import LoadedRun


class Point(NamedTuple):
    """A budget as a share of FE's bytes (X = 16), the bytes taken, validation AUC, and bits a feature by field."""

    share: float
    taken: int
    auc: float
    bits: pd.Series


def point(run: LoadedRun, offered: Menu, share: float) -> Point:
    """What a share of FE's bytes buys.

    Args:
        run: that the menu is of.
        offered: see :func:`autodpq_budget.of_model.menu_of`.
        share: at least that of ``offered.least``.
    """
    config = run.record.config
    budget = budget_of(run.schema, share, config.model)
    made = offered.stored(budget)
    auc = evaluate(on_groups(config, run.schema, run.model, made), run.valid).auc
    groups = choice(run.schema, made, config.embedding_dim)
    total = sum(groups[column] * groups["features"] for column in groups if column.endswith(", bits"))
    by_field = pd.DataFrame({"bits": total, "features": groups["features"]}).groupby(groups["field"], sort=False).sum()
    return Point(share, bytes_of(made), auc, by_field["bits"] / by_field["features"])


def budget_slider(run: LoadedRun, offered: Menu, shares: Sequence[float] = SHARES) -> widgets.VBox:
    """Move along the budgets that can be kept and that still cost something; each is measured once, on validation.

    Raises:
        ValueError: there is none.
    """
    model = run.record.config.model
    kept = [share for share in sorted(shares) if offered.least <= budget_of(run.schema, share, model) < offered.most]
    if not kept:
        raise ValueError(f"shares: expected one between {offered.least} and {offered.most} bytes, found none")
    points, whole = [point(run, offered, share) for share in kept], evaluate(run.model, run.valid).auc

    def draw(place: int) -> Shown:
        here = points[place]
        figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.4), layout="constrained")
        left.plot([p.taken for p in points], [p.auc for p in points], "o-", color="#0072b2", ms=4)
        left.plot(here.taken, here.auc, "o", ms=11, mfc="none", mec="#d55e00", mew=2)
        left.axhline(whole, color="0.4", ls="--", lw=1)
        left.annotate("uncompressed", (points[0].taken, whole), xytext=(0, 3), textcoords="offset points", fontsize=8)
        left.set(title="What it costs", xscale="log", xlabel="bytes of the tables", ylabel="validation AUC")
        left.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        left.xaxis.set_major_formatter(EngFormatter())
        left.minorticks_off()
        left.margins(y=0.15)
        here.bits[::-1].plot.barh(ax=right, color="#0072b2")
        right.set(title=f"Who gets what, at {here.taken:,} bytes", xlabel="bits a feature", ylabel="")
        return picture(figure, f"AUC against bytes, a ring at the budget; bars of bits a field. {said(here, whole)}",
                       said(here, whole))  # fmt: skip

    marks = [(f"{share:.1%}", n) for n, share in enumerate(kept)]
    return present(draw, place=widgets.SelectionSlider(options=marks, value=len(marks) // 2, description="of FE"))


def said(here: Point, whole: float) -> str:
    """Bytes, AUC and the fields with the most and the least, in a sentence."""
    most, least = here.bits.idxmax(), here.bits.idxmin()
    return (
        f"{here.share:.1%} of FE's bytes, {here.taken:,} taken: validation AUC {here.auc:.4f}, {here.auc - whole:+.4f} "
        f"against the uncompressed model. Most bits a feature: {most} ({here.bits[most]:.1f}); least: {least} "
        f"({here.bits[least]:.1f})."
    )
