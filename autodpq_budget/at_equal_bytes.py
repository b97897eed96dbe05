"""AUC against bytes, from records alone: the compressor and its rivals beside FE."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from autodpq_budget.settings import SHARES, room
from autodpq_budget.strategy import COMPRESSOR
from autodpq_eval.batch import TABLE_SEEDS
from autodpq_eval.layout import LABELS
from autodpq_eval.stats import gaps, holm, paired_effect
from autodpq_lib.config import STRATEGIES

#: What tables and pictures call each method.
METHOD_NAMES = {
    **{name: LABELS[name] for name in STRATEGIES},
    COMPRESSOR: "the compressor",
    "taught": "taught FE",
    "narrow": "narrow FE",
    "merge": "Others by threshold",
    "int-b": "integers after training",
    "lsq": "trained integers (LSQ)",
    "double-hash": "double hash",
    **{name: name.upper() for name in ("dhe", "qr", "dpq-vq", "mgqe", "mpe")},
}


def table(found: pd.DataFrame) -> pd.DataFrame:
    """One row per method and share: seeds, mean bytes, AUC and its spread, paired difference to FE, and ``place``.

    ``place``, the AUC at which it is drawn, is FE's mean over all its seeds plus that difference: methods ran on
    different seeds, and so become comparable.

    Args:
        found: of :func:`~autodpq_budget.chosen.at_chosen_settings`.
    """
    fe = aucs_at(found, "fe", 1.0)
    rows = []
    for (method, share), runs in found.groupby(["method", "share"], sort=False):
        mine = aucs_at(found, method, share)
        gap, apart = paired_effect(mine, fe), gaps(mine, fe)
        rows.append(
            {
                **{"method": method, "share": share, "n": len(runs), "bytes": runs["bytes"].mean()},
                **{key: runs[key].iloc[0] for key in ("width", "options")},
                **{"auc": runs["auc"].mean(), "sd": runs["auc"].std()},
                **{"difference": gap["effect"], "half": gap["high"] - gap["effect"]},
                "place": np.mean([*fe.values()]) + (apart.mean() if len(apart) else np.nan),
            }
        )
    return pd.DataFrame(rows).sort_values(["share", "method"], ascending=[False, True], ignore_index=True)


def comparisons(found: pd.DataFrame, margin: float, tested: Sequence[float] = SHARES) -> pd.DataFrame:
    """One row per share of the compressor: against FE and against its best rival, with tests of equivalence.

    The best rival is :func:`best_rival` on the compressor's seeds; in columns that end in ``_of_all``, on those of them
    that all rivals have. ``p_as_fe`` and ``p_as_rival`` test equivalence within :data:`~autodpq_eval.stats.MARGIN`,
    ``p_equal`` that with FE within ``margin``. All p have a column corrected by Holm over the shares, ``_holm``.

    Args:
        found: of :func:`~autodpq_budget.chosen.at_chosen_settings`.
        margin: of ``p_equal``.
        tested: shares at which ``p_equal`` is tested.
    """
    fe, everyone, rows = aucs_at(found, "fe", 1.0), found[found["seed"].isin(TABLE_SEEDS)], []
    for share in sorted(set(found.loc[found["method"] == COMPRESSOR, "share"]), reverse=True):
        ours = aucs_at(found, COMPRESSOR, share)
        gap = paired_effect(ours, fe)
        aim = paired_effect(ours, fe, margin)["p_equal"] if share in tested else np.nan
        row = {"share": share, "n": gap["n"], "difference": gap["effect"], "half": gap["high"] - gap["effect"]}
        row |= {"p_equal": aim, "p_as_fe": gap["p_equal"]} | _lead(ours, found, share)
        of_all = _lead(ours, everyone, share)
        rows.append(row | {f"{key}_of_all": of_all[key] for key in ("rival", "n_rival", "lead", "lead_half")})
    made = pd.DataFrame(rows)
    tests = ("p", "p_equal", "p_as_fe", "p_as_rival") if len(made) else ()
    return made.assign(**{f"{name}_holm": holm(made[name].to_numpy(float)) for name in tests})


def _lead(ours: dict[int, float], found: pd.DataFrame, share: float) -> dict[str, Any]:
    """The best rival at a share on the compressor's seeds, its bytes, and how far it is behind, paired."""
    name, rivals = best_rival(found[found["seed"].isin(ours)], share)
    theirs = found[(found["method"] == name) & (found["share"] == share)]
    lead = paired_effect(ours, aucs(theirs, found))
    return {
        **{"rival": name, "rivals": rivals, "rival_bytes": theirs["bytes"].mean(), "n_rival": lead["n"]},
        **{"lead": lead["effect"], "lead_half": lead["high"] - lead["effect"]},
        **{"p": lead["p"], "p_as_rival": lead["p_equal"]},
    }


def best_rival(found: pd.DataFrame, share: float) -> tuple[str, int]:
    """At a share, of the rivals with the most seeds, the one with the highest mean AUC; and how many have that many.

    Only runs that can be paired with FE's count (:func:`on_fes_processor`). Without any, the name is empty.
    """
    runs = on_fes_processor(found[(found["share"] == share) & (found["method"] != COMPRESSOR)], found)
    means = runs.groupby("method")["auc"].agg(["count", "mean"])
    most = means[means["count"] == means["count"].max()]
    return (str(most["mean"].idxmax()), len(most)) if len(most) else ("", 0)


def aucs_at(found: pd.DataFrame, method: str, share: float) -> dict[int, float]:
    """AUC by seed of a method at a share."""
    return aucs(found[(found["method"] == method) & (found["share"] == share)], found)


def aucs(runs: pd.DataFrame, found: pd.DataFrame) -> dict[int, float]:
    """AUC by seed of ``runs`` :func:`on_fes_processor`."""
    own = on_fes_processor(runs, found)
    return dict(zip(own["seed"], own["auc"], strict=True))


def on_fes_processor(runs: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """Runs on the processor that FE of their seed has in ``found``: another moves AUC as far as methods differ."""
    there = runs["seed"].map(found[found["method"] == "fe"].set_index("seed")["cpu"])
    return runs[runs["cpu"] == there]


def least_share(size: float, full: float) -> float:
    """The smallest of :data:`SHARES` of FE's ``full`` bytes into which ``size`` bytes fit; 0 if they fit into none."""
    return min((share for share in SHARES if size <= room(full, share)), default=0.0)
