"""All of a record, a table or the ledger that can be recomputed without training, compared with what is committed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pandas as pd

from autodpq_data.errors import DataError
from autodpq_data.prepared import known_fingerprint, load_samples, load_schema
from autodpq_data.schema import Schema
from autodpq_eval import ledger
from autodpq_eval.batch import TABLE_SEEDS
from autodpq_eval.effects import control_effects, runs_of_controls
from autodpq_eval.figure3 import points, with_long_random
from autodpq_eval.layout import as_csv, files
from autodpq_eval.tables import build, collect, tables_of
from autodpq_eval.ten_seeds import comparisons, is_of, runs_of_ten_seeds
from autodpq_lib.config import OUTSIDE
from autodpq_lib.models.build import final_model
from autodpq_lib.space import space
from autodpq_runs.agreement import agrees
from autodpq_runs.explore import find_records
from autodpq_runs.kept import DamagedError
from autodpq_runs.record import Record, canonical, contradictions, read_record, record_path
from autodpq_runs.run_paths import logits_path
from autodpq_system.paths import runs_root
from autodpq_system.sentence import sentence

Records = Mapping[Path, Record]


@dataclass
class Check:
    """What was looked at, what was found wrong, and what could not be looked at here, by reason."""

    what: str
    looked_at: int = 0
    wrong: list[str] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        """One line, and one for each thing that is wrong."""
        left = "".join(f"; {n} {reason}" for reason, n in self.left_out.items())
        first = f"{'FAIL' if self.wrong else 'OK':7}{self.what}: {self.looked_at}{left}"
        return "\n       ".join([first, *self.wrong])


def evidence(out: Path) -> tuple[Check, dict[Path, Record]]:
    """Every record below a folder: valid, canonical, under its name, of the present method, data and configuration."""
    check, records, paths = Check("records valid, canonical and current"), {}, find_records(out)
    check.wrong += [] if paths else [f"{out}: expected records, found none"]
    for path in paths:
        check.looked_at += 1
        try:
            record = records[path] = read_record(path)
        except ValueError as error:
            check.wrong.append(str(error))
            continue
        reason = record.stale(known_fingerprint(record.config.dataset))
        if path != record_path(out, record.config):
            reason = f"expected under the name {record_path(out, record.config)}"
        if text_of(record, path) != path.read_text(encoding="utf-8"):
            reason = "expected the text that writing it gives, found another"
        check.wrong += [f"{path}: {reason}"] if reason else []
    return check, records


def text_of(record: Record, path: Path) -> str:
    """What writing the record again gives, but for keys that are younger than the file: they have their defaults."""
    older = json.loads(path.read_text(encoding="utf-8"))
    content = record.model_dump(mode="json")
    for part in ("config", "provenance"):
        content[part] = {key: value for key, value in content[part].items() if key in older[part]}
    return canonical(content)


def curves(records: Records) -> Check:
    """Best epochs, results, decisions and time lines, from the curves of each fit."""
    check = Check("improvements, best epochs and results from the curves")
    for path, record in records.items():
        check.looked_at += len(record.timeline)
        check.wrong += [f"{path}: {key}: expected {due}, found {found}" for key, due, found in contradictions(record)]
    return check


def sizes(records: Records) -> Check:
    """Space under its three accountings, and the fields of the decision, from the data."""
    check = Check("Space and the fields of the decision from the data")
    for path, record in records.items():
        schema = schema_of(record.config.dataset, record.config.threshold)
        if schema is None or record.config.strategy in OUTSIDE:
            reason = (
                "of strategies that Table 1 has not" if schema else f"of {record.config.dataset}, which is not here"
            )
            check.left_out[reason] += 1
            continue
        check.looked_at += 1
        config, fields = record.config.model_copy(update={"device": "cpu"}), set(record.decision or ())
        if fields not in (set(), set(schema.low_fields)):
            check.wrong.append(f"{path}: decision: expected the fields {schema.low_fields}, found {sorted(fields)}")
            continue
        try:
            model = final_model(config, schema, record.decision)
            made = space(schema, config.embedding_dim, record.decision, model, tied=config.tied)
        except (ValueError, ArithmeticError, RuntimeError, MemoryError) as error:
            check.wrong.append(f"{path}: expected a model that can be made, found {sentence(error)}")
            continue
        check.wrong += [f"{path}: space: expected {made}, found {record.space}"] if made != record.space else []
    return check


@cache
def schema_of(dataset: str, threshold: int) -> Schema | None:
    """Schema of a data set; None where its data are not on this machine and can't be fetched."""
    try:
        return load_schema(dataset, threshold)
    except DataError:
        return None


def predictions(records: Records) -> Check:
    """Test AUC and logloss from the predictions that are on this machine.

    Those of another training of the same run, whose record is below ``runs/``, say nothing of this one.
    """
    check = Check("test AUC and logloss from predictions")
    for path, record in records.items():
        try:
            _compare(check, path, record)
        except DamagedError as error:
            check.looked_at += 1
            check.wrong.append(str(error))
    return check


def _compare(check: Check, path: Path, record: Record) -> None:
    logits = logits_path(record.identity)
    if not logits.exists():
        check.left_out["without predictions here"] += 1
    elif _agrees(record, logits):
        check.looked_at += 1
    elif _of_another(record, logits):
        check.left_out["with predictions of another training here"] += 1
    else:
        check.looked_at += 1
        check.wrong.append(f"{path}: test: expected the metrics of {logits}, found others")


def _of_another(record: Record, logits: Path) -> bool:
    """Whether the predictions are those of a record below ``runs/``, of the same run."""
    for path in find_records(runs_root()):
        if path.stem == record.config.name():
            with suppress(ValueError):  # not a record, or one of an older form
                other = read_record(path)
                if other.identity == record.identity and _agrees(other, logits):
                    return True
    return False


def _agrees(record: Record, logits: Path) -> bool:
    config = record.config
    return agrees(record, logits, load_samples(config.dataset, "test", config.split_seed, config.split).labels)


def tables(out: Path, records: Records) -> Check:
    """Tables in three forms, Figure 3's data, ten seeds, controls, bootstrap and ledger, from the records."""
    check = Check("tables, figure, ten seeds, controls, bootstrap and ledger from the records")
    others = set(out.rglob("*.csv"))
    for path, text in _made(out, records):
        others.discard(path)
        check.looked_at += 1
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            found = "something else" if path.exists() else "no such file"
            check.wrong.append(f"{path}: expected what the records give, found {found}")
    if others:
        check.left_out["tables that nothing here recomputes"] = len(others)
    return check


def _made(out: Path, records: Records) -> Iterator[tuple[Path, str]]:
    """Each committed file below ``out`` with the text that the records give."""
    for dataset, recipe in sorted({(record.config.dataset, record.config.recipe) for record in records.values()}):
        seeds, profile = _told(out / dataset / recipe)
        configs = [r.config for r in records.values() if (r.config.dataset, r.config.recipe) == (dataset, recipe)]
        if len({config.strategy for config in configs if config.seed in seeds}) > 1:  # a table compares strategies
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
    """The bootstrap itself needs all predictions; that it is of these runs, the gaps in it show."""
    path = out / dataset / recipe / "tables" / "bootstrap.csv"
    if path.exists():
        ten, kept = _ten_seeds(out, dataset, recipe), path.read_text(encoding="utf-8")
        yield path, kept if ten and is_of(pd.read_csv(path), ten) else "of other runs"
