"""AUC against bytes, from records alone: the compressor and its rivals beside FE."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from autodpq_budget.plan import SHARES
from autodpq_budget.strategy import STRATEGY
from autodpq_eval.stats import paired_effect
from autodpq_lib.config import OUTSIDE
from autodpq_rivals.budget import rest_bytes
from autodpq_runs.record import Record, read_record

#: Fields of a record's model, which a record does not tell.
FIELDS = {"ml-1m": 8, "ml-100k": 8, "planted": 3}
MARKERS = "osD^vP*Xh"


def runs(out: Path, dataset: str, recipe: str, seeds: Sequence[int]) -> pd.DataFrame:
    """A row a run on DeepFM: method, width X, seed, share of FE's bytes, bytes of both tables, AUCs.

    The share is the smallest of :data:`SHARES` that the bytes keep to; of FE, which has its own, it is 1.
    """
    paths = sorted((out / dataset / recipe / "records").glob("deepfm-*.json"))
    named = [path for path in paths if path.name.startswith(tuple(f"deepfm-{name}-" for name in ("fe", *OUTSIDE)))]
    found = [record for record in map(read_record, named) if record.config.seed in seeds]
    full = [tables(r) for r in found if _plain(r)][:1]
    return pd.DataFrame(_rows(found, full[0]) if full else [])


def tables(record: Record) -> int:
    """Bytes of embedding and first-order weights."""
    return record.space.model_bytes - rest_bytes(record.config, FIELDS[record.config.dataset])


def _plain(record: Record) -> bool:
    return record.config.strategy == "fe" and not record.config.changed()


def _rows(found: Sequence[Record], full: int) -> Iterator[dict[str, object]]:
    for record in found:
        size = tables(record)
        fits = [share for share in SHARES if size <= int(share * full)]
        if _plain(record) or (record.config.strategy in OUTSIDE and fits):
            yield {
                "method": record.config.strategy,
                "width": record.config.embedding_dim,
                "seed": record.config.seed,
                "share": 1.0 if _plain(record) else min(fits),
                "bytes": size,
                "valid": record.valid.auc,
                "auc": record.test.auc,
            }


def table(found: pd.DataFrame) -> pd.DataFrame:
    """A row a method, share and width: seeds, mean bytes, AUC and its spread, the paired difference to FE."""
    fe = found[found["method"] == "fe"].set_index("seed")["auc"].to_dict()
    rows = []
    for (method, share, width), of in found.groupby(["method", "share", "width"], sort=False):
        gap = paired_effect(of.set_index("seed")["auc"].to_dict(), fe)
        rows.append(
            {
                **{"method": method, "share": share, "width": width, "n": len(of), "bytes": of["bytes"].mean()},
                **{
                    "auc": of["auc"].mean(),
                    "sd": of["auc"].std(),
                    "difference": gap["effect"],
                    "half": gap["high"] - gap["effect"],
                },
            }
        )
    return pd.DataFrame(rows).sort_values(["share", "method", "width"], ascending=[False, True, True])


def best(found: pd.DataFrame) -> pd.DataFrame:
    """Of each method and share the width that is best on validation, over the seeds that all its widths have."""
    means = found.groupby(["method", "share", "width"])["valid"].agg(["mean", "count"]).reset_index()
    most = means.groupby(["method", "share"])["count"].transform("max")
    top = means[means["count"] == most].sort_values("mean").groupby(["method", "share"]).tail(1)
    return found.merge(top[["method", "share", "width"]], on=["method", "share", "width"])


def draw(rows: pd.DataFrame) -> Figure:
    """AUC against bytes on a logarithmic axis, a line a method and width, FE dashed; bars are 95 % intervals."""
    figure, axis = plt.subplots(figsize=(8, 4.6), layout="constrained")
    fe, others = rows[rows["method"] == "fe"], rows[rows["method"] != "fe"]
    axis.axhline(fe["auc"].mean(), color="0.4", ls="--", lw=1.5, label="FE, X = 16")
    lines = others.sort_values("bytes").groupby(["method", "width"], sort=False)
    for ((method, width), of), colour, marker in zip(lines, sns.color_palette("colorblind"), MARKERS, strict=False):
        label = f"{'rate-distortion choice' if method == STRATEGY else method}, X = {width}"
        half = of["half"].fillna(0)
        axis.errorbar(of["bytes"], of["auc"], half, color=colour, marker=marker, capsize=3, label=label)
    shares = sorted(set(others["share"]))
    axis.set_xscale("log", base=2)
    axis.set_xticks([share * fe["bytes"].mean() for share in shares], [f"{share:.1%}" for share in shares])
    axis.minorticks_off()
    axis.set(xlabel="bytes of embedding and first-order weights, share of FE's", ylabel="test AUC")
    axis.set_title("AUC against bytes", loc="left", fontweight="bold")
    axis.legend(loc="lower right")
    sns.despine(figure)
    said = "; ".join(f"{r['method']} {r['bytes']:,.0f} bytes {r['auc']:.4f}" for _, r in rows.iterrows())
    figure.set_label(f"AUC against bytes, a line a method, FE dashed. {said}.")
    return figure
