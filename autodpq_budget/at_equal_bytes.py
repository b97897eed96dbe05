"""AUC against bytes, from records alone: the compressor and its rivals beside FE."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from autodpq_budget.candidates import SHARES, room, table_bytes
from autodpq_budget.other_width import TAUGHT
from autodpq_budget.strategy import COMPRESSOR
from autodpq_data import avazu, movielens
from autodpq_data.prepared import known_fingerprint, load_schema
from autodpq_eval.batch import TABLE_SEEDS
from autodpq_eval.expected import kind
from autodpq_eval.layout import LABELS
from autodpq_eval.plans import configure
from autodpq_eval.stats import holm, paired_effect
from autodpq_lib.config import OUTSIDE, STRATEGIES
from autodpq_rivals.rival import divided
from autodpq_runs.record import Record, read_record

#: Fields of a record's model, which a record does not tell; of other data sets the prepared data does.
FIELDS = dict.fromkeys(("ml-1m", "ml-100k"), len(movielens.FIELDS)) | {"avazu-sample": len(avazu.FIELDS)}
#: As the literature calls them.
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
COLUMNS = ["method", "setting", "told", "control", "width", "options", "seed", "cpu", "bytes", "valid", "auc"]
#: What a run at a budget may change; controls change other things.
SWITCHES = {"options", "embedding_dim", "subspaces"}
#: Controls: what learns otherwise than its method does; rivals whose first-order weights have options of their own.
TEACHER, WEIGHTS = "teacher", "first-order weights"


def read_runs(
    out: Path,
    dataset: str,
    recipe: str,
    seeds: Collection[int],
    model: str = "deepfm",
    switches: Mapping[str, Any] = {},
) -> pd.DataFrame:
    """A row a run: method, setting, bytes it was told, which control it is, width X, seed, bytes it has, AUCs.

    The control is ``""``, the method as it comes; :data:`TEACHER`, otherwise taught; or :data:`WEIGHTS`, a rival whose
    first-order weights have options of their own.

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
    knobs = () if config.strategy in STRATEGIES else SWITCHES
    changed = {key: value for key, value in config.changed().items() if key not in knobs}
    fresh = record.stale(known_fingerprint(config.dataset)) is None
    return fresh and changed == switches and config.strategy != TAUGHT


def _row(record: Record) -> dict[str, object]:
    config = record.config
    fields = FIELDS.get(config.dataset) or len(load_schema(config.dataset, config.threshold).fields)
    plain = {key: value for key, value in config.options.items() if key != "taught"}
    control = WEIGHTS if divided(plain)[0] != plain else TEACHER if plain != config.options else ""
    knobs = {key: value for key, value in config.changed().items() if key in SWITCHES} | {"options": plain}
    return {
        "method": config.strategy,
        "setting": kind(configure(config.dataset, config.recipe, config.strategy, 0, model=config.model, **knobs)),
        "told": config.options.get("bytes"),
        "control": control,
        "width": config.embedding_dim,
        "options": "" if config.strategy == COMPRESSOR else _said(plain),
        "seed": config.seed,
        "cpu": record.provenance.cpu,
        "bytes": table_bytes(record, fields),
        "valid": record.valid.auc,
        "auc": record.test.auc,
    }


def _said(options: Mapping[str, Any]) -> str:
    """``bits 4``; ``centroids 64, subspaces 1, normed no``."""
    yes = {True: "yes", False: "no"}
    return ", ".join(
        f"{key.replace('_', ' ')} {yes[value] if isinstance(value, bool) else value}" for key, value in options.items()
    )


def at_chosen_settings(found: pd.DataFrame, choice: pd.DataFrame, control: str = "") -> pd.DataFrame:
    """Of each method and share one setting for all seeds, in at most so many bytes on every seed.

    It is the one with the best validation AUC on the seed of choice; the compressor's is told that share. The
    strategies of Table 1, which are not told how many bytes they may have, have share 1.

    Args:
        found: of :func:`read_runs`, on the seeds that are reported.
        choice: of :func:`read_runs`, on the seed of choice.
        control: which control, instead of the methods as they come.
    """
    runs = found[found["control"] == control]
    parts = [runs[runs["method"].isin(STRATEGIES)].assign(share=1.0)]
    for (share, _), setting in chosen_settings(found, choice, control).items():
        parts.append(runs[runs["setting"] == setting].assign(share=share))
    return pd.concat(parts, ignore_index=True)


def chosen_settings(found: pd.DataFrame, choice: pd.DataFrame, control: str = "") -> dict[tuple[float, str], str]:
    """Share and method -> the setting that stands for it, of each method that has run on the reported seeds at all.

    As :func:`autodpq_budget.candidates.chosen`, which says what is run, with two differences. All settings count that
    were tried, not the plan's alone. And the bytes of every seed must fit, not those of the seed of choice alone: so of
    MPE, whose search decides its bytes, another setting may be wanted than has run; the page says that it has not.
    """
    full, settings = full_bytes(found), {}
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


