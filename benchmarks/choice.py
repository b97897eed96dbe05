"""What the compressor chooses for FE on MovieLens-1M at some budgets, field by field and tier by tier."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from autodpq_budget.choice_table import choice, heat
from autodpq_budget.menu import Menu
from autodpq_budget.of_model import menu_of
from autodpq_budget.settings import budget_of
from autodpq_eval.plans import configure
from autodpq_runs.explore import LoadedRun, load_or_train
from autodpq_system.paths import runs_root
from autodpq_system.sentence import Parser
from benchmarks.measured import read_measures, write_measures

SHOWN = (0.125, 0.031, 0.008)


def main() -> int:
    """Train FE if no trained model is at hand, and keep the rows in ``results/bench/choice.json``."""
    Parser(description=__doc__).parse_args()
    run = load_or_train(configure("ml-1m", "tuned", "fe", 1), runs_root(), runs_root())
    offered = menu_of(run.model, run.schema, run.train)
    write_measures("choice", rows=[row for share in SHOWN for row in measure(run, offered, share)])
    sys.stdout.write(data().to_string(index=False) + "\n")
    return 0


def measure(run: LoadedRun, offered: Menu, share: float) -> Iterator[dict[str, Any]]:
    """How each group of the embedding is stored at a share of FE's bytes, and what that takes."""
    made = offered.stored(budget_of(run.schema, share))
    for _, group in choice(run.schema, made, run.record.config.embedding_dim).iterrows():
        own = {key: group[key] for key in ("field", "counts", "features")}
        yield {"share": share, **own, "way": group["embedding"], "bits": group["embedding, bits"]}


def data() -> pd.DataFrame:
    """A row a share and group: field, counts of its features, how many they are, way, bits a feature."""
    return pd.DataFrame(read_measures("choice")["rows"])


def draw(rows: pd.DataFrame) -> Figure:
    """A panel a budget: fields down, tiers of frequency across, the darker the more bits a feature has."""
    figure, axes = plt.subplots(len(SHOWN), 1, figsize=(9, 10), sharex=True, layout="constrained")
    named = rows.rename(columns={"way": "embedding", "bits": "embedding, bits"})
    for axis, (share, each) in zip(axes, named.groupby("share", sort=False), strict=True):
        heat(axis, each, scale=False, size=9)
        axis.set_title(f"{share:.1%} of FE's bytes", loc="left")
        axis.label_outer()
    figure.colorbar(axes[0].collections[0], ax=axes, label="bits a feature", aspect=50, format="{x:g}")
    figure.suptitle("How FE's rows are stored, MovieLens-1M, X = 16", x=0.01, ha="left", fontweight="bold")
    return figure


def text() -> str:
    """The picture with its numbers as alternative text, and what to see in it."""
    rows = data()
    total = (rows["bits"] * rows["features"]).groupby(rows["share"], sort=False).sum()
    number = rows.groupby("share", sort=False)["features"].sum()
    means = "; ".join(f"{bits / number[share]:.1f} bits a feature at {share:.1%}" for share, bits in total.items())
    return (
        f"![How each field's features of about equal frequency are stored: {means}.](choice.png)\n\n*What to see: who "
        "keeps more bits when bytes are few. A cell is a group of features of one field; its colour is bits a feature, "
        "its text the way it is stored: (K, D) are centroids and codes. A mean is one vector for a whole group, so it "
        "takes many bits a feature where a group is small. An empty cell has no features. All panels store FE of X = "
        "16, to compare, and before fine-tuning; at small budgets the compressor starts from a narrower one. "
        "First-order weights are not in "
        "it.*\n"
    )


if __name__ == "__main__":
    sys.exit(main())
