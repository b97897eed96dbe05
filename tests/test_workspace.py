"""One process a run: two writers of the same checkpoints would destroy them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from autodpq_lib.training.checkpoints import Checkpoints

CLAIM = "import sys; from pathlib import Path; from autodpq_lib.training.checkpoints import Checkpoints; "
HOLD = CLAIM + "Checkpoints(Path(sys.argv[1])).claim(); print('held', flush=True); input()"


def hold(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_process_is_refused_until_the_first_ends(tmp_path: Path) -> None:
    other = hold(tmp_path / "run")
    with pytest.raises(RuntimeError, match="found another process at the same run"):
        Checkpoints(tmp_path / "run").claim(wait=0)
    other.kill()
    other.communicate()
    Checkpoints(tmp_path / "run").claim()


def test_the_same_process_may_open_its_run_again(tmp_path: Path) -> None:
    Checkpoints(tmp_path / "run").claim()
    Checkpoints(tmp_path / "run").claim()


def test_a_cleared_run_is_free(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "run")
    checkpoints.claim()
    checkpoints.save("fit", {"model": torch.zeros(1)})
    checkpoints.clear()
    assert not (tmp_path / "run").exists()
    other = hold(tmp_path / "run")
    other.kill()
    other.communicate()
