"""One process a run: two writers of the same checkpoints would destroy them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from threading import Timer

import pytest
import torch

from autodpq_lib.training.checkpoints import Checkpoints

CLAIM = "import sys; from pathlib import Path; from autodpq_lib.training.checkpoints import Checkpoints; "
HOLD = CLAIM + "Checkpoints(Path(sys.argv[1])).claim(); print('held', flush=True); input()"
CLEAR = HOLD + "; Checkpoints(Path(sys.argv[1])).clear()"
REFUSED = CLAIM + "Checkpoints(Path(sys.argv[1])).claim(wait=0)"


def hold(folder: Path, code: str = HOLD) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_process_is_refused_until_the_first_ends(tmp_path: Path) -> None:
    other = hold(tmp_path / "run")
    with pytest.raises(BlockingIOError, match="found another process at this run"):
        Checkpoints(tmp_path / "run").claim(wait=0)
    other.kill()
    other.communicate()
    Checkpoints(tmp_path / "run").claim()


def test_who_waited_for_a_run_that_was_cleared_has_it_alone(tmp_path: Path) -> None:
    first = hold(tmp_path / "run", CLEAR)
    Timer(0.5, first.communicate, ["\n"]).start()
    Checkpoints(tmp_path / "run").claim()
    third = [sys.executable, "-c", REFUSED, str(tmp_path / "run")]
    assert "found another process" in subprocess.run(third, capture_output=True, text=True, check=False).stderr


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


def test_checkpoints_are_cleared_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed while files are removed, a run would have states whose weights are gone, and could never go on."""
    checkpoints = Checkpoints(tmp_path / "run")
    checkpoints.save("fit", {"curve": []})
    checkpoints.keep("fit", 0, {})
    seen: list[bool] = []
    monkeypatch.setattr("shutil.rmtree", lambda *_, **__: seen.append((tmp_path / "run").exists()))
    checkpoints.clear()
    assert seen == [False]


@pytest.mark.parametrize("left", [0, 100])
@pytest.mark.parametrize("kept", [False, True])
def test_a_damaged_checkpoint_is_named_and_what_to_do_is_said(tmp_path: Path, left: int, kept: bool) -> None:
    checkpoints = Checkpoints(tmp_path / "run")
    checkpoints.save("fit", {"x": torch.ones(9)})
    checkpoints.keep("fit", 1, {"x": torch.ones(9)})
    path = tmp_path / "run" / ("kept/fit-001.pt" if kept else "fit.pt")
    path.write_bytes(path.read_bytes()[:left])
    said = f"{path.name}: expected a whole checkpoint, found .+; remove .+/run, and the run begins again"
    with pytest.raises(ValueError, match=said) as told:
        checkpoints.weights_at("fit", 1) if kept else checkpoints.load("fit")
    assert "\n" not in str(told.value)
