"""All of a record, a table or the ledger that can be recomputed without training, compared with what is committed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from autodpq_data.errors import DataError
from autodpq_data.prepared import known_fingerprint, load_samples, load_schema
from autodpq_data.schema import Schema
from autodpq_eval.derived import derived_files
from autodpq_lib.config import OUTSIDE
from autodpq_lib.models.build import final_model
from autodpq_lib.space import space
from autodpq_runs.agreement import agrees
from autodpq_runs.explore import find_records
from autodpq_runs.kept import DamagedError
from autodpq_runs.record import Record, canonical, read_record, record_path
from autodpq_runs.run_paths import logits_path
from autodpq_system.paths import runs_root
from autodpq_system.sentence import sentence

Records = Mapping[Path, Record]
#: How far two trainings of a run, on two kinds of processor, may lie apart in AUC where nobody has measured it.
APART = 0.01


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


def predictions(records: Records, apart: Mapping[str, float] = {}) -> Check:
    """Test AUC and logloss from the predictions that are on this machine.

    Predictions of another training of the same run, whose record is below ``runs/``, do not count; that training's
    test AUC must only be near the record's.

    Args:
        records: by path.
        apart: how far two trainings of a run may lie apart in test AUC, by data set, else :data:`APART`.
    """
    check = Check("test AUC and logloss from predictions")
    for path, record in records.items():
        try:
            _compare(check, path, record, apart.get(record.config.dataset, APART))
        except DamagedError as error:
            check.looked_at += 1
            check.wrong.append(str(error))
    return check


def _compare(check: Check, path: Path, record: Record, apart: float) -> None:
    logits = logits_path(record.identity)
    if not logits.exists():
        check.left_out["without predictions here"] += 1
    elif _agrees(record, logits):
        check.looked_at += 1
    elif (other := _of_another(record, logits)) and abs(other.test.auc - record.test.auc) <= apart:
        check.left_out["with predictions of another training here"] += 1
    elif other:
        check.looked_at += 1
        auc = f"{record.test.auc:.4f}, and {other.test.auc:.4f} of another training of this run"
        check.wrong.append(f"{path}: test: expected AUCs at most {apart:.4f} apart, found {auc}")
    else:
        check.looked_at += 1
        check.wrong.append(f"{path}: test: expected the metrics of {logits}, found others")


def _of_another(record: Record, logits: Path) -> Record | None:
    """The record below ``runs/``, of the same run, whose the predictions are."""
    for path in find_records(runs_root()):
        if path.stem == record.config.name():
            with suppress(ValueError):  # not a record, or one of an older form
                other = read_record(path)
                if other.identity == record.identity and _agrees(other, logits):
                    return other
    return None


def _agrees(record: Record, logits: Path) -> bool:
    config = record.config
    return agrees(record, logits, load_samples(config.dataset, "test", config.split_seed, config.split).labels)


def tables(out: Path, records: Records) -> Check:
    """Tables in three forms, Figure 3's data, ten seeds, controls, bootstrap and ledger, from the records."""
    check = Check("tables, figure, ten seeds, controls, bootstrap and ledger from the records")
    others = set(out.rglob("*.csv"))
    for path, text in derived_files(out, records):
        others.discard(path)
        check.looked_at += 1
        if not path.exists() or path.read_bytes() != text.encode():
            found = "something else" if path.exists() else "no such file"
            check.wrong.append(f"{path}: expected what the records give, found {found}")
    if others:
        check.left_out["tables that nothing here recomputes"] = len(others)
    return check
