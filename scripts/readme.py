"""Write the numbers of README.md from the records; ``--check`` only compares."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from autodpq_data.sources import SOURCES
from autodpq_eval.cost import costs, epoch_seconds, speed, wall_minutes, whole
from autodpq_eval.layout import LABELS, as_markdown, markdown
from autodpq_eval.ledger import counts, ledger
from autodpq_eval.paper import truncated
from autodpq_eval.plans import plan, tables
from autodpq_eval.references import references
from autodpq_eval.tables import Collected, build, collect, read_plan
from autodpq_eval.ten_seeds import by_strategy, comparisons
from autodpq_lib.config import RunConfig
from autodpq_runs.record import Record
from autodpq_system.atomic import write_text
from autodpq_system.paths import ROOT
from benchmarks import packed_tables, speed_tables
from benchmarks.lazy import KINDS
from benchmarks.measured import kept

README, SEEDS = ROOT / "README.md", [1, 2, 3]
NAMES = {"auc": "AUC", "logloss": "logloss"}
PAIRED = {"fe": "FE", "others": "Others", "grid": "Grid's best pair"}


def main() -> int:
    """Rewrite each block between ``<!-- begin NAME -->`` and ``<!-- end NAME -->``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    before = README.read_text(encoding="utf-8")
    after = rewrite(before)
    if check and before != after:
        sys.stderr.write("README.md: expected the numbers of results/, found others; run `make readme`\n")
        return 1
    if not check:
        write_text(README, after)
    return 0


def rewrite(text: str) -> str:
    """README with every block made anew."""
    for name, block in BLOCKS.items():
        first, last = f"<!-- begin {name} -->\n", f"<!-- end {name} -->"
        text = text[: text.index(first) + len(first)] + block() + text[text.index(last) :]
    return text


def runs(recipe: str, number: int = 1) -> Collected:
    """The committed MovieLens-1M records of a table and recipe."""
    return collect(number, ROOT / "results", "ml-1m", recipe, SEEDS)


def both_tables(recipe: str) -> list[Record]:
    """The records of Tables 1 and 2, once each."""
    return list({record.identity: record for number in (1, 2) for record in runs(recipe, number).found}.values())


def verdict(recipe: str) -> str:
    """What of Table 1 reproduces under a recipe, in sentences made from the numbers."""
    table = build(runs(recipe))
    sentences = [_gain(table, metric) for metric in ("auc", "logloss")]
    return f"Under `{recipe}`: " + " ".join([*sentences, _levels(table), _space(table)]) + "\n"


def _gain(table: pd.DataFrame, metric: str) -> str:
    ours = _row(table, "autodpq", metric)
    if pd.isna(ours["baseline"]):
        return _so_far(table, metric)
    base = _row(table, ours["baseline"], metric)
    paper = ours["paper"] - _row(table, _best_in_paper(table, metric), metric)["paper"]
    test = "no test" if pd.isna(ours["p_welch"]) else f"Welch p = {ours['p_welch']:.3f}"
    starred = "starred" if ours["star"] == "*" else "no star"
    return (
        f"AutoDPQ's {NAMES[metric]} differs from the best baseline's ({LABELS[ours['baseline']]}) by "
        f"{ours['mean'] - base['mean']:+.4f} ({test}, {starred}), where the paper has {paper:+.4f}."
    )


def _so_far(table: pd.DataFrame, metric: str) -> str:
    """What can be said while runs are missing: no test, only the means of the strategies that are complete."""
    part = table[(table["metric"] == metric) & (table["n"] == len(SEEDS))].set_index("strategy")["mean"]
    means = ", ".join(f"{LABELS[name]} {mean:.4f}" for name, mean in part.items())
    return f"No test of {NAMES[metric]} while runs are missing; complete so far: {means}."


def _best_in_paper(table: pd.DataFrame, metric: str) -> str:
    part = table[(table["metric"] == metric) & (table["strategy"] != "autodpq")]
    best = part["paper"].idxmax() if metric == "auc" else part["paper"].idxmin()
    return str(part.loc[best, "strategy"])


def _levels(table: pd.DataFrame) -> str:
    part = table[(table["metric"] == "auc") & (table["n"] > 0)]
    gaps = part["mean"] - part["paper"]
    return f"Our AUC lies {gaps.min():+.4f} to {gaps.max():+.4f} from the paper's, strategy by strategy."


