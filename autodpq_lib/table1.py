"""Table 1: five strategies on one data set, model and recipe, from records alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from pandas.io.formats.style import Styler

from autodpq_lib.atomic import write_text
from autodpq_lib.batch import status
from autodpq_lib.config import STRATEGIES, RunConfig
from autodpq_lib.paper import table_value, truncated
from autodpq_lib.record import Record, read_record, record_path
from autodpq_lib.stats import Comparison, best_baseline, compare, relative_improvement

METRICS = ("auc", "logloss", "space")
OURS = "autodpq"
LABELS = {
    "fe": "FE", "others": "Others", "grid": "Grid", "random": "Random", "autodpq": "AutoDPQ",
    "auc": "AUC ↑", "logloss": "Logloss ↓", "space": "Space ↓",
}  # fmt: skip
COLUMNS = [
    "dataset", "model", "strategy", "metric", "mean", "sd", "n", "paper",
    "baseline", "rel_improv", "p_welch", "p_paired", "star",
]  # fmt: skip


@dataclass(frozen=True)
class Collected:
    """The records of a table, by strategy, and a sentence for each that is missing or stale."""

    dataset: str
    model: str
    seeds: Sequence[int]
    found: dict[str, list[Record]]
    gaps: list[str]

    def values(self, strategy: str, metric: str) -> dict[int, float]:
        """A metric of a strategy, seed by seed: test AUC, test logloss, or Space in the paper's units."""
        read = {
            "auc": lambda record: record.test.auc,
            "logloss": lambda record: record.test.logloss,
            "space": lambda record: float(record.space.paper),
        }[metric]
        return {record.config.seed: read(record) for record in self.found[strategy]}


def collect(out: Path, plan: Sequence[RunConfig]) -> Collected:
    """Read the records of a plan; one that is missing or stale is named and left out."""
    found: dict[str, list[Record]] = {strategy: [] for strategy in STRATEGIES}
    gaps = []
    for config in plan:
        state = status(out, config)
        if state.state == "done":
            found[config.strategy].append(read_record(record_path(out, config)))
        else:
            gaps.append(f"{config.name()}: {state.reason}")
    return Collected(plan[0].dataset, plan[0].model, sorted({c.seed for c in plan}), found, gaps)


def table1(collected: Collected) -> pd.DataFrame:
    """One row a strategy and metric, with :data:`COLUMNS`.

    ``sd`` is over seeds (n - 1). AutoDPQ's rows hold the comparison with the best baseline of that metric.
    What is missing is missing: n tells how many runs a mean has, and with any run missing there is no comparison.
    """
    rows = []
    for metric in METRICS:
        values: dict[str, dict[int, float]] = {name: collected.values(name, metric) for name in STRATEGIES}
        for strategy in STRATEGIES:
            per_seed = pd.Series(values[strategy], dtype=float)
            row = {
                "dataset": collected.dataset,
                "model": collected.model,
                "strategy": strategy,
                "metric": metric,
                "mean": per_seed.mean(),
                "sd": per_seed.std(),
                "n": len(per_seed),
                "paper": table_value(1, collected.dataset, collected.model, strategy, metric),
            }
            if strategy == OURS and metric != "space":
                row |= _against_baselines(values, metric, collected.seeds)
            rows.append(row)
    return pd.DataFrame(rows, columns=COLUMNS)


def _against_baselines(values: Mapping[str, dict[int, float]], metric: str, seeds: Sequence[int]) -> dict[str, object]:
    """Comparison with the best baseline; a refusal if any run is missing, since the best could be that one."""
    if any(set(runs) != set(seeds) for runs in values.values()):
        return {}
    means = {name: pd.Series(runs).mean() for name, runs in values.items() if name != OURS}
    baseline = best_baseline(means, metric)
    found: Comparison = compare(values[OURS], values[baseline], metric, len(seeds))
    return {
        "baseline": baseline,
        "rel_improv": relative_improvement(pd.Series(values[OURS]).mean(), means[baseline], metric),
        "p_welch": found.welch,
        "p_paired": found.paired,
        "star": "*" if found.star else "",
    }


