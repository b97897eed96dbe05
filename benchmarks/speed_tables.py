"""README's tables on speed, from ``results/bench/``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from autodpq_eval.cost import wall_minutes, whole
from autodpq_eval.layout import markdown
from autodpq_runs.record import Record
from benchmarks.measured import kept
from benchmarks.peers.epochs import THEIRS, summary


def peers() -> str:
    """Seconds of an epoch of each loop, how many times ours that is, and the AUC after as many steps."""
    found = kept("peers")
    head = ("model", "loop", "training, s", "training and validation, s", "quartiles", "times ours", "validation AUC")
    rows = [
        [
            *(str(model), str(loop), f"{row['train']:.2f}", f"{row['train and validation']:.2f}"),
            f"{row['lower quartile']:.2f} to {row['upper quartile']:.2f}",
            *(f"{row['train and validation, times ours']:.1f}", f"{row['auc']:.4f}"),
        ]
        for (model, loop), row in summary(pd.DataFrame(found["rows"])).iterrows()
    ]
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    rounds = 1 + max(row["round"] for row in found["rows"])
    said = f"{rounds} rounds, epochs in each: {found['epochs']}; AUC after the last. {found['cpu']}; {versions}.\n"
    return "\n".join([markdown(head, rows), said])


def step() -> str:
    """Milliseconds of a step by kind of work, a strategy a row; then the search's cost."""
    found = kept("step")
    table = pd.DataFrame(found["strategies"]).T
    rows = [[str(name), *(f"{value:.2f}" for value in row)] for name, row in table.iterrows()]
    said = f"{_search(pd.DataFrame(found['scaling']))}\n{found['cpu']}, torch {found['torch']}.\n"
    return "\n".join([markdown(["", *map(str, table.columns)], rows), said])


def _search(scaling: pd.DataFrame) -> str:
    said = []
    for by, of in scaling.groupby("by", sort=False):
        steps = "; ".join(
            f"{row['n']}: {row['search step, ms']:.1f} ms, {row['in FE steps']:.1f}" for _, row in of.iterrows()
        )
        said.append(f"By {by}: {steps}.")
    return "A step of the search, in milliseconds and in FE steps of the same data. " + " ".join(said) + "\n"


def targets(records: Mapping[str, Sequence[Record]]) -> str:
    """What was aimed at, and what was measured; ``records``: of Tables 1 and 2, by recipe."""
    rows = [
        [
            what,
            f"{'≥' if more else '≤'} {aim:g}",
            f"{found:.3g}",
            "yes" if (found >= aim if more else found <= aim) else "no",
        ]
        for what, more, aim, found in [*_against_peers(), *_steps(), *_batches(records)]
    ]
    return markdown(["", "target", "measured", "met"], rows)


#: What, whether more is better, the target, and what was measured.
Aim = tuple[str, bool, float, float]


def _against_peers() -> Iterator[Aim]:
    seconds = summary(pd.DataFrame(kept("peers")["rows"])).loc["deepfm", "train and validation"]
    for ours, aims in (("ours", (6, 12)), ("ours, without a compiler", (3, 5))):
        for theirs, aim in zip(THEIRS, aims, strict=True):
            yield f"an epoch of DeepFM: {theirs}, times {ours}", True, aim, seconds[theirs] / seconds[ours]


def _steps() -> Iterator[Aim]:
    found = kept("step")
    yield "a step of FE, in floors", False, 1.5, found["strategies"]["FE"]["whole / floor"]
    scaling = pd.DataFrame(found["scaling"]).set_index(["by", "n"])
    yield (
        "a step of the search, nine candidates, in FE steps",
        False,
        2.2,
        scaling.loc[("candidates T", 9), "in FE steps"],
    )
    for by, least, most in (("candidates T", 1, 16), ("fields M", 8, 64)):
        ms = scaling.loc[by, "search step, ms"]
        yield f"the same with {most} {by} for {least}, times as long", False, most / least, ms[most] / ms[least]


def _batches(records: Mapping[str, Sequence[Record]]) -> Iterator[Aim]:
    for recipe, minutes in (("tuned", 30), ("paper", 45)):
        yield f"core-seconds a pass, `{recipe}`", False, 0.9, whole(records[recipe])[1]
        yield f"minutes of `make replicate` on two cores, `{recipe}`", False, minutes, wall_minutes(records[recipe])
