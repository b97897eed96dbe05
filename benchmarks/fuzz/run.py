"""Feed hostile packed files to every reader, the one in C under AddressSanitizer; edit records; keep the counts.

``python -m benchmarks.fuzz.run --files 10000`` writes ``results/bench/trust.json``. Each reader works in a process of
its own; one that dies is a crash, counted, and the next goes on after the file that killed it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from autodpq_eval.layout import markdown
from autodpq_runs.explore import find_records
from autodpq_system.paths import ROOT
from autodpq_system.sentence import Parser, whole_number
from benchmarks.fuzz.judge import FORMATS, READERS
from benchmarks.fuzz.records import edited
from benchmarks.fuzz.worker import MEMORY
from benchmarks.measured import read_measures, write_measures

#: Files that are read without the check, to see that what is looked for would be found.
UNCHECKED = 200


def main() -> int:
    """Exit 0 if no file crashed a reader or was read wrongly."""
    parser = Parser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--files", type=whole_number(1), default=10_000, help="for each reader, and edits of records")
    files = parser.parse_args().files
    found = {name: _counted(name, files) for name in READERS}
    without = _counted("c", UNCHECKED, "--unchecked")
    records = edited(find_records(ROOT / "results"), range(files))
    write_measures("trust", readers=found, without_the_check=without, records=records)
    sys.stdout.write(table())
    every = [counts for reader in found.values() for counts in reader.values()]
    return int(any(counts["crashed"] or counts["wrong"] for counts in every))


def table() -> str:
    """Outcomes of hostile packed files by reader, and of edited records, in Markdown."""
    found = read_measures("trust")
    names = {"numpy": "NumPy", "torch": "torch", "c": "C, under AddressSanitizer"}
    readers = {names[reader]: counts for reader, counts in found["readers"].items()}
    readers[f"{names['c']}, the check left out"] = found["without_the_check"]
    every = [(name, *each) for name, counts in readers.items() for each in counts.items()]
    rows = [[name, kind, *(f"{n:,}" for n in counts.values())] for name, kind, counts in every]
    files = markdown(["reader of packed files", "tables in", *every[0][2]], rows)
    said = {"refused": "refused", "stale": "no longer counts, by its identity", "the same": "the same as before"}
    edits = [
        [said.get(key, f"read: this part of {key} is checked against nothing"), f"{n:,}"]
        for key, n in found["records"].items()
    ]
    return f"{files}\n{markdown(['a record with one thing edited', 'edits'], edits)}"


def _counted(reader: str, files: int, *options: str) -> dict[str, dict[str, int]]:
    """Outcomes of so many files by their format, whatever dies on the way."""
    found: list[tuple[str, str]] = []
    with tempfile.TemporaryDirectory() as folder:
        environment = _sanitized(Path(folder)) if reader == "c" else dict(os.environ)
        while len(found) < files:
            command = [sys.executable, "-m", "benchmarks.fuzz.worker", reader, str(len(found)), str(files), *options]
            ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
            lines = ended.stdout.splitlines()
            if not lines:
                raise SystemExit(f"{reader}: expected a line for each file, found none; {ended.stderr[-500:]}")
            found += [(kind, outcome or "crashed") for kind, _, outcome in (line.partition(" ") for line in lines)]
            said = ended.stderr.splitlines(keepends=True)
            sys.stderr.writelines(line for line in said if line.startswith(("SUMMARY", f"{reader}, file")))
            if found[-1][1] == "crashed":
                sys.stderr.write(f"{reader}, file {len(found) - 1}: crashed\n")
    return {name: _outcomes(outcome for kind, outcome in found if kind == f"{n}") for n, name in enumerate(FORMATS)}


def _outcomes(found: Iterable[str]) -> dict[str, int]:
    """How many files there are, and how many of each outcome."""
    counts = Counter(found)
    return {"files": counts.total()} | {name: counts[name] for name in ("refused", "harmless", "wrong", "crashed")}


def _sanitized(folder: Path) -> dict[str, str]:
    """Environment in which C is compiled with AddressSanitizer, whose library comes before all others."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise SystemExit("cc: expected a C compiler, found none")
    wrapper = folder / "cc"
    wrapper.write_text(f'#!/bin/sh\nexec {compiler} -fsanitize=address -g "$@"\n')
    wrapper.chmod(0o755)
    # That of C++ as well, or the sanitizer takes an exception of torch for a crash.
    asked = [[compiler, f"-print-file-name={name}"] for name in ("libasan.so", "libstdc++.so.6")]
    where = [subprocess.run(one, capture_output=True, text=True, check=True).stdout.strip() for one in asked]
    return {
        **os.environ,
        "AUTODPQ_COMPILER": str(wrapper),
        "AUTODPQ_RUNS": str(folder / "runs"),
        "LD_PRELOAD": " ".join(where),
        "ASAN_OPTIONS": f"detect_leaks=0:max_allocation_size_mb={MEMORY >> 20}",
    }


if __name__ == "__main__":
    sys.exit(main())
