"""Kill a process of a small batch at a random moment, again and again: what is lost, repeated, or left over.

``python -m benchmarks.kills --kills 50`` writes ``results/bench/kills.json``.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from random import Random
from time import monotonic, sleep

import psutil

from autodpq_eval.layout import markdown
from autodpq_runs.record import read_record
from autodpq_system.paths import ROOT
from benchmarks.measured import read_measures, write_measures

ASKED = ["--dataset=planted", "--profile=smoke", "--strategies=fe grid", "--seeds=1 2", "--jobs=2"]
#: Seconds within which all of a batch has to end.
LIMIT = 20.0
KERNEL = "ipykernel_launcher"
VICTIMS = ("scripts.replicate", "snakemake", "scripts.run_notebook", "scripts.report", KERNEL)


def main() -> int:
    """Exit 0 if nothing was lost, repeated or left over, and all ended in time."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    kills, random, counts = parser.parse_args().kills, Random(1), Counter[str]()
    with tempfile.TemporaryDirectory() as folder:
        begun = monotonic()
        straight = Batch(Path(folder, "straight"))
        straight.start().wait()
        seconds = monotonic() - begun
        while counts["kills"] < kills:
            batch = Batch(Path(folder, f"batch-{counts['batches']}"))
            while counts["kills"] < kills and batch.is_killed(random.uniform(0, seconds), random, counts):
                pass
            batch.start().wait()
            counts["batches"] += 1
            counts["unlike one that was not killed"] += batch.result() != straight.result()
            counts["left over"] += len(batch.names() ^ straight.names())
    write_measures("kills", **counts)
    sys.stdout.write(table())
    return int(any(counts[key] for key in counts if key not in ("kills", "batches", "records at the kills")))


def table() -> str:
    """The counts, in Markdown."""
    found = read_measures("kills")
    return markdown(["what", "count"], [[key, str(n)] for key, n in found.items() if isinstance(n, int)])


class Batch:
    """A small batch in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.out, self.runs = folder / "out", folder / "runs"

    def start(self) -> subprocess.Popen[bytes]:
        """Begin, or go on."""
        command = [sys.executable, "-m", "scripts.replicate", *ASKED, f"--out={self.out}"]
        keys = {**os.environ, "AUTODPQ_RUNS": str(self.runs)}
        return subprocess.Popen(command, cwd=ROOT, env=keys, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def is_killed(self, after: float, random: Random, counts: Counter[str]) -> bool:
        """Start, and kill one of its processes after so many seconds; False if it is through by then."""
        known = self.records()
        process = self.start()
        try:
            process.wait(after)
        except subprocess.TimeoutExpired:
            pass
        else:
            return False
        known |= self.records()
        alive = [found for found in processes(self.runs) if found[0] in VICTIMS]
        if not alive:
            return False
        name, victim = random.choice(alive)
        victim.kill()
        if name == KERNEL:  # a failed run: the others go on
            process.wait()
        end = monotonic() + LIMIT
        while (process.poll() is None or processes(self.runs)) and monotonic() < end:
            sleep(0.2)
        counts["kills"] += 1
        counts["records at the kills"] += len(known)
        counts["still at work after 20 seconds"] += len(processes(self.runs))
        counts["records lost or changed"] += sum(self.records().get(name) != text for name, text in known.items())
        return True

    def records(self) -> dict[str, bytes]:
        """The records by name, byte for byte."""
        return {path.name: path.read_bytes() for path in self.out.rglob("records/*.json")}

    def result(self) -> dict[str, object]:
        """What the records say, and the table made of them."""
        read = {path.name: read_record(path) for path in self.out.rglob("records/*.json")}
        tables = {path.name: path.read_text() for path in self.out.rglob("tables/*.csv")}
        return {**tables, **{name: (record.valid, record.test, record.decision) for name, record in read.items()}}

    def names(self) -> set[str]:
        """All files of the folder with the records, and temporary ones anywhere."""
        here = {str(path.relative_to(self.out)) for path in self.out.rglob("*")}
        return here | {path.name for path in self.runs.rglob(".*~*")}


def processes(runs: Path) -> list[tuple[str, psutil.Process]]:
    """The processes of a batch, told by the folder that their environment names: ``make``, else Python's module."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("AUTODPQ_RUNS") == str(runs) and process.status() != psutil.STATUS_ZOMBIE:
                words = process.cmdline()
                found.append((words[2] if words[1:2] == ["-m"] else words[0], process))
        except psutil.Error:
            continue
    return found


if __name__ == "__main__":
    sys.exit(main())
