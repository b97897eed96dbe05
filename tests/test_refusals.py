"""One thing is wrong: one clear sentence, a status that is not 0, and nothing left."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import refused_files as files
import yaml
from refused_commands import COMMANDS, ENVIRONMENT, SMALL
from tiny_movielens import isolate
from tqdm import tqdm

from autodpq_data import settings
from autodpq_system.paths import ROOT
from autodpq_system.process import cores
from autodpq_system.sentence import MISFORTUNES, sentence, tell_in_one_sentence


def call(main: Callable[..., int], arguments: list[str], home: Path) -> int:
    return main([argument.replace("HOME", str(home)) for argument in arguments])


def batch_with(name: str, value: str, home: Path) -> int:
    os.environ[name] = value
    return files.batch("avazu" if name == "AUTODPQ_DATA" else "planted")(home)


#: What is wrong -> what is done in an empty folder, and what the sentence says.
CASES: dict[str, files.Case] = {
    **{f"{main.__module__} {shlex.join(given)}": (partial(call, main, given), says) for main, given, says in COMMANDS},
    **{f"{name}={value!r}": (partial(batch_with, name, value), says) for name, value, says in ENVIRONMENT},
    **{f"{kind}, {what}": case for kind, cases in files.KINDS.items() for what, case in cases.items()},
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for data, configuration, runs and records; variables that a case sets are gone after it."""
    monkeypatch.setattr(tqdm, "display", lambda *_, **__: None)  # progress is no sentence
    monkeypatch.setenv("AUTODPQ_THREADS", "1")
    monkeypatch.setattr(settings, "CONFIG", tmp_path / "config")
    for name in ("config", "raw"):
        (tmp_path / name).mkdir()
    for path in (ROOT / "config").glob("*.yaml"):
        shutil.copy(path, tmp_path / "config")
    return isolate(tmp_path, monkeypatch)


def told(do: Callable[[Path], object], home: Path, capfd: pytest.CaptureFixture[str]) -> tuple[object, str]:
    """Status and last words of a command, as a shell would see them."""
    try:
        status, text = do(home), ""
    except MISFORTUNES as error:
        status, text = 1, sentence(error)
    except SystemExit as ended:
        status, text = (ended.code, "") if isinstance(ended.code, int) else (1, str(ended.code))
    return status, (capfd.readouterr().err + text).strip()


def refused(told: tuple[object, str], says: str, home: Path) -> None:
    status, text = told
    assert isinstance(status, int)
    assert status
    assert len(text.splitlines()) == 1, text
    assert re.search(says.replace("HOME", str(home)), text), text
    assert text.isprintable()
    assert "http" not in text
    left = [path for folder in ("out", "runs") for path in (home / folder).rglob("*") if path.is_file()]
    # The first case of a process compiles the functions in C, which is no result.
    assert not [path for path in left if path.name != ".lock" and path.parent.name != "compiled"]


@pytest.mark.parametrize("what", CASES)
def test_what_is_wrong_is_refused_in_one_sentence(what: str, home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    do, says = CASES[what]
    refused(told(do, home, capfd), says, home)


def test_the_table_is_long() -> None:
    assert len(CASES) >= 120


def shell(prefix: str, home: Path, *, interrupted_after: float = 0) -> tuple[int, str]:
    """Status and last words of a batch in a process of its own."""
    command = f"{prefix} exec {shlex.quote(sys.executable)} -m scripts.replicate {shlex.join(SMALL)}"
    process = subprocess.Popen(
        ["sh", "-c", command.replace("HOME", str(home))], cwd=ROOT, stderr=subprocess.PIPE, text=True
    )
    if interrupted_after:
        time.sleep(interrupted_after)
        process.send_signal(signal.SIGINT)
    told = process.communicate(timeout=60)[1].splitlines()
    # Short of memory, an allocator speaks before any Python does.
    return process.returncode, "\n".join(line for line in told if not line.startswith("<jemalloc>")).strip()


@pytest.mark.parametrize("kilobytes", [400_000, 800_000])
def test_too_little_memory_is_told_in_one_sentence(kilobytes: int, home: Path) -> None:
    refused(
        shell(f"ulimit -v {kilobytes};", home),
        "ImportError: .*failed to map|MemoryError|SystemError|Polars binary is missing",
        home,
    )


def test_ctrl_c_is_told_in_one_sentence(home: Path) -> None:
    early = 0.7 * max(1, os.getloadavg()[0] / cores())  # while it imports; a machine with other work takes longer
    refused(shell("", home, interrupted_after=early), "stopped by Ctrl-C", home)


def told_by(code: str, **keys: str) -> tuple[int, str, str]:
    """Status, output and words of a process that tells its errors in one sentence."""
    start = "import autodpq_system.sentence as s; s.tell_in_one_sentence(); "
    done = subprocess.run(
        [sys.executable, "-c", start + code], cwd=ROOT, env={**os.environ, **keys}, capture_output=True, check=False
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_nothing_is_said_to_a_reader_who_has_had_enough() -> None:
    assert told_by("raise BrokenPipeError") == (1, "", "")


def test_a_sign_that_the_terminal_does_not_have_is_no_error() -> None:
    assert told_by("print('AUC \u2191')", PYTHONIOENCODING="ascii") == (0, "AUC ?\n", "")


def test_a_mistake_of_ours_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    tell_in_one_sentence()
    for error in (ZeroDivisionError("ours"), ValueError("theirs")):
        sys.excepthook(type(error), error, None)
    assert capsys.readouterr().err == "ZeroDivisionError: ours\ntheirs\n"


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (PermissionError(13, "Permission denied", "results/x"), "results/x: Permission denied"),
        (OSError(28, "no space left on disk while writing x"), "no space left on disk while writing x"),
        (MemoryError(), "MemoryError: expected more memory than this process may have"),
        (ValueError("two\nlines"), "two"),
        (ValueError("/x/\x1b[2Ja: no"), "/x/ [2Ja: no"),
        (PermissionError(13, "Permission denied", "a\nb"), "a b: Permission denied"),
        (RuntimeError(), "RuntimeError"),
        (KeyError("key"), "KeyError: 'key'"),
    ],
)
def test_errors_become_sentences(error: Exception, says: str) -> None:
    assert sentence(error) == says


def test_yaml_that_is_none_is_told_with_its_line() -> None:
    with pytest.raises(yaml.YAMLError) as caught:
        yaml.safe_load("a: 1\nb: [")
    assert sentence(caught.value).startswith("line 2: expected YAML, found: ")
