"""README's tables on speed, from ``results/bench/``."""

from __future__ import annotations

import pandas as pd

from autodpq_eval.layout import markdown
from scripts.bench_peers import summary
from scripts.measured import kept


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