def table(found: pd.DataFrame) -> pd.DataFrame:
    """A row a method and share: seeds, mean bytes, AUC and its spread, the paired difference to FE, its place.

    The place, at which it is drawn, is FE's mean over all seeds and that difference: methods have different seeds.

    Args:
        found: of :func:`at_chosen_settings`.
    """
    fe = aucs_at(found, "fe", 1.0)
    rows = []
    for (method, share), runs in found.groupby(["method", "share"], sort=False):
        mine = aucs_at(found, method, share)
        gap, pairs = paired_effect(mine, fe), {*mine} & {*fe}
        apart = np.mean([mine[seed] - fe[seed] for seed in pairs]) if pairs else np.nan
        rows.append(
            {
                **{"method": method, "share": share, "n": len(runs), "bytes": runs["bytes"].mean()},
                **{key: runs[key].iloc[0] for key in ("width", "options")},
                **{"auc": runs["auc"].mean(), "sd": runs["auc"].std()},
                **{"difference": gap["effect"], "half": gap["high"] - gap["effect"]},
                "place": np.mean([*fe.values()]) + apart,
            }
        )
    return pd.DataFrame(rows).sort_values(["share", "method"], ascending=[False, True], ignore_index=True)


def comparisons(found: pd.DataFrame, margin: float, tested: Sequence[float] = SHARES) -> pd.DataFrame:
    """A row a share of the compressor: against FE, with a test of equivalence, and against its best rival.

    The best rival has the highest mean AUC of those with most of the compressor's seeds. What ends in ``_of_all`` is of
    the one that has it on the seeds that all rivals have. Both families of p-values are Holm's.

    Args:
        found: of :func:`at_chosen_settings`.
        margin: within which a compressed model is as good as FE.
        tested: shares for which that is tested.
    """
    fe, everyone, rows = aucs_at(found, "fe", 1.0), found[found["seed"].isin(TABLE_SEEDS)], []
    for share in sorted(set(found.loc[found["method"] == COMPRESSOR, "share"]), reverse=True):
        ours = aucs_at(found, COMPRESSOR, share)
        gap = paired_effect(ours, fe, margin)
        row = {"share": share, "n": gap["n"], "difference": gap["effect"], "half": gap["high"] - gap["effect"]}
        row |= {"p_equal": gap["p_equal"] if share in tested else np.nan} | _lead(ours, found, share)
        rows.append(row | {f"{key}_of_all": value for key, value in _lead(ours, everyone, share).items()})
    made = pd.DataFrame(rows)
    corrected = {f"{name}_holm": holm(made[name].to_numpy(float)) for name in ("p", "p_equal") if len(made)}
    return made.assign(**corrected)


def _lead(ours: dict[int, float], found: pd.DataFrame, share: float) -> dict[str, Any]:
    """The best rival at a share on the compressor's seeds, its bytes, and how far it is behind, paired."""
    name, rivals = best_rival(found[found["seed"].isin(ours)], share)
    theirs = found[(found["method"] == name) & (found["share"] == share)]
    lead = paired_effect(ours, aucs(theirs, found))
    return {
        **{"rival": name, "rivals": rivals, "rival_bytes": theirs["bytes"].mean(), "n_rival": lead["n"]},
        **{"lead": lead["effect"], "lead_half": lead["high"] - lead["effect"], "p": lead["p"]},
    }


def best_rival(found: pd.DataFrame, share: float) -> tuple[str, int]:
    """The rival with the highest mean AUC at a share, of those that most seeds have, and how many these are.

    Without any, the name is empty.
    """
    runs = found[(found["share"] == share) & (found["method"] != COMPRESSOR)]
    means = runs.groupby("method")["auc"].agg(["count", "mean"])
    most = means[means["count"] == means["count"].max()]
    return (str(most["mean"].idxmax()), len(most)) if len(most) else ("", 0)


def aucs_at(found: pd.DataFrame, method: str, share: float) -> dict[int, float]:
    """AUC by seed of a method at a share."""
    return aucs(found[(found["method"] == method) & (found["share"] == share)], found)


def aucs(runs: pd.DataFrame, found: pd.DataFrame) -> dict[int, float]:
    """AUC by seed of ``runs`` on the processor that FE has in ``found``: another moves it as far as methods differ."""
    there = runs["seed"].map(found[found["method"] == "fe"].set_index("seed")["cpu"])
    own = runs[runs["cpu"] == there]
    return dict(zip(own["seed"], own["auc"], strict=True))


def full_bytes(found: pd.DataFrame) -> float:
    """FE's bytes, or 0 where FE is not run: then nothing keeps to a share."""
    return float(found.loc[found["method"] == "fe", "bytes"].max()) if (found["method"] == "fe").any() else 0.0


def shares_of(found: pd.DataFrame) -> list[float]:
    """Those that the compressor was told in some run, the largest first; rivals are compared with it at these."""
    full, told = full_bytes(found), set(found.loc[found["method"] == COMPRESSOR, "told"])
    return [share for share in SHARES if int(share * full) in told]


def least_share(size: float, full: float) -> float:
    """The least share of FE's ``full`` bytes that so many keep to; 0 where they keep to none."""
    return min((share for share in SHARES if size <= room(full, share)), default=0.0)
