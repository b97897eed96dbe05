"""Controls at equal bytes: what the teacher is worth, and rivals with options of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from autodpq_budget.at_equal_bytes import aucs, aucs_at, best_rival, least_share, on_fes_processor
from autodpq_budget.chosen import at_chosen_settings
from autodpq_budget.read_runs import TEACHER, full_bytes
from autodpq_budget.settings import CHOICE_SEED, CONTROL_SHARES, FORM
from autodpq_budget.strategy import COMPRESSOR
from autodpq_eval.stats import common, paired_effect


def teaching(every: pd.DataFrame) -> pd.DataFrame:
    """What the teacher is worth, taught minus from labels: one row per setting that ran both ways.

    Args:
        every: of :func:`~autodpq_budget.read_runs.read_runs`.
    """
    full, rows = full_bytes(every), []
    for (method, _), runs in every[every["control"].isin(["", TEACHER])].groupby(["method", "setting"]):
        sides = {control: aucs(part, every) for control, part in runs.groupby("control")}
        if len(sides) > 1 and all(sides.values()) and (share := least_share(runs["bytes"].max(), full)):
            own, other = sides[""], sides[TEACHER]
            taught, labels = (own, other) if method == COMPRESSOR else (other, own)
            means = [np.mean([*side.values()]) for side in common(taught, labels)]
            row = {"share": share, "method": method, "width": runs["width"].iloc[0]}
            row |= dict(zip(("taught", "labels"), means, strict=True))
            rows.append(row | paired_effect(taught, labels))
    return _by_share(rows)


def from_labels(every: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """The compressor from labels minus the best rival of its seeds, from labels too: a row a share with the control.

    Args:
        every: of :func:`~autodpq_budget.read_runs.read_runs`.
        found: of :func:`~autodpq_budget.chosen.at_chosen_settings`.
    """
    ours, rows = _otherwise_taught(every), []
    for share, runs in ours[ours["method"] == COMPRESSOR].groupby("share"):
        name, _ = best_rival(found[found["seed"].isin(runs["seed"])], share)
        rows.append({"share": share, "rival": name} | paired_effect(aucs(runs, every), aucs_at(found, name, share)))
    return _by_share(rows)


def from_teacher(every: pd.DataFrame, found: pd.DataFrame, control: str = TEACHER) -> pd.DataFrame:
    """The compressor minus the best of the rivals that FE teaches, too: one row per share at which such rivals ran.

    Args:
        every: of :func:`~autodpq_budget.read_runs.read_runs`.
        found: of :func:`~autodpq_budget.chosen.at_chosen_settings`.
        control: :data:`TEACHER`, rivals that are otherwise as they come, or :data:`~autodpq_budget.read_runs.BOTH`.
    """
    taught, rows = _otherwise_taught(every, control), []
    for share, runs in on_fes_processor(taught[taught["method"] != COMPRESSOR], every).groupby("share"):
        settings = runs.groupby(["method", "setting"])["auc"].agg(["count", "mean"]).sort_values(["count", "mean"])
        name, best = settings.index[-1]
        theirs = aucs(runs[runs["setting"] == best], every)
        rows.append({"share": share, "rival": name} | paired_effect(aucs_at(found, COMPRESSOR, share), theirs))
    return _by_share(rows)


def _otherwise_taught(every: pd.DataFrame, control: str = TEACHER) -> pd.DataFrame:
    """Runs of a control of teaching, each with the least share that its setting keeps to, if it keeps to one."""
    runs, full = every[every["control"] == control], full_bytes(every)
    largest = runs.groupby("setting")["bytes"].transform("max")
    return runs.assign(share=largest.map(lambda size: least_share(size, full))).query("share > 0")


def with_own(every: pd.DataFrame, found: pd.DataFrame, choice: pd.DataFrame, control: str) -> pd.DataFrame:
    """Rivals with a control's options against the rival as it comes and the compressor: one row per share and rival.

    Args:
        every: of :func:`~autodpq_budget.read_runs.read_runs`.
        found: of :func:`~autodpq_budget.chosen.at_chosen_settings`.
        choice: of :func:`~autodpq_budget.read_runs.read_runs`, on the seed of choice.
        control: of :data:`~autodpq_budget.settings.CONTROL_OPTIONS`.
    """
    made, rows = at_chosen_settings(every, choice, control), []
    for (share, method), runs in made[made["share"].isin(CONTROL_SHARES[control])].groupby(["share", "method"]):
        theirs = aucs(runs, every)
        gained = paired_effect(theirs, aucs_at(found, method, share))
        lead = paired_effect(aucs_at(found, COMPRESSOR, share), theirs)
        row = {"share": share, "method": method, **runs[["width", "options"]].iloc[0], "bytes": runs["bytes"].mean()}
        row |= {"auc": np.mean([*theirs.values()]), "lead": lead["effect"], "lead_half": lead["high"] - lead["effect"]}
        rows.append(row | gained | {"n": lead["n"]})  # which may not have run as it comes
    return _by_share(rows)


def tried_in_form(every: pd.DataFrame, choice: pd.DataFrame) -> pd.DataFrame:
    """A row a share and rival in another form: ``valid``, and ``valid_usual`` of the best as it comes.

    Args:
        every: of :func:`~autodpq_budget.read_runs.read_runs`; what exceeds a share on one of its seeds has no row.
        choice: of :func:`~autodpq_budget.read_runs.read_runs`, on the seed of choice.
    """
    runs = pd.concat([every, choice])
    made = (at_chosen_settings(runs, choice, each) for each in ("", FORM))
    usual, own = (each[each["seed"] == CHOICE_SEED] for each in made)
    own = own[own["share"].isin(CONTROL_SHARES[FORM])]
    beside = own.merge(usual, how="left", on=["share", "method"], suffixes=("", "_usual"))
    return beside.sort_values(["share", "method"], ascending=[False, True], kind="stable")


def _by_share(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """The largest share first."""
    return pd.DataFrame(rows).sort_values("share", ascending=False, kind="stable") if rows else pd.DataFrame()
