"""What runs decide: how a search weighs its candidates, how sure it is, and whether seeds agree or chance would do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from autodpq_lib.config import RunConfig
from autodpq_lib.training.fit import leaders
from autodpq_runs.curves import FitLog
from autodpq_runs.record import Record

#: (K, D) -> the candidate's weight in each epoch.
Weights = dict[tuple[int, int], NDArray[np.float64]]


def search_curve(record: Record) -> pd.DataFrame:
    """A row an epoch of AutoDPQ's search."""
    return pd.DataFrame(next(log.curve for log in record.fits if log.name == "search"))


def fields_of(curve: pd.DataFrame) -> list[str]:
    """The fields that a search decides on."""
    return [column.partition("/")[2] for column in curve if column.startswith("entropy/")]


def deciding_epoch(curve: pd.DataFrame, config: RunConfig) -> int:
    """The row of a search's curve in which alpha is read: the best on validation or, if the run says so, the last."""
    last = config.search_until == "settled" or config.scored == "last"
    return len(curve) - 1 if last else int(curve["valid_auc"].to_numpy().argmax())


def weights_of(curve: pd.DataFrame, field: str) -> Weights:
    """(K, D) -> weight in each epoch of a field of a search's curve."""
    columns = [column for column in curve if column.rpartition("/")[0] == f"p/{field}"]
    pairs = [tuple(int(part) for part in column.rpartition("/")[2].split(",")) for column in columns]
    return {(k, d): curve[column].to_numpy() for (k, d), column in sorted(zip(pairs, columns, strict=True))}


def decisions(records: Sequence[Record]) -> pd.DataFrame:
    """(K, D) of every field, one row a record."""
    rows = [{name: f"{k}, {d}" for name, (k, d) in (record.decision or {}).items()} for record in records]
    index = pd.Index([f"{record.config.strategy}, seed {record.config.seed}" for record in records], name="run")
    return pd.DataFrame(rows, index=index)


def trial_fits(record: Record) -> list[FitLog]:
    """The fits of a run that are trials; it may have others, from which they start or which go on."""
    return [log for log in record.fits if log.stage == "trial"]


def trials(record: Record) -> pd.DataFrame:
    """Trials of Grid or Random, best on validation first: decision, validation metrics, epochs, seconds.

    The metrics are those of the epoch that counts, the best or the last.
    """
    rows = []
    for log in trial_fits(record):
        curve = pd.DataFrame(log.curve)
        best = curve.iloc[-1] if record.config.scored == "last" else curve.loc[curve["valid_auc"].idxmax()]
        pairs = {name: f"{k}, {d}" for name, (k, d) in (log.decision or {}).items()}
        rows.append(
            pairs
            | {"valid_auc": best["valid_auc"], "valid_logloss": best["valid_logloss"]}
            | {"epochs": len(curve), "seconds": curve["seconds"].sum()}
        )
    return pd.DataFrame(rows).sort_values("valid_auc", ascending=False, ignore_index=True)


def agreement(records: Sequence[Record]) -> pd.DataFrame:
    """Per field: the pair chosen most often, or those that tie, its share of the seeds, and that share by chance."""
    rows = []
    for name in records[0].decision or {} if records else {}:
        counts = Counter(record.decision[name] for record in records if record.decision)
        most = max(counts.values())
        tied = " and ".join(f"({k}, {d})" for (k, d), times in sorted(counts.items()) if times == most)
        rows.append({"field": name, "most frequent": tied, "share": most / counts.total()})
    table = pd.DataFrame(rows, columns=["field", "most frequent", "share"]).set_index("field")
    return table.assign(
        **{"share by chance": _share_by_chance(len(records), len(records[0].config.candidates))} if rows else {}
    )


def _share_by_chance(runs: int, pairs: int) -> float:
    """Expected share of the most frequent pair when each run draws its own, by simulation."""
    drawn = np.random.default_rng(0).multinomial(runs, np.full(pairs, 1 / pairs), size=20_000)
    return float(drawn.max(1).mean() / runs)


def sureness(records: Sequence[Record]) -> pd.DataFrame:
    """Tau, and the entropy of each field's weights p, at the search's :func:`deciding_epoch`: one row per seed.

    An entropy of ln T is no preference. ``changed`` counts the fields that the last epoch would decide otherwise.
    """
    rows = []
    for record in records:
        curve = search_curve(record)
        best, last = curve.iloc[deciding_epoch(curve, record.config)], curve.iloc[-1]
        then, now = leaders(best.to_dict()), leaders(last.to_dict())
        changed = sum(then[name] != now[name] for name in fields_of(curve))
        entropy = {name: best[f"entropy/{name}"] for name in fields_of(curve)}
        rows.append({"seed": record.config.seed, "tau": best["tau"], **entropy, "changed": changed})
    return pd.DataFrame(rows).set_index("seed") if rows else pd.DataFrame()


def rank_among_random(chosen: Sequence[Record], random: Sequence[Record]) -> pd.DataFrame:
    """Is the decision better than one drawn by lot? Validation AUC of both, each trained from scratch on the same seed.

    Args:
        chosen: AutoDPQ's records with ``retrain_from="scratch"``.
        random: Random's records.

    ``share below`` is the share of Random's trials below the chosen decision. By chance it is 0.5 on average, for a
    decision made without the validation labels; the search's alpha was trained on them, which favours it.
    """
    trials = {r.config.seed: pd.Series([max(log.curve["valid_auc"]) for log in trial_fits(r)]) for r in random}
    rows = [
        {
            "seed": record.config.seed,
            "chosen": record.valid.auc,
            "random, mean": trials[record.config.seed].mean(),
            "random, sd": trials[record.config.seed].std(),
            "share below": (trials[record.config.seed] < record.valid.auc).mean(),
        }
        for record in chosen
        if record.config.seed in trials
    ]
    columns = ["seed", "chosen", "random, mean", "random, sd", "share below"]
    return pd.DataFrame(rows, columns=columns).set_index("seed")


def codebook_use(records: Sequence[Record]) -> pd.DataFrame:
    """Share of each field's centroids in use after training, seed by seed; the rest are dead codes."""
    rows = [{"seed": record.config.seed, **record.codebook_use} for record in records if record.codebook_use]
    return pd.DataFrame(rows).set_index("seed") if rows else pd.DataFrame()
