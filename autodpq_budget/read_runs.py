"""The runs at equal bytes as a table, from their records."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from autodpq_budget.other_width import TAUGHT
from autodpq_budget.settings import FORM, OF_FORM, SHARES, WEIGHTS, felt, table_bytes
from autodpq_budget.strategy import COMPRESSOR
from autodpq_data import avazu, movielens
from autodpq_data.prepared import known_fingerprint, load_schema
from autodpq_eval.expected import kind
from autodpq_eval.plans import configure
from autodpq_lib.config import OUTSIDE, STRATEGIES
from autodpq_rivals.rival import split_options
from autodpq_runs.record import Record, read_record

#: Fields of a record's model, which a record does not tell; of other data sets the prepared data does.
FIELDS = dict.fromkeys(("ml-1m", "ml-100k"), len(movielens.FIELDS)) | {"avazu-sample": len(avazu.FIELDS)}
COLUMNS = ["method", "setting", "told", "control", "width", "options", "seed", "cpu", "bytes", "valid", "auc", "run"]
#: What a run at a budget may change; controls change other things.
SWITCHES = {"options", "embedding_dim", "subspaces"}
#: Controls beside those of :mod:`~autodpq_budget.settings`: what learns otherwise than its method does, and what has
#: first-order weights with options of their own, too.
TEACHER = "teacher"
BOTH = f"{TEACHER} and {WEIGHTS}"


def read_runs(
    out: Path,
    dataset: str,
    recipe: str,
    seeds: Collection[int],
    model: str = "deepfm",
    switches: Mapping[str, Any] = {},
) -> pd.DataFrame:
    """A row a run: method, setting, bytes it was told, which control, width X, seed, bytes it has, AUCs, configuration.

    The control is ``""``, the method as it comes; :data:`TEACHER`, otherwise taught; :data:`WEIGHTS`, a rival whose
    first-order weights have options of their own; :data:`BOTH`; or :data:`FORM`, a rival in another form.

    Methods are the strategies of Table 1 as they come, and those that are told how many bytes they may have. A run
    counts if its record is not stale and it has all ``switches`` that affect its method
    (:func:`~autodpq_budget.settings.felt`), but no other key changed; at a budget, :data:`SWITCHES` are free.
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
    return fresh and changed == felt(switches, config.strategy) and config.strategy != TAUGHT


def _row(record: Record) -> dict[str, object]:
    config = record.config
    fields = FIELDS.get(config.dataset) or len(load_schema(config.dataset, config.threshold).fields)
    plain = {key: value for key, value in config.options.items() if key != "taught"}
    usual = config.strategy == COMPRESSOR  # which is taught as it comes
    changed = {TEACHER: config.options.get("taught", usual) != usual, WEIGHTS: plain != split_options(plain)[0]}
    changed[FORM] = not plain.keys().isdisjoint(OF_FORM)
    knobs = {key: value for key, value in config.changed().items() if key in SWITCHES} | {"options": plain}
    return {
        "method": config.strategy,
        "setting": kind(configure(config.dataset, config.recipe, config.strategy, 0, model=config.model, **knobs)),
        "told": config.options.get("bytes"),
        "control": " and ".join(name for name in changed if changed[name]),
        "width": config.embedding_dim,
        "options": "" if config.strategy == COMPRESSOR else _said(plain),
        "seed": config.seed,
        "cpu": record.provenance.cpu,
        "bytes": table_bytes(record, fields),
        "valid": record.valid.auc,
        "auc": record.test.auc,
        "run": config,
    }


def _said(options: Mapping[str, Any]) -> str:
    """``bits 4``; ``centroids 64, subspaces 1, normed no``."""
    yes = {True: "yes", False: "no"}
    return ", ".join(
        f"{key.replace('_', ' ')} {yes[value] if isinstance(value, bool) else value}" for key, value in options.items()
    )


def full_bytes(found: pd.DataFrame) -> float:
    """FE's bytes, or 0 where FE is not run: then nothing keeps to a share."""
    return float(found.loc[found["method"] == "fe", "bytes"].max()) if (found["method"] == "fe").any() else 0.0


def shares_of(found: pd.DataFrame) -> list[float]:
    """Those that the compressor was told in some run, the largest first; rivals are compared with it at these."""
    full, told = full_bytes(found), set(found.loc[found["method"] == COMPRESSOR, "told"])
    return [share for share in SHARES if int(share * full) in told]
