"""The tables as the paper prints them, for notebooks, README and articles; and as data."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd
from pandas.io.formats.style import Styler

from autodpq_eval.paper import truncated
from autodpq_eval.words import p_value
from autodpq_system.atomic import write_text

LABELS = {
    "fe": "FE", "others": "Others", "grid": "Grid", "random": "Random", "autodpq": "AutoDPQ",
    "deepfm": "DeepFM", "pnn": "PNN", "dcn": "DCN",
    "auc": "AUC ↑", "logloss": "Logloss ↓", "space": "Space ↓",
}  # fmt: skip

#: The best baseline's cell. GitHub drops ``<u>``.
UNDERLINED = "<ins>{}</ins>"
#: Metrics in a sentence.
NAMES = {"auc": "AUC", "logloss": "logloss"}

#: Said wherever a data set is named to a reader.
CAVEATS = {"avazu-standin": "STAND-IN: generated rows, no result"}


def titled(dataset: str) -> str:
    """Name of a data set, with what must be said of it."""
    return f"{dataset} ({CAVEATS[dataset]})" if dataset in CAVEATS else dataset


def layout(table: pd.DataFrame, underline: str = "{}") -> pd.DataFrame:
    """One row a model and metric, one column a strategy, ours with the paper's below.

    Args:
        table: of :func:`autodpq_eval.tables.build`.
        underline: format of the best baseline's cell.
    """
    rows = {}
    several = table["model"].nunique() > 1
    for (model, metric), part in table.groupby(["model", "metric"], sort=False):
        name = f"{LABELS[model]} {LABELS[metric]}" if several else LABELS[metric]
        rows[name] = _ours(part.set_index("strategy"), metric, underline)
        if part["paper"].notna().any():
            theirs = {LABELS[row["strategy"]]: _paper(row["paper"], metric) for _, row in part.iterrows()}
            rows[f"{name}, the paper"] = {**dict.fromkeys(rows[name], ""), **theirs}
    return pd.DataFrame.from_dict(rows, orient="index")


def _ours(part: pd.DataFrame, metric: str, underline: str) -> dict[str, str]:
    last = part.iloc[-1]
    cells = {LABELS[name]: _cell(row, metric) for name, row in part.iterrows()}
    if isinstance(last["baseline"], str):
        best = LABELS[last["baseline"]]
        cells[best] = underline.format(cells[best])
    return cells | {
        "Rel.Improv.": "" if pd.isna(last["rel_improv"]) else f"{last['rel_improv']:+.2%}",
        "p Welch": p_value(last["p_welch"]),
        "p paired": p_value(last["p_paired"]),
        "p equal": p_value(last["p_equal_paired"]),
        "n": "/".join(str(n) for n in sorted(set(part["n"]))),
    }


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


def styled(table: pd.DataFrame, caption: str) -> Styler:
    """A table for a notebook: best baseline underlined, the paper's rows in grey."""

    def grey(row: pd.Series) -> list[str]:
        css = "color: #777; border-bottom: 1px solid #ccc" if row.name.endswith("the paper") else ""
        return [css] * len(row)

    head = [{"selector": "caption", "props": "font-weight: bold; text-align: left; padding: 6px 0"}]
    return layout(table, UNDERLINED).style.apply(grey, axis=1).set_caption(caption).set_table_styles(head)


def as_csv(table: pd.DataFrame) -> str:
    """A table as data, six significant digits."""
    return str(table.map(_digits).to_csv(index=False))


def _digits(value: object) -> object:
    """By hand, for pandas leaves numbers in a column of texts as they are."""
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.6g}"
    return value


def as_markdown(table: pd.DataFrame) -> str:
    """A table for the README."""
    shown = layout(table, UNDERLINED)
    rows = [[str(name), *cells] for name, cells in zip(shown.index, shown.to_numpy().tolist(), strict=True)]
    return markdown(["", *shown.columns], rows).replace("*", r"\*")


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines) + "\n"


def as_latex(table: pd.DataFrame) -> str:
    """A table for an article, with booktabs."""
    text = str(layout(table, r"\underline{{{}}}").style.to_latex(hrules=True))
    symbols = {"↑": r"$\uparrow$", "↓": r"$\downarrow$", "±": r"$\pm$", "%": r"\%", "–": "--", "< ": "$<$ "}
    for symbol, command in symbols.items():
        text = text.replace(symbol, command)
    return text


def files(table: pd.DataFrame, name: str) -> dict[str, str]:
    """Texts of ``<name>.csv``, ``<name>.md`` and ``<name>.tex``, such as ``table1.csv``; a caveat on the data first."""
    caveat = CAVEATS.get(table["dataset"].iloc[0])
    heads = {"md": f"{caveat}\n\n", "tex": f"% {caveat}\n"} if caveat else {}
    forms = {"csv": as_csv, "md": as_markdown, "tex": as_latex}
    return {f"{name}.{ending}": heads.get(ending, "") + form(table) for ending, form in forms.items()}


def write_table(table: pd.DataFrame, folder: Path, name: str) -> None:
    """Write the :func:`files` of a table."""
    for file, text in files(table, name).items():
        write_text(folder / file, text)