def layout(table: pd.DataFrame) -> pd.DataFrame:
    """The table as the paper prints it: one row a metric, one column a strategy, ours with the paper's below."""
    rows = {}
    for metric in METRICS:
        part = table[table["metric"] == metric].set_index("strategy")
        last = part.loc[OURS]
        cells = {LABELS[name]: _cell(part.loc[name], metric) for name in part.index}
        tests = {
            "Rel.Improv.": _percent(last["rel_improv"]),
            "p Welch": _p(last["p_welch"]),
            "p paired": _p(last["p_paired"]),
            "n": "/".join(str(n) for n in sorted(set(part["n"]))),
        }
        rows[LABELS[metric]] = cells | tests
        if part["paper"].notna().any():
            paper = {LABELS[name]: _paper(part.loc[name, "paper"], metric) for name in part.index}
            rows[f"{LABELS[metric]} paper"] = paper | dict.fromkeys(tests, "")
    return pd.DataFrame.from_dict(rows, orient="index")


def _cell(row: pd.Series, metric: str) -> str:
    if not row["n"]:
        return "missing"
    if metric == "space":
        return truncated(int(row["mean"]))
    star = row["star"] if isinstance(row["star"], str) else ""
    return f"{row['mean']:.4f}{star} ± {row['sd']:.4f}" if row["n"] > 1 else f"{row['mean']:.4f}"


def _paper(value: float, metric: str) -> str:
    if pd.isna(value):
        return "–"
    return truncated(int(value)) if metric == "space" else f"{value:.4f}"


def _percent(value: float) -> str:
    return "" if pd.isna(value) else f"{value:+.2%}"


def _p(value: float) -> str:
    return "–" if pd.isna(value) else f"{value:.3f}" if value >= 0.001 else "< 0.001"


def underlined(table: pd.DataFrame) -> dict[str, str]:
    """Row label -> column label of the best baseline, the cell to underline."""
    rows = table[(table["strategy"] == OURS) & table["baseline"].notna()]
    return {LABELS[row["metric"]]: LABELS[row["baseline"]] for _, row in rows.iterrows()}


def styled(table: pd.DataFrame, caption: str) -> Styler:
    """Table 1 for a notebook: best baseline underlined, the paper's rows in grey."""
    shown, best = layout(table), underlined(table)

    def decorate(row: pd.Series) -> list[str]:
        grey = "color: #777; border-bottom: 1px solid #ccc" if row.name.endswith("paper") else ""
        return ["text-decoration: underline" if best.get(row.name) == column else grey for column in row.index]

    head = [{"selector": "caption", "props": "font-weight: bold; text-align: left; padding: 6px 0"}]
    return shown.style.apply(decorate, axis=1).set_caption(caption).set_table_styles(head)


def as_csv(table: pd.DataFrame) -> str:
    """Table 1 as data, six significant digits."""
    return str(table.to_csv(index=False, float_format="%.6g"))


def as_markdown(table: pd.DataFrame) -> str:
    """Table 1 for the README."""
    shown, best = layout(table), underlined(table)
    for row, column in best.items():
        shown.loc[row, column] = f"<u>{shown.loc[row, column]}</u>"
    lines = [["", *shown.columns], ["---"] * (len(shown.columns) + 1)]
    lines += [[str(name), *cells] for name, cells in zip(shown.index, shown.to_numpy().tolist(), strict=True)]
    return "\n".join("| " + " | ".join(cells).replace("*", r"\*") + " |" for cells in lines) + "\n"


def as_latex(table: pd.DataFrame) -> str:
    """Table 1 for an article, with booktabs."""
    shown, best = layout(table), underlined(table)
    for row, column in best.items():
        shown.loc[row, column] = rf"\underline{{{shown.loc[row, column]}}}"
    symbols = {"↑": r"$\uparrow$", "↓": r"$\downarrow$", "±": r"$\pm$", "%": r"\%", "–": "--", "< ": "$<$ "}
    text = shown.style.to_latex(hrules=True)
    for symbol, command in symbols.items():
        text = text.replace(symbol, command)
    return text


def write_table1(table: pd.DataFrame, folder: Path) -> None:
    """Write ``table1.csv``, ``table1.md`` and ``table1.tex``."""
    write_text(folder / "table1.csv", as_csv(table))
    write_text(folder / "table1.md", as_markdown(table))
    write_text(folder / "table1.tex", as_latex(table))
