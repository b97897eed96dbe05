"""Each committed file that records alone give, with the text that they give it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import pandas as pd

from autodpq_eval import ledger
from autodpq_eval.batch import TABLE_SEEDS
from autodpq_eval.effects import control_effects, runs_of_controls
from autodpq_eval.figure3 import points, with_long_random
from autodpq_eval.layout import as_csv, files
from autodpq_eval.tables import build, collect, tables_of
from autodpq_eval.ten_seeds import comparisons, is_of, runs_of_ten_seeds
from autodpq_runs.record import Record


def derived_files(out: Path, records: Mapping[Path, Record]) -> Iterator[tuple[Path, str]]:
    """All of them below ``out``, of the data sets and recipes that the records are of."""
    for dataset, recipe in sorted({(record.config.dataset, record.config.recipe) for record in records.values()}):
        seeds, profile = _told(out / dataset / recipe)
        configs = [r.config for r in records.values() if (r.config.dataset, r.config.recipe) == (dataset, recipe)]
        several = len({config.strategy for config in configs if config.seed in seeds}) > 1  # which a table compares
        if several or (out / dataset / recipe / "tables" / "table1.csv").exists():
            yield from of_tables(out, dataset, recipe, seeds, profile)
        yield from of_figure3(out, dataset, recipe, seeds, profile)
        yield from of_controls(out, dataset, recipe)
        yield from _bootstrap(out, dataset, recipe)
    if (out / "ml-1m").exists():
        yield from of_ledger(out)


def _told(folder: Path) -> tuple[list[int], str]:
    """Seeds and profile of the tables in a folder, as the report that wrote them was told."""
    report = folder / "notebooks" / "12_report.ipynb"
    with suppress(FileNotFoundError, ValueError, KeyError, TypeError):  # no report, or none that can be read
        told = json.loads(report.read_text(encoding="utf-8"))["metadata"]["papermill"]["parameters"]
        return list(told["seeds"]), str(told["profile"])
    return list(TABLE_SEEDS), "full"


def of_tables(out: Path, dataset: str, recipe: str, seeds: Sequence[int], profile: str) -> Iterator[tuple[Path, str]]:
    """Tables 1 and 2: each file with the text that the records give."""
    for number in tables_of(dataset):
        table = build(collect(number, out, dataset, recipe, seeds, profile))
        for file, text in files(table, f"table{number}").items():
            yield out / dataset / recipe / "tables" / file, text


def of_figure3(out: Path, dataset: str, recipe: str, seeds: Sequence[int], profile: str) -> Iterator[tuple[Path, str]]:
    """The same of Figure 3's data, where they were written."""
    if (path := out / dataset / recipe / "figures" / "figure3.csv").exists():
        keys = (out, dataset, recipe, seeds)
        yield path, as_csv(points(with_long_random(collect(1, *keys, profile).records, *keys)))


def of_controls(out: Path, dataset: str, recipe: str) -> Iterator[tuple[Path, str]]:
    """The same of the controls and of ten seeds."""
    here = out / dataset / recipe / "tables"
    if (path := here / "controls.csv").exists():
        yield path, as_csv(control_effects(runs_of_controls(out, dataset, recipe)))
    if (path := here / "ten_seeds.csv").exists():
        ten = _ten_seeds(out, dataset, recipe)
        yield path, as_csv(comparisons(ten)) if len(ten) > 1 else "of other runs"


def of_ledger(out: Path) -> Iterator[tuple[Path, str]]:
    """The same of the ledger and of the tests behind it."""
    rows = ledger.ledger(out)
    yield out / "ml-1m" / "ledger.csv", ledger.as_csv(rows)
    yield out / "ml-1m" / "ledger_tests.csv", ledger.comparisons_as_csv(rows)


def _ten_seeds(out: Path, dataset: str, recipe: str) -> dict[str, list[Record]]:
    """The runs on ten seeds; none where Grid's are missing, which say which pair is among them."""
    try:
        return runs_of_ten_seeds(out, dataset, recipe)
    except ValueError:
        return {}


def _bootstrap(out: Path, dataset: str, recipe: str) -> Iterator[tuple[Path, str]]:
    """The bootstrap takes all predictions and is not made again; its gaps must be those of these runs' records."""
    path = out / dataset / recipe / "tables" / "bootstrap.csv"
    if path.exists():
        ten, kept = _ten_seeds(out, dataset, recipe), path.read_text(encoding="utf-8")
        yield path, kept if ten and is_of(pd.read_csv(path), ten) else "of other runs"
