"""What git holds of the project, as a clone would have it."""

import subprocess
from functools import cache
from pathlib import Path

import pytest

from autodpq_system.paths import ROOT


@cache
def tracked() -> list[Path]:
    """All files, relative to the project's folder."""
    if not (ROOT / ".git").exists():
        pytest.skip("no clone: what git holds can't be told")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [Path(name) for name in listed.split("\0") if name]


def ignored(names: list[str]) -> set[str]:
    """Those of the paths that git would not take."""
    asked = ["git", "check-ignore", "--no-index", *names]
    return set(subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False).stdout.split())
