"""AUC against bytes, from records alone: the compressor and its rivals beside FE."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from autodpq_budget.plan import SHARES, tables
from autodpq_budget.strategy import STRATEGY
from autodpq_data.prepared import load_schema
from autodpq_eval.expected import kind
from autodpq_eval.figures import COLOURS
from autodpq_eval.layout import LABELS
from autodpq_eval.stats import effect, equivalence, paired_effect
from autodpq_eval.ten_seeds import holm
from autodpq_lib.config import OUTSIDE, STRATEGIES
from autodpq_runs.record import Record, read_record

#: Fields of a record's model, which a record does not tell; of other data sets the prepared data does.
FIELDS = {"ml-1m": 8, "ml-100k": 8, "planted": 3}
MARKERS = "osD^vP*Xh<>pd"
#: As the literature calls them.
NAMES = {
    **{name: LABELS[name] for name in STRATEGIES},
    STRATEGY: "rate-distortion choice",
    "taught": "FE, taught",
    "int-b": "integers, after training",
    "lsq": "integers, trained (LSQ)",
    "double-hash": "double hash",
    **{name: name.upper() for name in ("dhe", "qr", "dpq-vq", "mgqe", "mpe")},
}
#: What a run at a budget may change; controls change other things.
KNOBS = {"options", "embedding_dim", "subspaces", "threshold"}
#: Strategies that may be run at a budget, beside those of packages above the library.
INSIDE = ("fe", "others")


def runs(out: Path, dataset: str, recipe: str, seeds: Sequence[int], model: str = "deepfm") -> pd.DataFrame:
    """A row a run: method, setting, width X, seed, share of FE's bytes, bytes of both tables, AUCs.

    The share is the smallest of :data:`SHARES` that the bytes keep to. It is 1 for FE and the other strategies of
    Table 1 as they come, which are not told how many bytes they may have.
    """
    paths = sorted((out / dataset / recipe / "records").glob(f"{model}-*.json"))
    wanted = tuple(f"{model}-{name}-" for name in (*STRATEGIES, *OUTSIDE))
    found = list(map(read_record, (path for path in paths if path.name.startswith(wanted))))
    found = [record for record in found if record.config.seed in seeds and set(record.config.changed()) <= KNOBS]
    full = [_size(r) for r in found if r.config.strategy == "fe" and _plain(r)][:1]
    return pd.DataFrame(_rows(found, full[0]) if full else [])


def _size(record: Record) -> int:
    config = record.config
    fields = FIELDS.get(config.dataset) or len(load_schema(config.dataset, config.threshold).fields)
    return tables(record, fields)


def _plain(record: Record) -> bool:
    return not record.config.changed()


def _rows(found: Sequence[Record], full: int) -> Iterator[dict[str, object]]:
    for record in found:
        size, method = _size(record), record.config.strategy
        fits = [share for share in SHARES if size <= int(share * full)]
        if (_plain(record) and method in STRATEGIES) or (method in (*INSIDE, *OUTSIDE) and fits):
            yield {
                "method": method,
                "setting": kind(record.config),
                "width": record.config.embedding_dim,
                "seed": record.config.seed,
                "share": 1.0 if _plain(record) else min(fits),
                "bytes": size,
                "valid": record.valid.auc,
                "auc": record.test.auc,
            }


def best(found: pd.DataFrame) -> pd.DataFrame:
    """Of each method and share one setting for all seeds: the one that most seeds have, of equals the best one.

    That is the one that was chosen on a seed of its own, where the batch has run.
    """
    means = found.groupby(["method", "share", "setting"])["valid"].agg(["count", "mean"]).reset_index()
    top = means.sort_values(["count", "mean"]).groupby(["method", "share"]).tail(1)
    return found.merge(top[["method", "share", "setting"]])


def table(found: pd.DataFrame) -> pd.DataFrame:
    """A row a method and share: seeds, mean bytes, AUC and its spread, and the paired difference to FE.

    Args:
        found: of :func:`best`.
    """
    fe = _by_seed(found, "fe", 1.0)
    rows = []
    for (method, share), of in found.groupby(["method", "share"], sort=False):
        mine = _by_seed(found, method, share)
        gap = paired_effect(mine, fe)
        rows.append(
            {
                **{"method": method, "share": share, "n": len(of), "bytes": of["bytes"].mean()},
                "width": of["width"].iloc[0],
                **{"auc": of["auc"].mean(), "sd": of["auc"].std()},
                **{"difference": gap["effect"], "half": gap["high"] - gap["effect"]},
            }
        )
    return pd.DataFrame(rows).sort_values(["share", "method"], ascending=[False, True], ignore_index=True)


def verdicts(found: pd.DataFrame, margin: float) -> pd.DataFrame:
    """A row a share of the compressor: against FE, with a test of equivalence, and against its best rival, Holm's p.

    The best rival has the highest mean AUC of those with most seeds.

    Args:
        found: of :func:`best`.
        margin: within which a compressed model is as good as FE.
    """
    fe, rows = _by_seed(found, "fe", 1.0), []
    for share in sorted(set(found.loc[found["method"] == STRATEGY, "share"]), reverse=True):
        ours, name = _by_seed(found, STRATEGY, share), best_rival(found, share)
        gap, rival = paired_effect(ours, fe), _by_seed(found, name, share)
        lead, both = paired_effect(ours, rival), sorted({*ours} & {*rival})
        shared = [{seed: of[seed] for seed in both} for of in (ours, rival)]
        equal = equivalence(ours, {seed: fe[seed] for seed in ours}, margin)
        row = {"share": share, "n": gap["n"], "difference": gap["effect"], "half": gap["high"] - gap["effect"]}
        row |= {"p_equal": equal["p_equal_paired"], "lead": lead["effect"], "lead_half": lead["high"] - lead["effect"]}
        rows.append({**row, "rival": name, "n_rival": lead["n"], "p": effect(*shared)["p_paired"]})
    made = pd.DataFrame(rows)
    return made.assign(p_holm=holm(made["p"].to_numpy(float))) if len(made) else made


def best_rival(found: pd.DataFrame, share: float) -> str:
    """Name of the rival with the highest mean AUC at a share, among those that most seeds have; none: an empty one."""
    of = found[(found["share"] == share) & (found["method"] != STRATEGY)]
    means = of.groupby("method")["auc"].agg(["count", "mean"])
    return str(means.sort_values(["count", "mean"]).index[-1]) if len(means) else ""


def _by_seed(found: pd.DataFrame, method: str, share: float) -> dict[int, float]:
    of = found[(found["method"] == method) & (found["share"] == share)]
    return dict(zip(of["seed"], of["auc"], strict=True))


def lowest(rows: pd.DataFrame) -> float:
    """Where the picture ends: what lies far below the compressor's least AUC would flatten all else."""
    return float(rows.loc[rows["method"] == STRATEGY, "auc"].min()) - 0.03


