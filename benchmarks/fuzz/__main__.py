"""Feed hostile packed files to every reader, the one in C under AddressSanitizer; edit records; keep the counts.

``python -m benchmarks.fuzz --files 10000`` writes ``results/bench/fuzz.json``. Each reader works in a process of its
own; one that dies is a crash, counted, and the next goes on after the file that killed it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from pathlib import Path
from random import Random

import numpy as np

from autodpq_lib.explore import find_records
from autodpq_packed import reader as packed_reader
from autodpq_system.paths import ROOT
from benchmarks.fuzz.judge import READERS, judge, sound
from benchmarks.fuzz.mutations import mutated_file
from benchmarks.fuzz.records import edited
from benchmarks.measured import keep

#: Bytes that a reader may take beyond what the process has at its start.
MEMORY = 512 * 2**20
#: Files that are read without the check, to see that what is looked for would be found.
UNCHECKED = 200


def main() -> int:
    """Exit 0 if no file crashed a reader or was read wrongly."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=10_000, help="for each reader, and edits of records")
    parser.add_argument("--work", nargs=3, metavar=("READER", "FROM", "TO"), help=argparse.SUPPRESS)
    parser.add_argument("--unchecked", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.work:
        reader, first, last = asked.work
        return _work(reader, range(int(first), int(last)), unchecked=asked.unchecked)
    found = {name: _counted(name, asked.files) for name in READERS}
    without = _counted("c", UNCHECKED, "--unchecked")
    records = edited(find_records(ROOT / "results"), range(asked.files))
    keep("fuzz", readers=found, without_the_check=without, records=records)
    sys.stdout.write(json.dumps({**found, "c without the check": without, "records": records}, indent=1) + "\n")
    return int(any(counts["crashed"] or counts["wrong"] for counts in found.values()))


def _counted(reader: str, files: int, *options: str) -> dict[str, int]:
    """Outcomes of so many files, whatever dies on the way."""
    counts, done = Counter({"files": files, "refused": 0, "harmless": 0, "wrong": 0, "crashed": 0}), 0
    with tempfile.TemporaryDirectory() as folder:
        environment = _sanitized(Path(folder)) if reader == "c" else dict(os.environ)
        while done < files:
            command = [sys.executable, "-m", "benchmarks.fuzz", "--work", reader, str(done), str(files), *options]
            ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
            outcomes = ended.stdout.split()
            counts.update(outcomes)
            done += len(outcomes)
            sys.stderr.writelines(
                line for line in ended.stderr.splitlines(True) if line.startswith(("SUMMARY", reader))
            )
            if done < files:
                sys.stderr.write(f"{reader}, file {done}: crashed\n")
                counts["crashed"] += 1
                done += 1
    return dict(counts)


def _sanitized(folder: Path) -> dict[str, str]:
    """Environment in which C is compiled with AddressSanitizer, whose library comes before all others."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise SystemExit("cc: expected a C compiler, found none")
    wrapper = folder / "cc"
    wrapper.write_text(f'#!/bin/sh\nexec {compiler} -fsanitize=address -g "$@"\n')
    wrapper.chmod(0o755)
    where = subprocess.run([compiler, "-print-file-name=libasan.so"], capture_output=True, text=True, check=True)
    return {
        **os.environ,
        "AUTODPQ_COMPILER": str(wrapper),
        "AUTODPQ_RUNS": str(folder / "runs"),
        "LD_PRELOAD": where.stdout.strip(),
        "ASAN_OPTIONS": f"detect_leaks=0:max_allocation_size_mb={MEMORY >> 20}",
    }


def _work(reader: str, files: range, *, unchecked: bool) -> int:
    """A word on standard output for each file: its outcome."""
    if unchecked:
        setattr(packed_reader, "check", lambda *_: None)  # noqa: B010 - a function of another module
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as name:
        originals = sound(Path(name))
        if "LD_PRELOAD" not in os.environ:  # the sanitizer maps terabytes, and has a limit of its own
            _limit_memory()
        for number in files:
            raw = mutated_file(Random(number).choice(originals), Random(f"{number}"))
            sys.stdout.write(_outcome(raw, Path(name) / "sound.safetensors", reader, number) + "\n")
            sys.stdout.flush()
    return 0


def _limit_memory() -> None:
    used = int(Path("/proc/self/statm").read_text().split()[5]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_DATA, (used + MEMORY, used + MEMORY))


def _outcome(raw: bytes, path: Path, reader: str, number: int) -> str:
    try:
        with np.errstate(all="ignore"):
            return judge(raw, path, reader)
    except Exception as error:
        sys.stderr.write(f"{reader}, file {number}: {type(error).__name__}: {error}\n")
        return "wrong"


if __name__ == "__main__":
    sys.exit(main())
