"""Run all tests once, and count: ``python -m benchmarks.suite`` writes ``results/bench/suite.json``."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as ET

from autodpq_eval.layout import markdown
from autodpq_system.paths import ROOT
from benchmarks.measured import read_measures, write_measures

#: Table-driven tests whose cases are refusals.
REFUSALS = "tests.test_refusals"


def main() -> int:
    """Exit with pytest's status."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.xml")
        done = subprocess.run([sys.executable, "-m", "pytest", f"--junitxml={report}"], cwd=ROOT, check=False)
        write_measures("suite", **counted(report))
    sys.stdout.write(table())
    return done.returncode


def counted(report: Path) -> dict[str, int]:
    """Tests by outcome, the refusals among those that passed, and seconds, of a JUnit file."""
    suite = ET.parse(report).getroot().find("testsuite")
    assert suite is not None
    totals = {key: int(suite.attrib[key]) for key in ("tests", "failures", "errors", "skipped")}
    passed = Counter(case.attrib["classname"] for case in suite.iter("testcase") if not len(case))
    return totals | {"refusals": passed[REFUSALS], "seconds": round(float(suite.attrib["time"]))}


def table() -> str:
    """The counts, in Markdown."""
    measured = read_measures("suite")
    rows = [
        ["tests run", f"{measured['tests'] - measured['skipped']:,}"],
        ["of these, refusals", f"{measured['refusals']:,}"],
        ["failed", f"{measured['failures'] + measured['errors']:,}"],
        ["skipped", f"{measured['skipped']:,}"],
        [f"minutes, {measured['cores']} cores", f"{measured['seconds'] / 60:.1f}"],
    ]
    return markdown(["what", "count"], rows)


if __name__ == "__main__":
    sys.exit(main())
