"""Edited records, and what becomes of them: how much of a record nothing else in it bears on."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random

from autodpq_runs.record import Record, read_record
from benchmarks.fuzz.mutations import mutated_json


def edited(paths: Sequence[Path], edits: range) -> dict[str, int]:
    """One thing changed in a record drawn by lot, so many times: the outcomes, counted; see :func:`outcome`."""
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for number in edits:
            rng = Random(number)
            path = rng.choice(paths)
            changed = Path(folder) / "record.json"
            changed.write_text(json.dumps(mutated_json(json.loads(path.read_text(encoding="utf-8")), rng)))
            counts[outcome(changed, read_record(path))] += 1
    return dict(counts.most_common())


def outcome(path: Path, whole: Record) -> str:
    """``refused``, ``stale`` (its identity no longer fits its configuration), ``the same``, or what is changed unseen.

    Raises:
        AssertionError: a refusal that is not one sentence naming the file.
    """
    try:
        found = read_record(path)
    except ValueError as error:
        assert str(error).startswith(f"{path}: not a valid record: "), error
        assert str(error).isprintable(), error
        return "refused"
    if found.stale() is not None:
        return "stale"
    changed = [key for key, value in found if value != getattr(whole, key)]
    return " and ".join(changed) or "the same"
