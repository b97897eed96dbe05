"""One reader, one mutated file after the other, a line for each on standard output: a crash is known by its file.

A line begins with the number of the format (:data:`benchmarks.fuzz.judge.FORMATS`), and ends with the outcome once the
file is read.

``python -m benchmarks.fuzz.worker c 0 100`` reads the files 0 to 99.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import warnings
from pathlib import Path
from random import Random

import numpy as np

from autodpq_packed import reader as packed_reader
from benchmarks.fuzz.judge import FORMATS, KEPT, READERS, format_of, judge, sound
from benchmarks.fuzz.mutations import mutated_file

#: Bytes that a reader may take beyond what the process has at its start.
MEMORY = 512 * 2**20


def main() -> int:
    """Exit 0 if all files were read, whatever came of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("reader", choices=READERS)
    parser.add_argument("first", type=int)
    parser.add_argument("end", type=int)
    parser.add_argument("--unchecked", action="store_true", help="read without the check")
    asked = parser.parse_args()
    if asked.unchecked:
        setattr(packed_reader, "check", lambda *_: None)  # noqa: B010 - a function of another module
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        originals = sound(Path(folder), ["float32"] if asked.reader == "c" else KEPT)
        if "LD_PRELOAD" not in os.environ:  # the sanitizer maps terabytes, and has a limit of its own
            _limit_memory()
        for number in range(asked.first, asked.end):
            original = Random(number).choice(originals)
            sys.stdout.write(f"{FORMATS.index(format_of(original))} ")
            sys.stdout.flush()
            raw = mutated_file(original, Random(f"{number}"))
            sys.stdout.write(_outcome(raw, Path(folder) / "sound.safetensors", asked.reader, number) + "\n")
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
