"""results/readings.md: AutoDPQ's three readings on the laboratory's own split, against FE, Others and (8, 8)."""

from __future__ import annotations

from functools import cache

import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from autodpq_eval import readings
from autodpq_eval.layout import markdown
from autodpq_lib.config import READINGS
from scripts.pages.committed import RESULTS

#: The recipe whose base model is that of the laboratory's public code.
RECIPE = "paper"
SEEDS = range(1, 11)
LOOK = dict(zip(READINGS, (("o", 0), ("s", 1), ("^", 2)), strict=True))


@cache
def means() -> pd.DataFrame:
    """A row a name."""
    return readings.means(readings.groups(RESULTS, "ml-1m", RECIPE, SEEDS))


@cache
def comparisons() -> pd.DataFrame:
    """A row a reading, baseline and metric."""
    return readings.comparisons(readings.groups(RESULTS, "ml-1m", RECIPE, SEEDS))


def parts() -> str:
    """The switches of each reading, and their values under the literal one."""
    keys = list(dict.fromkeys(key for of in READINGS.values() for key in of))
    rows = [[f"`{key}`", *(f"`{of[key]}`" if key in of else "" for of in READINGS.values())] for key in keys]
    return markdown(["switch", *READINGS], rows)


def table() -> str:
    """Means and spreads on test, beside the paper's AUC."""
    rows = [
        [
            *(str(name), f"{row['n']:.0f}", f"{row['paper']:.4f}", f"{row['auc']:.4f} ± {row['auc sd']:.4f}"),
            f"{row['logloss']:.4f} ± {row['logloss sd']:.4f}",
            *(f"{row['touched auc']:.4f} ± {row['touched auc sd']:.4f}", f"{row['space']:,.0f}"),
        ]
        for name, row in means().iterrows()
    ]
    head = ["", "seeds", "AUC ↑, the paper", "AUC ↑", "logloss ↓", "AUC ↑, touched samples", "Space ↓"]
    return markdown(head, rows)


def differences() -> str:
    """AutoDPQ minus each baseline, with both tests and the test of equivalence."""
    rows = [
        [
            *(row["a"], row["b"], row["metric"], f"{row['paper']:+.4f}", f"{row['effect']:+.4f}"),
            *(f"{row['low']:+.4f} to {row['high']:+.4f}", _p(row["p_holm"]), _p(row["p_paired_holm"])),
            *(_p(row["p_equal_paired"]), row["verdict"]),
        ]
        for _, row in comparisons().iterrows()
    ]
    head = [
        "",
        "over",
        "metric",
        "the paper",
        "difference",
        "95 % interval",
        "p Welch",
        "p paired",
        "p equal",
        "verdict",
    ]
    return markdown(head, rows)


def _p(value: float) -> str:
    return "–" if pd.isna(value) else f"{value:.3f}" if value >= 0.001 else "< 0.001"


def summary() -> str:
    """What the table shows, in sentences made from its numbers."""
    table = comparisons()
    auc = table[table["metric"] == "auc"]
    ours = means()
    near = ours[~ours.index.str.startswith("AutoDPQ")]
    gaps = near["auc"] - near["paper"]
    sentences = [
        f"On this split our baselines lie {gaps.min():+.4f} to {gaps.max():+.4f} from the paper's AUC "
        f"({', '.join(near.index)})."
    ]
    for reading in READINGS:
        of = auc[auc["a"] == f"AutoDPQ, {reading}"]
        row = ours.loc[f"AutoDPQ, {reading}"]
        said = "; ".join(f"{r['effect']:+.4f} over {r['b']} ({r['verdict']})" for _, r in of.iterrows())
        gap = row["auc"] - row["paper"]
        sentences.append(
            f"AutoDPQ under the {reading} reading has {row['auc']:.4f}, {gap:+.4f} from the paper's: {said}."
        )
    return "\n".join(f"- {sentence}" for sentence in sentences) + "\n"


def data() -> pd.DataFrame:
    """What the picture shows: the rows on AUC."""
    table = comparisons()
    return table.loc[table["metric"] == "auc", ["a", "b", "paper", "effect", "low", "high", "n"]]


def draw(table: pd.DataFrame) -> Figure:
    """A group a baseline: the paper's gain as a diamond, each reading's difference with its interval."""
    figure, axis = plt.subplots(figsize=(9, 4.8), layout="constrained")
    colours, ticks = sns.color_palette("colorblind"), {}
    for place, (base, of) in enumerate(table.groupby("b", sort=False)):
        y = -place * 5.0
        ticks[y - 1.5] = f"over {base}"
        axis.plot(of["paper"].iloc[0], y, "D", color="black", ms=8)
        axis.annotate(
            "the paper", (of["paper"].iloc[0], y), (9, 0), textcoords="offset points", va="center", fontsize=9
        )
        for step, (_, row) in enumerate(of.iterrows(), 1):
            reading = row["a"].removeprefix("AutoDPQ, ")
            marker, colour = LOOK[reading][0], colours[LOOK[reading][1]]
            axis.plot([row["low"], row["high"]], [y - step] * 2, color=colour, lw=2.5, solid_capstyle="round")
            axis.plot(row["effect"], y - step, marker, color=colour, ms=8)
            said = f"{reading}: {row['effect']:+.4f}".replace("-", "−")
            axis.annotate(said, (row["high"], y - step), (9, 0), textcoords="offset points", va="center", fontsize=9)
    axis.axvspan(-readings.MARGIN, readings.MARGIN, color="0.93", zorder=0)
    axis.axvline(0, color="0.3", lw=1.2)
    axis.set(yticks=list(ticks), yticklabels=list(ticks.values()), xlim=(None, table["paper"].max() * 1.25))
    axis.set_xlabel("difference in test AUC, 95 % interval; right of the line, AutoDPQ is better")
    axis.set_title("AutoDPQ's three readings on the laboratory's split of MovieLens-1M", loc="left", fontweight="bold")
    axis.tick_params(axis="y", length=0)
    sns.despine(figure, left=True)
    return figure


def picture() -> str:
    """The picture with its numbers as alternative text, and what to see in it."""
    rows = "; ".join(
        f"{row['a']}, over {row['b']}: {row['effect']:+.4f} ({row['low']:+.4f} to {row['high']:+.4f}), "
        f"the paper {row['paper']:+.4f}"
        for _, row in data().iterrows()
    )
    beyond = int((data()["high"] < data()["paper"]).sum())
    return (
        f"![Differences in AUC. {rows}.](readings.png)\n\n*What to see: how far each reading lies from the paper's "
        f"diamond, which is beyond {beyond} of {len(data())} intervals, and whether it leaves the grey band, in which "
        "a difference is below 0.001. Intervals are Welch's.*\n"
    )


BLOCKS = {
    "readings-summary": summary,
    "readings-parts": parts,
    "readings-means": table,
    "readings-picture": picture,
    "readings-differences": differences,
}
