"""Run all tests once, and count: ``python -m benchmarks.suite`` writes ``results/bench/suite.json``."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree as ET

from autodpq_eval.layout import markdown
from autodpq_system.paths import ROOT
from autodpq_system.sentence import Parser
from benchmarks.measured import read_measures, write_measures

#: The table-driven test whose cases are refusals.
REFUSALS = "test_what_is_wrong_is_refused_in_one_sentence["


def main() -> int:
    """Exit with pytest's status."""
    Parser(description=__doc__).parse_args()
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
    passed = [case.attrib["name"] for case in suite.iter("testcase") if not len(case)]
    refusals = sum(name.startswith(REFUSALS) for name in passed)
    return totals | {"refusals": refusals, "seconds": round(float(suite.attrib["time"]))}


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
