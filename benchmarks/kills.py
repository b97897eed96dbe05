"""Kill a process of a small batch at a random moment, again and again: what is lost, repeated, or left over.

``python -m benchmarks.kills --kills 50`` writes ``results/bench/kills.json`` after each batch, and goes on from what is
there: remove it to count anew. Fifty take some 15 minutes of a quiet machine.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import suppress
from pathlib import Path
from random import Random
from time import monotonic, sleep

import psutil

from autodpq_eval.layout import markdown
from autodpq_runs.record import read_record
from autodpq_system.paths import ROOT
from autodpq_system.sentence import Parser, whole_number
from autodpq_system.stopping import STARTER
from benchmarks.measured import read_measures, write_measures

ASKED = ["--dataset=planted", "--profile=smoke", "--strategies=fe", "--seeds=1 2", "--jobs=2"]
#: Seconds within which all of a batch has to end; measure it on a machine without other work.
LIMIT = 20.0
KERNEL = "ipykernel_launcher"
VICTIMS = ("scripts.replicate", "snakemake", "scripts.run_notebook", "scripts.report", KERNEL)
LATE, LOST, UNLIKE = (
    "still at work after 20 seconds",
    "records lost or changed",
    "batches unlike one that was not killed",
)
LEFT, GONE = "files left over", "files missing"
#: Of what is counted, all that should be 0.
WRONG = (LATE, LOST, UNLIKE, LEFT, GONE)
#: A kill between a run's record and its executed notebook: the run is done, and `make plan` says that it has none.
TOLD = "executed notebooks missing"


def main() -> int:
    """Exit 0 if nothing was lost, repeated or left over, and all ended in time."""
    parser = Parser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kills", type=whole_number(1), default=50)
    kills, counts = parser.parse_args().kills, before()
    with tempfile.TemporaryDirectory() as folder:
        begun = monotonic()
        straight = Batch(Path(folder, "straight"))
        straight.start().wait()
        torment = Torment(Random(counts["processes killed"]), monotonic() - begun, counts)
        while counts["processes killed"] < kills:
            batch = Batch(Path(folder, f"batch-{counts['batches']}"))
            torment.finish(batch, kills)
            counts["batches"] += 1
            counts += batch.compared(straight)
            write_measures("kills", counts=counts)
    sys.stdout.write(table())
    return int(any(counts[key] for key in WRONG))


def before() -> Counter[str]:
    """What was counted so far."""
    with suppress(FileNotFoundError):
        return Counter(read_measures("kills")["counts"])
    return Counter()


def table() -> str:
    """The counts, in Markdown."""
    found = before()
    first = ["processes killed", *(f"of these, {name}" for name in VICTIMS), "batches", "records done by then"]
    return markdown(["what", "count"], [[key, f"{found[key]:,}"] for key in (*first, *WRONG, TOLD)])


class Batch:
    """A small batch in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.out, self.runs, self.temporary = folder / "out", folder / "runs", folder / "tmp"
        self.temporary.mkdir(parents=True)

    def start(self) -> subprocess.Popen[bytes]:
        """Begin, or go on."""
        command = [sys.executable, "-m", "scripts.replicate", *ASKED, f"--out={self.out}"]
        mine = {STARTER: f"{os.getpid()}@{platform.node()}"}
        keys = {**os.environ, **mine, "AUTODPQ_RUNS": str(self.runs), "TMPDIR": str(self.temporary)}
        return subprocess.Popen(command, cwd=ROOT, env=keys, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def records(self) -> dict[str, bytes]:
        """The records by name, byte for byte."""
        return {path.name: path.read_bytes() for path in self.out.rglob("records/*.json")}

    def result(self) -> dict[str, object]:
        """What the records say, and the table made of them."""
        read = {path.name: read_record(path) for path in self.out.rglob("records/*.json")}
        tables = {path.name: path.read_text() for path in self.out.rglob("tables/*.csv")}
        return {**tables, **{name: (record.valid, record.test, record.decision) for name, record in read.items()}}

    def compared(self, straight: Batch) -> Counter[str]:
        """How this batch, which was killed, differs from one that was not; the names go to stderr."""
        left, gone = self.names() - straight.names(), straight.names() - self.names()
        told = {name for name in gone if Path(name).name.startswith("deepfm-") and name.endswith(".ipynb")}
        sys.stderr.write("".join(f"left over: {name}\n" for name in left) + "".join(f"missing: {n}\n" for n in gone))
        found = {LEFT: len(left), GONE: len(gone - told), TOLD: len(told)}
        return Counter({UNLIKE: int(self.result() != straight.result()), **found})

    def names(self) -> set[str]:
        """All files of the folder with the records, and temporary ones anywhere."""
        here = {str(path.relative_to(self.out)) for path in self.out.rglob("*")}
        return here | {path.name for path in [*self.runs.rglob(".*~*"), *self.temporary.iterdir()]}


class Torment:
    """Kills processes of batches.

    A kill costs all that went before it, so early moments are drawn more often than late ones.

    Args:
        random: draws the moment and the victim.
        longest: seconds from a start, or from the last kill, to the next.
        counts: of what was killed and seen.
    """

    def __init__(self, random: Random, longest: float, counts: Counter[str]) -> None:
        self.random, self.longest, self.counts = random, longest, counts

    def finish(self, batch: Batch, kills: int) -> None:
        """Start a batch again and again until it is done, and kill meanwhile, up to so many kills in all."""
        process = batch.start()
        while process.poll() != 0:
            if process.poll() is not None:
                process = batch.start()
            try:
                process.wait(
                    self.longest * self.random.random() ** 2 if self.counts["processes killed"] < kills else None
                )
            except subprocess.TimeoutExpired:
                self.kill(batch, process)

    def kill(self, batch: Batch, process: subprocess.Popen[bytes]) -> None:
        """Kill one of its processes. All others have to end, unless it was a kernel: that is a failed run."""
        known = batch.records()
        alive = [found for found in processes(batch.runs) if found[0] in VICTIMS]
        if not alive:
            return
        name, victim = self.random.choice(alive)
        victim.kill()
        self.counts["processes killed"] += 1
        self.counts[f"of these, {name}"] += 1
        self.counts["records done by then"] += len(known)
        sys.stderr.write(f"{self.counts['processes killed']}: {name}, {len(known)} records\n")
        if name != KERNEL:
            end = monotonic() + LIMIT
            while (process.poll() is None or processes(batch.runs)) and monotonic() < end:
                sleep(0.2)
            self.counts[LATE] += len(left := processes(batch.runs))
            sys.stderr.write("".join(f"{other} outlived {name}\n" for other, _ in left))
        self.counts[LOST] += sum(batch.records().get(key) != text for key, text in known.items())


def processes(runs: Path) -> list[tuple[str, psutil.Process]]:
    """The processes of a batch, told by the folder that their environment names: ``make``, else Python's module."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("AUTODPQ_RUNS") == str(runs) and process.status() != psutil.STATUS_ZOMBIE:
                words = process.cmdline()
                if words:  # one that has just ended has none
                    found.append((words[2] if words[1:2] == ["-m"] else words[0], process))
        except psutil.Error:
            continue
    return found


if __name__ == "__main__":
    sys.exit(main())
