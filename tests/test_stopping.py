"""A signal, or the end of the one that started it, ends a process and all that it started."""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from autodpq_system import stopping
from autodpq_system.paths import ROOT
from autodpq_system.stopping import STARTER, killed_when_idle

#: Starts a child in a session of its own, as papermill does with a kernel, and waits.
PARENT = """
import subprocess, sys, time
from autodpq_system import stopping
stopping.GRACE = 1
stopping.stop_with_starter()
stopping.stop_on_signals()
child = subprocess.Popen({child}, start_new_session=True)
print(child.pid, flush=True)
time.sleep(100)
"""
SLEEPER = [sys.executable, "-c", "import time; time.sleep(100)"]
DEAF = [sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(100)"]


@pytest.fixture(autouse=True)
def heard() -> Iterator[None]:
    """Under nohup SIGHUP is ignored, by all that is started too; here it is to be heard."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


def start(child: object = SLEEPER, **environment: str) -> tuple[subprocess.Popen[str], psutil.Process]:
    """A parent and its child, both at work."""
    command = [sys.executable, "-c", PARENT.format(child=child)]
    keys = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    parent = subprocess.Popen(command, env=keys, stdout=subprocess.PIPE, text=True)
    return parent, psutil.Process(int(parent.stdout.readline()))


def gone(process: psutil.Process, seconds: float = 15) -> bool:
    until = time.monotonic() + seconds
    while stopping._lives(process) and time.monotonic() < until:
        time.sleep(0.05)
    return not stopping._lives(process)


@pytest.mark.parametrize("number", stopping.SIGNALS, ids=lambda number: number.name)
def test_a_signal_ends_a_process_and_its_children(number: signal.Signals) -> None:
    parent, child = start()
    parent.send_signal(number)
    assert parent.wait(15) == 128 + number
    assert gone(child)


def test_a_child_that_does_not_listen_or_is_stopped_is_killed() -> None:
    for name in ("deaf", "stopped"):
        parent, child = start(DEAF if name == "deaf" else SLEEPER)
        if name == "stopped":
            child.suspend()
        time.sleep(0.3)
        parent.terminate()
        parent.wait(15)
        assert gone(child), name


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    command = ["nohup", sys.executable, "-c", PARENT.format(child=SLEEPER)]
    keys = {**os.environ, "PYTHONPATH": str(ROOT)}
    parent = subprocess.Popen(command, env=keys, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    child = psutil.Process(int(parent.stdout.readline()))
    parent.send_signal(signal.SIGHUP)
    assert not gone(child, 1.5)
    parent.terminate()
    assert gone(child)


#: Starts PARENT as ``$1`` says it, and hands its child's number on.
GRANDPARENT = """
import os, platform, subprocess, sys, time
os.environ["AUTODPQ_STARTER"] = f"{os.getpid()}@{platform.node()}"
subprocess.Popen(["sh", "-c", '"$@"; true', "sh", sys.executable, "-c", sys.argv[1]])
time.sleep(100)
"""


def test_the_death_of_the_starter_is_the_end_even_with_a_shell_between() -> None:
    command = [sys.executable, "-c", GRANDPARENT, PARENT.format(child=SLEEPER)]
    keys = {**os.environ, "PYTHONPATH": str(ROOT)}
    starter = subprocess.Popen(command, env=keys, stdout=subprocess.PIPE, text=True)
    child = psutil.Process(int(starter.stdout.readline()))
    starter.kill()
    assert gone(child)


def test_the_death_of_a_shell_between_is_the_end_too() -> None:
    command = [sys.executable, "-c", GRANDPARENT, PARENT.format(child=SLEEPER)]
    keys = {**os.environ, "PYTHONPATH": str(ROOT)}
    starter = subprocess.Popen(command, env=keys, stdout=subprocess.PIPE, text=True)
    child = psutil.Process(int(starter.stdout.readline()))
    child.parent().parent().kill()
    assert gone(child)
    starter.kill()


def test_a_starter_that_is_dead_already_is_the_end_at_once() -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    command = [sys.executable, "-c", PARENT.format(child=SLEEPER)]
    keys = {**os.environ, "PYTHONPATH": str(ROOT), STARTER: f"{dead.pid}@{platform.node()}"}
    assert subprocess.run(command, env=keys, timeout=30, check=False).returncode == 143


def test_a_command_follows_its_starter_before_it_imports_anything_large() -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    command = [sys.executable, "-X", "importtime", "-m", "scripts.replicate", "--plan"]
    keys = {**os.environ, STARTER: f"{dead.pid}@{platform.node()}"}
    done = subprocess.run(command, cwd=ROOT, env=keys, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 143
    assert "psutil" in done.stderr
    assert "torch" not in done.stderr


def test_a_starter_of_another_machine_means_nothing() -> None:
    parent, child = start(**{STARTER: f"{2**22}@elsewhere"})
    assert not gone(child, 1.5)
    parent.terminate()
    assert gone(child)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux alone shows what make handles")
@pytest.mark.parametrize("number", [*stopping.SIGNALS, signal.SIGKILL], ids=lambda number: number.name)
def test_what_ends_make_ends_what_it_started(number: signal.Signals, tmp_path: Path) -> None:
    (tmp_path / "parent.py").write_text(PARENT.format(child=SLEEPER))
    recipe = f"@AUTODPQ_STARTER=$$PPID@$$(uname -n) exec '{sys.executable}' parent.py"
    (tmp_path / "Makefile").write_text(f"all:\n\t{recipe}\n")
    keys = {**os.environ, "PYTHONPATH": str(ROOT)}
    make = subprocess.Popen(["make", "--no-print-directory"], cwd=tmp_path, env=keys, stdout=subprocess.PIPE, text=True)
    child = psutil.Process(int(make.stdout.readline()))
    make.send_signal(number)
    assert gone(child)
    assert make.wait(15) != 0


def test_what_the_starter_handles_is_read_before_the_thread_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine may let the thread wait, and the starter stop handling a signal meanwhile."""
    given: list[tuple[object, ...]] = []
    monkeypatch.setattr(stopping, "_handled", lambda _: 5)
    monkeypatch.setattr(stopping, "Thread", lambda *, args, **_: given.append(args) or threading.Thread())
    monkeypatch.setenv(STARTER, f"{os.getpid()}@{platform.node()}")
    stopping.stop_with_starter()
    assert given == [(psutil.Process(), psutil.Process(os.getppid()), 5)]


def test_children_are_killed_when_nothing_goes_on() -> None:
    with pytest.raises(TimeoutError, match=r"no progress for 0\.01 minutes"), killed_when_idle(lambda: 0.0, 0.6):
        subprocess.run(SLEEPER, check=True)


def test_children_that_go_on_are_left_alone() -> None:
    with killed_when_idle(time.monotonic, 0.3):
        subprocess.run([sys.executable, "-c", "import time; time.sleep(1)"], check=True)


def test_what_the_block_raises_itself_stays_as_it_is() -> None:
    with pytest.raises(ValueError, match="mine"), killed_when_idle(lambda: 0.0, 10):
        raise ValueError("mine")


def test_a_starter_that_is_no_process_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTODPQ_STARTER", "x@host")
    with pytest.raises(ValueError, match="AUTODPQ_STARTER: expected pid@machine, found 'x@host'"):
        stopping.stop_with_starter()