def _space(table: pd.DataFrame) -> str:
    part = table[(table["metric"] == "space") & (table["n"] > 0)]
    same = part[(part["mean"] // 1000) == (part["paper"] // 1000)]["strategy"]
    return f"Space agrees to the thousand for {', '.join(LABELS[name] for name in same) or 'no strategy'}."


def _row(table: pd.DataFrame, strategy: str, metric: str) -> pd.Series:
    return table[(table["strategy"] == strategy) & (table["metric"] == metric)].iloc[0]


def cost() -> str:
    """Seconds an epoch, and AutoDPQ's parts in FE trainings, by recipe."""
    head = (
        "recipe",
        "FE, seconds an epoch",
        "FE, seconds in all",
        "AutoDPQ in FE trainings: pretrain + search + retrain",
        "all runs, minutes",
        "core-minutes",
        "core-seconds a pass",
    )
    rows = []
    for recipe in ("paper", "tuned"):
        found = runs(recipe).found
        table = costs(found)
        units = table["seconds, in FE trainings"]
        parts = " + ".join(f"{units[f'AutoDPQ: {part}']:.1f}" for part in ("pretrain", "search", "retrain"))
        fe = f"{epoch_seconds(found):.2f}", f"{table.loc['FE', 'seconds']:.0f}"
        minutes, a_pass = whole(both_tables(recipe))
        everything = (f"{wall_minutes(both_tables(recipe)):.0f}", f"{minutes:.0f}", f"{a_pass:.2f}")
        rows.append([f"`{recipe}`", *fe, f"{parts} = {units['AutoDPQ']:.1f}", *everything])
    return markdown(head, rows)


def ten() -> str:
    """AutoDPQ against FE, Others and Grid's best pair over ten seeds, in a sentence a recipe that has all runs."""
    sentences = []
    for recipe in ("paper", "tuned"):
        records, gaps = read_plan(ROOT / "results", plan("seeds", "ml-1m", recipe, SEEDS, out=ROOT / "results"))
        if gaps:
            continue
        table = comparisons(by_strategy(records))
        parts = []
        for _, row in table[table["a"] == "autodpq"].iterrows():
            against = f"{NAMES[row['metric']]} over {PAIRED[row['b']]}"
            parts.append(f"{row['effect']:+.4f} in {against} (corrected p {row['p_welch_holm']:.3f})")
        sentences.append(f"Under `{recipe}`: {'; '.join(parts)}.")
    return "\n\n".join(sentences) + "\n"


def verdicts() -> str:
    """Rows of the ledger by kind, verdict and recipe."""
    table = counts(ledger(ROOT / "results")).reset_index()
    return markdown(list(table.columns), table.astype(str).to_numpy().tolist())


def avazu_sets() -> str:
    """The three data sets that stand for Avazu."""
    wide = 'DATASET=avazu-standin RECIPE=paper PROFILE=one-pass SEEDS=1 STRATEGIES="fe autodpq"'
    rows = [
        [
            "`avazu`",
            f"the real file, {_rows('avazu')} rows, checked by content",
            "`make replicate DATASET=avazu RECIPE=paper`",
        ],
        [
            "`avazu-sample`",
            f"{_rows('avazu-sample')} real rows, in `data/avazu-sample/train.csv`",
            "`make replicate DATASET=avazu-sample`",
        ],
        [
            "`avazu-standin`",
            "STAND-IN: generated rows with the real field sizes and long tails, for time and memory alone",
            f"`python -m benchmarks.standin`, then `make replicate {wide}`",
        ],
    ]
    return markdown(("data set", "what it is", "command"), rows)


def _rows(dataset: str) -> str:
    return f"{SOURCES[dataset].rows:,}"


def avazu(recipe: str) -> str:
    """Table 1 on the real rows of Avazu, and the models without embeddings below it."""
    found = references("avazu-sample", ROOT / "results")
    plain = [f"{name}: AUC {row['auc']:.4f}, logloss {row['logloss']:.4f}" for name, row in found.iterrows()]
    table = build(collect(1, ROOT / "results", "avazu-sample", recipe, SEEDS))
    return f"{as_markdown(table)}\nWithout embeddings: {'; '.join(plain)}.\n"


def avazu_space() -> str:
    """Space at full size of what needs no training, as the stand-in has it, and what that says of the paper's Grid."""
    found = kept("prepare")
    space, features, low = found["space"], found["features"], found["low-frequency"]
    rows = 16 * (features - low)
    least = min(units for name, units in space.items() if name.startswith("Grid"))
    sizes = "; ".join(f"{name} {truncated(units)}" for name, units in space.items() if name != "FE")
    return (
        f"On the STAND-IN: FE {space['FE']:,} floats, printed as {truncated(space['FE'])}; {sizes}.\n"
        f"The paper's 31M for Grid can't be reached by its own accounting: the {features - low:,} kept rows alone\n"
        f"take {rows:,} floats, and the smallest pair, D = 2 in every field, adds two code entries for each of\n"
        f"{low:,} low-frequency features: {least:,} with its centroids.\n"
    )


def standin() -> str:
    """Time and memory on the stand-in: preparing it, and each fit of FE and AutoDPQ."""
    found = kept("prepare")
    plan_ = tables("avazu-standin", "paper", [1], ["deepfm"], ["fe", "autodpq"], "one-pass")
    records, gaps = read_plan(ROOT / "results", plan_)
    table = speed(records)
    head = ("run", "fit", "steps", "seconds", "ms a step", "samples a second", "peak anonymous memory, GiB")
    rate = f"{found['rows'] / found['seconds']:,.0f}"
    rows = [[f"preparing {found['rows']:,} rows", "", "", f"{found['seconds']:.0f}", "", rate, _gib(found)]]
    rows += [
        [
            *(row["strategy"], row["fit"], f"{row['steps']:,}", f"{row['seconds']:.0f}", f"{row['ms a step']:.1f}"),
            *(f"{row['samples a second']:,.0f}", _gib(row)),
        ]
        for _, row in table.iterrows()
    ]
    return "\n".join([markdown(head, rows), *(f"Missing: {gap}.\n" for gap in gaps), "" if gaps else _whole(table)])


def _gib(row: Mapping[Any, Any]) -> str:
    return f"{row['peak anonymous MiB'] / 1024:.1f}"


def _whole(table: pd.DataFrame) -> str:
    """What Table 1 on the real file would take, from what a pass took."""
    seconds = table.groupby(["strategy", "fit"])["seconds"].sum()
    fe, quantised, ours = seconds["FE"].sum(), seconds["AutoDPQ", "retrain"], seconds["AutoDPQ"].sum()
    config = RunConfig(dataset="avazu", strategy="random")
    random = len(SEEDS) * config.draws * quantised / 3600
    rest = len(SEEDS) * (2 * fe + len(config.candidates) * quantised + ours) / 3600
    fits = f"FE, Others, {len(config.candidates)} pairs of Grid, {config.draws} draws of Random, AutoDPQ"
    return (
        "The real file has as many rows, fields and features, so a pass costs the same. Table 1 over "
        f"{len(SEEDS)} seeds, every fit one pass ({fits}), would take {rest + random:.0f} hours on one core, "
        f"{rest:.0f} without Random.\n"
    )


def lazy() -> str:
    """Milliseconds a step and MiB by number of features, an optimiser a column."""
    table = pd.DataFrame(kept("lazy")["rows"]).pivot(index="features", columns="kind")
    rows = [
        [f"{features:,}", *(f"{row['ms', kind]:.1f} ms, {row['MiB', kind]:,.0f} MiB" for kind in KINDS)]
        for features, row in table.iterrows()
    ]
    return markdown(["features", *KINDS.values()], rows)


def access() -> str:
    """Milliseconds a batch for each order of reading."""
    found = kept("access")
    rows = pd.DataFrame(found["rows"]).pivot(index="order", columns="file", values="ms")
    said = [f"{name} {row['warm']:.2f} ms warm, {row['cold']:.2f} ms cold" for name, row in rows.iterrows()]
    return f"Taking a batch of {found['batch']}: {'; '.join(said)}.\n"


BLOCKS: dict[str, Callable[[], str]] = {
    "table1-paper": lambda: as_markdown(build(runs("paper"))),
    "table1-tuned": lambda: as_markdown(build(runs("tuned"))),
    "verdict": lambda: verdict("paper") + "\n" + verdict("tuned"),
    "table2-paper": lambda: as_markdown(build(runs("paper", 2))),
    "table2-tuned": lambda: as_markdown(build(runs("tuned", 2))),
    "ten-seeds": ten,
    "ledger": verdicts,
    "cost": cost,
    "avazu-sample-paper": lambda: avazu("paper"),
    "avazu-sample-tuned": lambda: avazu("tuned"),
    "avazu-standin": standin,
    "avazu-space": avazu_space,
    "avazu-sets": avazu_sets,
    "lazy": lazy,
    "access": access,
    "packed-sizes-ml-1m": lambda: packed_tables.sizes("ml-1m"),
    "packed-sizes-avazu": lambda: packed_tables.sizes("avazu"),
    "packed-precision": packed_tables.precision,
    "packed-speed": packed_tables.speed,
    "packed-latency": packed_tables.latency,
    "peers": speed_tables.peers,
    "step": speed_tables.step,
    "targets": lambda: speed_tables.targets({recipe: both_tables(recipe) for recipe in ("tuned", "paper")}),
}

if __name__ == "__main__":
    sys.exit(main())
