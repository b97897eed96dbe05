"""AUC against bytes, from records alone: the compressor and its rivals beside FE."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from autodpq_budget.distil import TAUGHT
from autodpq_budget.plan import SHARES, room, table_bytes
from autodpq_budget.strategy import COMPRESSOR
from autodpq_data import avazu, movielens
from autodpq_data.prepared import known_fingerprint, load_schema
from autodpq_eval.batch import TABLE_SEEDS
from autodpq_eval.expected import kind
from autodpq_eval.layout import LABELS
from autodpq_eval.plans import configure
from autodpq_eval.stats import common, holm, paired_effect
from autodpq_lib.config import OUTSIDE, STRATEGIES
from autodpq_runs.record import Record, read_record

#: Fields of a record's model, which a record does not tell; of other data sets the prepared data does.
FIELDS = dict.fromkeys(("ml-1m", "ml-100k"), len(movielens.FIELDS)) | {"avazu-sample": len(avazu.FIELDS)}
#: As the literature calls them.
NAMES = {
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
COLUMNS = ["method", "setting", "told", "control", "width", "seed", "cpu", "bytes", "valid", "auc"]
#: What a run at a budget may change; controls change other things.
KNOBS = {"options", "embedding_dim", "subspaces"}


def read_runs(
    out: Path,
    dataset: str,
    recipe: str,
    seeds: Collection[int],
    model: str = "deepfm",
    switches: Mapping[str, Any] = {},
) -> pd.DataFrame:
    """A row a run: method, setting, bytes it was told, if a control of learning, width X, seed, bytes it has, AUCs.

    Methods are the strategies of Table 1 as they come, and those that are told how many bytes they may have; all of
    them with the ``switches`` that are named, and no others.
    """
    paths = sorted((out / dataset / recipe / "records").glob(f"{model}-*.json"))
    wanted = tuple(f"{model}-{name}-" for name in (*STRATEGIES, *OUTSIDE))
    found = list(map(read_record, (path for path in paths if path.name.startswith(wanted))))
    rows = [_row(r) for r in found if r.config.seed in seeds and _counts(r, switches)]
    return pd.DataFrame(rows, columns=COLUMNS)


def _counts(record: Record, switches: Mapping[str, Any]) -> bool:
    config = record.config
    knobs = () if config.strategy in STRATEGIES else KNOBS
    changed = {key: value for key, value in config.changed().items() if key not in knobs}
    fresh = record.stale(known_fingerprint(config.dataset)) is None
    return fresh and changed == switches and config.strategy != TAUGHT


def _row(record: Record) -> dict[str, object]:
    config = record.config
    fields = FIELDS.get(config.dataset) or len(load_schema(config.dataset, config.threshold).fields)
    plain = {key: value for key, value in config.options.items() if key != "taught"}
    knobs = {key: value for key, value in config.changed().items() if key in KNOBS} | {"options": plain}
    return {
        "method": config.strategy,
        "setting": kind(configure(config.dataset, config.recipe, config.strategy, 0, model=config.model, **knobs)),
        "told": config.options.get("bytes"),
        "control": plain != config.options,
        "width": config.embedding_dim,
        "seed": config.seed,
        "cpu": record.provenance.cpu,
        "bytes": table_bytes(record, fields),
        "valid": record.valid.auc,
        "auc": record.test.auc,
    }


def at_chosen_settings(found: pd.DataFrame, choice: pd.DataFrame) -> pd.DataFrame:
    """Of each method and share one setting for all seeds, in at most so many bytes on every seed.

    A rival's is the one with the best validation AUC on the seed of choice. The compressor's is the one that was told
    that share: on other seeds it has run at the width that was chosen alone. The strategies of Table 1, which are not
    told how many bytes they may have, have share 1.

    Args:
        found: of :func:`read_runs`, on the seeds that are reported.
        choice: of :func:`read_runs`, on the seed of choice.
    """
    found = found[~found["control"]].reset_index(drop=True)
    parts = [found[found["method"].isin(STRATEGIES)].assign(share=1.0)]
    for (share, _), setting in chosen_settings(found, choice).items():
        parts.append(found[found["setting"] == setting].assign(share=share))
    return pd.concat(parts, ignore_index=True)


def chosen_settings(found: pd.DataFrame, choice: pd.DataFrame) -> dict[tuple[float, str], str]:
    """Share and method -> the setting that stands for it, whether it has run on the reported seeds or not yet.

    As :func:`autodpq_budget.plan.chosen`, which says what is run, with two differences. All settings count that were
    tried, not the plan's alone. And the bytes of every seed must fit, not those of the seed of choice alone: so of MPE,
    whose search decides its bytes, another setting may be wanted than has run; the page then says that it has not.
    """
    full, settings = full_bytes(found), {}
    for share, (method, group) in product(SHARES, found[~found["method"].isin(STRATEGIES)].groupby("method")):
        tried = choice[(choice["method"] == method) & ~choice["control"]]
        largest = pd.concat([group, tried]).groupby("setting")["bytes"].max()
        ours = group[group["told"] == int(share * full)]
        by, runs = ("bytes", ours) if method == COMPRESSOR else ("valid", tried)
        fits = runs[runs["setting"].map(largest) <= room(full, share)]
        if len(fits):
            settings[share, str(method)] = str(fits.loc[fits[by].idxmax(), "setting"])
    return settings


def table(found: pd.DataFrame) -> pd.DataFrame:
    """A row a method and share: seeds, mean bytes, AUC and its spread, the paired difference to FE, its place.

    The place, at which it is drawn, is FE's mean over all seeds and that difference: methods have different seeds.

    Args:
        found: of :func:`at_chosen_settings`.
    """
    fe = _by_seed(found, "fe", 1.0)
    rows = []
    for (method, share), runs in found.groupby(["method", "share"], sort=False):
        mine = _by_seed(found, method, share)
        gap, pairs = paired_effect(mine, fe), {*mine} & {*fe}
        apart = np.mean([mine[seed] - fe[seed] for seed in pairs]) if pairs else np.nan
        rows.append(
            {
                **{"method": method, "share": share, "n": len(runs), "bytes": runs["bytes"].mean()},
                "width": runs["width"].iloc[0],
                **{"auc": runs["auc"].mean(), "sd": runs["auc"].std()},
                **{"difference": gap["effect"], "half": gap["high"] - gap["effect"]},
                "place": np.mean([*fe.values()]) + apart,
            }
        )
    return pd.DataFrame(rows).sort_values(["share", "method"], ascending=[False, True], ignore_index=True)


def teaching(found: pd.DataFrame) -> pd.DataFrame:
    """What the teacher is worth: a row a setting that is taught and not, the compressor's among them.

    Args:
        found: of :func:`read_runs`.
    """
    full, rows = full_bytes(found), []
    for (method, setting), runs in found[~found["method"].isin(STRATEGIES)].groupby(["method", "setting"]):
        sides = [_aucs(part, found) for _, part in runs.groupby("control")]
        if len(sides) > 1 and all(sides) and (share := _share(runs, full)):
            plain, other = sides
            taught, labels = (plain, other) if method == COMPRESSOR else (other, plain)
            means = [np.mean([*side.values()]) for side in common(taught, labels)]
            row = {"share": share, "method": method, "setting": setting, "width": runs["width"].iloc[0]}
            row |= {"taught": means[0], "labels": means[1]}
            rows.append(row | paired_effect(taught, labels))
    columns = ["share", "method"]
    return pd.DataFrame(rows).sort_values(columns, ascending=[False, True]) if rows else pd.DataFrame()


def from_labels(every: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """The compressor from labels minus the best rival of its seeds, from labels too: a row a share with the control.

    Args:
        every: of :func:`read_runs`.
        found: of :func:`at_chosen_settings`.
    """
    ours = every[(every["method"] == COMPRESSOR) & every["control"]] if len(every) else every
    full, rows = full_bytes(found), []
    for _, runs in ours.groupby("setting") if len(ours) else ():
        if not (share := _share(runs, full)):
            continue
        name = best_rival(found[found["seed"].isin(runs["seed"])], share)
        rival = _by_seed(found, name, share)
        rows.append({"share": share, "rival": name} | paired_effect(_aucs(runs, every), rival))
    return pd.DataFrame(rows).sort_values("share", ascending=False) if rows else pd.DataFrame()


def verdicts(
    found: pd.DataFrame, margin: float, tested: Sequence[float] = SHARES, *, whole: Collection[int] = TABLE_SEEDS
) -> pd.DataFrame:
    """A row a share of the compressor: against FE, with a test of equivalence, and against its best rival.

    The best rival has the highest mean AUC of those with most seeds; the nearest has it on the seeds of all rivals.
    Both families of p-values are Holm's.

    Args:
        found: of :func:`at_chosen_settings`.
        margin: within which a compressed model is as good as FE.
        tested: shares for which that is tested.
        whole: seeds of every rival that has run.
    """
    fe, everyone, rows = _by_seed(found, "fe", 1.0), found[found["seed"].isin(whole)], []
    for share in sorted(set(found.loc[found["method"] == COMPRESSOR, "share"]), reverse=True):
        ours, name, near = _by_seed(found, COMPRESSOR, share), best_rival(found, share), best_rival(everyone, share)
        gap, lead = paired_effect(ours, fe, margin), paired_effect(ours, _by_seed(found, name, share))
        row = {"share": share, "n": gap["n"], "difference": gap["effect"], "half": gap["high"] - gap["effect"]}
        row |= {"p_equal": gap["p_equal"] if share in tested else np.nan}
        row |= {"lead": lead["effect"], "lead_half": lead["high"] - lead["effect"]}
        theirs = found.loc[(found["method"] == name) & (found["share"] == share), "bytes"].mean()
        row |= {"rival": name, "rival_bytes": theirs, "n_rival": lead["n"]}
        nearest = paired_effect(ours, _by_seed(everyone, near, share))
        row |= {"near": near, "near_lead": nearest["effect"], "near_half": nearest["high"] - nearest["effect"]}
        rows.append({**row, "p": lead["p"]})
    made = pd.DataFrame(rows)
    corrected = {f"{name}_holm": holm(made[name].to_numpy(float)) for name in ("p", "p_equal") if len(made)}
    return made.assign(**corrected)


def best_rival(found: pd.DataFrame, share: float) -> str:
    """Name of the rival with the highest mean AUC at a share, among those that most seeds have; none: an empty one."""
    runs = found[(found["share"] == share) & (found["method"] != COMPRESSOR)]
    means = runs.groupby("method")["auc"].agg(["count", "mean"])
    return str(means.sort_values(["count", "mean"]).index[-1]) if len(means) else ""


def _by_seed(found: pd.DataFrame, method: str, share: float) -> dict[int, float]:
    """AUC by seed of a method at a share."""
    return _aucs(found[(found["method"] == method) & (found["share"] == share)], found)


def _aucs(runs: pd.DataFrame, found: pd.DataFrame) -> dict[int, float]:
    """AUC by seed of ``runs`` on the processor that FE has in ``found``: another moves it as far as methods differ."""
    there = runs["seed"].map(found[found["method"] == "fe"].set_index("seed")["cpu"])
    own = runs[runs["cpu"] == there]
    return dict(zip(own["seed"], own["auc"], strict=True))


def full_bytes(found: pd.DataFrame) -> float:
    """FE's bytes, or 0 where FE is not run: then nothing keeps to a share."""
    return float(found.loc[found["method"] == "fe", "bytes"].max()) if (found["method"] == "fe").any() else 0.0


def _share(runs: pd.DataFrame, full: float) -> float:
    """The least share of FE's ``full`` bytes that some runs keep to; 0 where they keep to none."""
    return min((share for share in SHARES if runs["bytes"].max() <= room(full, share)), default=0.0)