def draw(rows: pd.DataFrame) -> Figure:
    """AUC against bytes on a logarithmic axis, a line a method, FE dashed; bars are 95 % intervals."""
    figure, axis = plt.subplots(figsize=(9, 5), layout="constrained")
    fe = rows[(rows["method"] == "fe") & (rows["share"] == 1)]
    axis.axhline(fe["auc"].mean(), color="0.4", ls="--", lw=1.5, label="FE, X = 16")
    others = rows.drop(fe.index)
    lines = others.sort_values("bytes").groupby("method", sort=False)
    rest = cycle(sns.color_palette("colorblind", 10)[len(COLOURS) :])
    for (method, of), marker in zip(lines, MARKERS, strict=False):
        ours = method == STRATEGY
        colour = "black" if ours else COLOURS.get(method) or next(rest)
        look: dict[str, Any] = {
            "color": colour,
            "marker": marker,
            "lw": 2.5 if ours else 1,
            "capsize": 3,
            "zorder": 2 if ours else 3,
        }
        name: str | None = NAMES[method]
        # What was told its budget makes a line; a strategy as it comes is a point apart.
        for _, part in of.groupby(of["share"] == 1, sort=False):
            axis.errorbar(part["bytes"], part["auc"], part["half"].fillna(0), label=name, **look)
            name = None
    axis.set_ylim(bottom=lowest(rows))
    shares = sorted({*SHARES, 1.0})
    axis.set_xscale("log", base=2)
    axis.set_xticks([share * fe["bytes"].mean() for share in shares], [f"{share:.1%}" for share in shares])
    axis.minorticks_off()
    axis.set(xlabel="bytes of embedding and first-order weights, share of FE's", ylabel="test AUC")
    axis.set_title("AUC against bytes", loc="left", fontweight="bold")
    axis.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    sns.despine(figure)
    said = "; ".join(f"{NAMES[r['method']]} {r['bytes']:,.0f} bytes {r['auc']:.4f}" for _, r in rows.iterrows())
    figure.set_label(f"AUC against bytes, a line a method, FE dashed. {said}.")
    return figure
