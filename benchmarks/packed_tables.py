"""README's tables on the packed model, from ``results/bench/``."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from autodpq_eval.layout import LABELS, markdown
from benchmarks.measured import kept

ACCOUNTINGS = ("paper units", "bits", "embedding, bytes", "file, bytes", "serving, bytes")
#: As `benchmarks.packed` names them.
KINDS = ("float32", "float32, C", "uint8 codes", "packed, torch", "packed, C")


def sizes(shape: str) -> str:
    """A strategy a row, an accounting a column, each with its share of FE; means over the seeds."""
    table = pd.DataFrame(kept("sizes")["rows"])
    table = table[table["shape"] == shape]
    means = table.groupby("strategy", sort=False)[list(ACCOUNTINGS)].mean()
    order = [*LABELS.values(), *means.index]
    means = means.reindex(sorted(means.index, key=order.index))
    rows = [
        [str(name), *(f"{row[each]:,.0f} ({row[each] / means.loc['FE', each]:.1%})" for each in ACCOUNTINGS)]
        for name, row in means.iterrows()
    ]
    return markdown(["", *ACCOUNTINGS], rows)


def precision() -> str:
    """Bytes of the file and AUC by the type of the kept rows, mean and spread over the seeds, and the cost in AUC."""
    table = pd.DataFrame(kept("precision")["rows"])
    wide = table.pivot(index=["strategy", "seed"], columns="kept rows", values="auc")
    rows = []
    for (strategy, stored), of in table.groupby(["strategy", "kept rows"], sort=False):
        lost = (wide[stored] - wide["float32"])[strategy]
        spread = f"{of['auc'].mean():.5f} ± {of['auc'].std():.5f}"
        rows.append([strategy, stored, f"{of['file, bytes'].mean():,.0f}", spread, f"{lost.mean():+.6f}"])
    return markdown(["", "kept rows", "file, bytes", "test AUC", "change of AUC"], rows)


def speed() -> str:
    """Million look-ups a second, a batch size a column, and what the table takes in memory."""
    found = pd.DataFrame(kept("packed")["rows"])
    return markdown(["table", "kind", "memory, MB", *(f"batch {n:,}" for n in found["batch"].unique())], _speeds(found))


def _speeds(found: pd.DataFrame) -> Iterator[list[str]]:
    for table in found["table"].unique():
        of = found[found["table"] == table].set_index(["kind", "batch"])
        name = f"{table} ({of['coded'].iloc[-1]:.0%} of look-ups coded)"
        whole = of.loc["float32", "MB"].iloc[0]
        for kind in (kind for kind in KINDS if kind in of.index):
            memory = of.loc[kind, "MB"].iloc[0]
            yield [
                *(name, kind, f"{memory:,.2f} (1 / {whole / memory:.1f})"),
                *(f"{value:.3g}" for value in of.loc[kind, "Mrows/s"]),
            ]


def latency() -> str:
    """Microseconds of a request."""
    rows = [[row["reader"], f"{row['median']:,.0f}", f"{row['p99']:,.0f}"] for row in kept("latency")["rows"]]
    return markdown(["reader", "median, µs", "99th percentile, µs"], rows)
