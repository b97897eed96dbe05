"""results/bench/README.md: the speed of training, what a step's time is made of, and the targets."""

from __future__ import annotations

from collections.abc import Iterator

from autodpq_eval.cost import wall_minutes, whole
from autodpq_eval.layout import markdown
from benchmarks import step
from benchmarks.measured import read_measures
from benchmarks.peers import epochs
from scripts.pages.committed import both_tables

#: What, whether more is better, the target, and what was measured.
Aim = tuple[str, bool, float, float]


def targets() -> str:
    """What was aimed at, and what was measured."""
    rows = [
        [
            what,
            f"{'≥' if more else '≤'} {aim:g}",
            f"{found:.3g}",
            "yes" if (found >= aim if more else found <= aim) else "no",
        ]
        for what, more, aim, found in [*_against_peers(), *_steps(), *_batches()]
    ]
    return markdown(["", "target", "measured", "met"], rows)


def _against_peers() -> Iterator[Aim]:
    seconds = epochs.summary().loc["deepfm", "train and validation"]
    for ours, aims in (("ours", (6, 12)), ("ours, without a compiler", (3, 5))):
        for theirs, aim in zip(epochs.THEIRS, aims, strict=True):
            yield f"an epoch of DeepFM: {theirs}, times {ours}", True, aim, seconds[theirs] / seconds[ours]


def _steps() -> Iterator[Aim]:
    yield (
        "a step of FE, in multiples of the floor",
        False,
        1.5,
        read_measures("step")["strategies"]["FE"]["whole / floor"],
    )
    scaling = step.costs().set_index(["by", "n"])
    nine = scaling.loc[("candidates T", 9), "in FE steps"]
    yield "a step of the search, nine candidates, in FE steps", False, 2.2, nine
    for by, least, most in (("candidates T", 1, 16), ("fields M", 8, 64)):
        ms = scaling.loc[by, "search step, ms"]
        yield f"a search step with {most} {by}, in steps with {least}", False, most / least, ms[most] / ms[least]


def _batches() -> Iterator[Aim]:
    for recipe, minutes in (("tuned", 30), ("paper", 45)):
        records = both_tables(recipe)
        yield f"core-seconds a pass, `{recipe}`", False, 0.9, whole(records)[1]
        yield f"minutes of `make replicate` on two cores, `{recipe}`", False, minutes, wall_minutes(records)


BLOCKS = {"peers": epochs.table, "step": step.table, "search": step.scaling, "targets": targets}
