"""Command lines and environments with one thing wrong: one clear sentence, a status that is not 0, and nothing left."""

from __future__ import annotations

import json
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from autodpq_system.paths import ROOT
from autodpq_system.sentence import MISFORTUNES, sentence, tell_in_one_sentence
from scripts import explain, replicate, report, run_notebook

FE = {"dataset": "planted", "strategy": "fe", "profile": "smoke"}


def parameters(**changed: object) -> list[str]:
    return ["--out", "OUT", "--parameters", json.dumps({**FE, **changed})]


def request(**changed: object) -> list[str]:
    return [json.dumps({"dataset": "planted", "out": "OUT", **changed})]


SMALL = ["--dataset=planted", "--profile=smoke", "--out=OUT"]
#: Command, its arguments (OUT is an empty folder), and what its sentence says.
COMMANDS: list[tuple[Callable[[], int], list[str], str]] = [
    (replicate.main, ["--dataset=nope"], "dataset: expected one of avazu, .*, found 'nope'"),
    (replicate.main, ["--dataset="], "dataset: expected one of .*, found ''"),
    (replicate.main, ["--dataset=../config/planted"], "dataset: expected one of .*, found '../config/planted'"),
    (replicate.main, ["--dataset=planted.yaml"], "dataset: expected one of .*, found 'planted.yaml'"),
    (replicate.main, ["--dataset=Planted"], "dataset: expected one of .*, found 'Planted'"),
    (replicate.main, [*SMALL, "--recipe=tunned"], "recipe: expected 'paper' or 'tuned', found 'tunned'"),
    (replicate.main, [*SMALL, "--recipe="], "recipe: expected 'paper' or 'tuned', found ''"),
    (replicate.main, [*SMALL, "--recipe"], "--recipe: expected one argument"),
    (replicate.main, [*SMALL, "--part=table"], "part: expected one of tables, .*, found 'table'"),
    (replicate.main, [*SMALL, "--part="], "part: expected one of tables, .*, found ''"),
    (replicate.main, ["--part=seeds", "--dataset=planted", "--out=OUT"], "expected Grid's records of Table 1, found"),
    (replicate.main, [*SMALL, "--profile=ful"], "profile: expected 'full', 'smoke' or 'one-pass', found 'ful'"),
    (replicate.main, ["--part=figure3", "--profile=smoke"], "profile: expected only with part tables, found it with"),
    (replicate.main, ["--part=figure3", "--models=dcn"], "models: expected only with part tables, found it with"),
    (replicate.main, ["--part=controls", "--strategies=fe"], "strategies: expected only with part tables, found it"),
    (replicate.main, [*SMALL, "--models", "fm"], "model: expected 'deepfm', 'pnn' or 'dcn', found 'fm'"),
    (replicate.main, [*SMALL, "--models", "dcn", "fm"], "model: expected 'deepfm', 'pnn' or 'dcn', found 'fm'"),
    (replicate.main, [*SMALL, "--models=DCN"], "model: expected 'deepfm', 'pnn' or 'dcn', found 'DCN'"),
    (replicate.main, [*SMALL, "--strategies=atodpq"], "strategies: expected some of fe, .*, found 'atodpq'"),
    (replicate.main, [*SMALL, "--strategies", "fe", "griid"], "strategies: expected some of fe, .*, found 'griid'"),
    (replicate.main, [*SMALL, "--strategies=fe,grid"], "strategies: expected some of fe, .*, found 'fe,grid'"),
    (replicate.main, [*SMALL, "--seeds", "-1"], "seeds.0: expected greater than or equal to 0, found '-1'"),
    (replicate.main, [*SMALL, "--seeds", "1", "x"], "seeds.1: expected a valid integer, .*, found 'x'"),
    (
        replicate.main,
        [*SMALL, "--seeds=1.5"],
        "seeds.0: expected a valid integer, .*, found '1.5'",
    ),
    (
        replicate.main,
        [*SMALL, "--seeds=1,2"],
        "seeds.0: expected a valid integer, .*, found '1,2'",
    ),
    (replicate.main, [*SMALL, "--seeds=2 2"], r"seeds: expected one or more different ones, found \[2, 2\]"),
    (replicate.main, [*SMALL, "--seeds="], r"seeds: expected one or more different ones, found \[\]"),
    (replicate.main, [*SMALL, "--seeds"], "--seeds: expected at least one argument"),
    (replicate.main, [*SMALL, "--out="], "out: expected a folder without braces and line breaks in its name, found ''"),
    (replicate.main, [*SMALL, "--out= "], "out: expected a folder .*, found ' '"),
    (replicate.main, [*SMALL, "--out={name}"], "out: expected a folder .*, found '{name}'"),
    (replicate.main, [*SMALL, "--out=a\nb"], r"out: expected a folder .*, found 'a\\nb'"),
    (replicate.main, [*SMALL, "--out=README.md"], "README.md/planted/tuned: Not a directory"),
    (replicate.main, [*SMALL, "--out=/proc/nowhere"], "proc/nowhere: No such file or directory"),
    (replicate.main, [*SMALL, "--jobs=0"], "--jobs: expected a whole number of at least 1, found '0'"),
    (replicate.main, [*SMALL, "--jobs=-2"], "--jobs: expected a whole number of at least 1, found '-2'"),
    (replicate.main, [*SMALL, "--jobs=two"], "--jobs: expected a whole number of at least 1, found 'two'"),
    (replicate.main, [*SMALL, "--jobs="], "--jobs: expected a whole number of at least 1, found ''"),
    (replicate.main, [*SMALL, "--executor=slrum"], "--executor: invalid choice: 'slrum'"),
    (replicate.main, [*SMALL, "--plan=yes"], "--plan: ignored explicit argument 'yes'"),
    (replicate.main, [*SMALL, "--dry-run"], "unrecognized arguments: --dry-run"),
    (replicate.main, [*SMALL, "fe"], "unrecognized arguments: fe"),
    (replicate.main, [*SMALL, "--gaps=1"], "unrecognized arguments: --gaps=1"),
    (run_notebook.main, [], "the following arguments are required: --parameters, --out"),
    (run_notebook.main, parameters()[2:], "the following arguments are required: --out"),
    (run_notebook.main, ["--out=OUT", "--parameters={"], "--parameters: expected a JSON object, found '{'"),
    (run_notebook.main, ["--out=OUT", "--parameters=[1]"], "--parameters: expected a JSON object, found '\\[1\\]'"),
    (run_notebook.main, parameters(strategy="fa"), "strategy: expected one of fe, .*, found fa"),
    (run_notebook.main, parameters(seed=-3), "seed: expected greater than or equal to 0, found -3"),
    (run_notebook.main, parameters(sead=3), "sead: Extra inputs are not permitted, found 3"),
    (run_notebook.main, parameters(switches={"tau": 1}), "tau: Extra inputs are not permitted, found 1"),
    (run_notebook.main, parameters(switches={"threshold": -1}), "threshold: expected greater than or equal"),
    (run_notebook.main, parameters(switches={"subspaces": [3]}), "subspaces: expected divisors of embedding_dim 16"),
    (run_notebook.main, parameters(switches={"dropout": 1}), "dropout: expected less than 1, found 1"),
    (run_notebook.main, [*parameters(), "--minutes=0"], "--minutes: expected a whole number of at least 1, found '0'"),
    (report.main, [], "the following arguments are required: request"),
    (report.main, ["{"], "Invalid JSON: .*, found '{'"),
    (report.main, request(part="x"), "part: expected one of tables, .*, found 'x'"),
    (report.main, request(seeds=[]), r"seeds: expected one or more different ones, found \[\]"),
    (report.main, request(nope=1), "nope: Extra inputs are not permitted, found 1"),
    (explain.main, [], "the following arguments are required: claim"),
    (explain.main, ["nope"], "CLAIM: expected an id of results/ml-1m/ledger.csv, found 'nope'"),
]
#: Variable, value, and what the sentence of a small batch says.
ENVIRONMENT = [
    ("AUTODPQ_THREADS", "x", "AUTODPQ_THREADS: expected a whole number of at least 1, found 'x'"),
    ("AUTODPQ_THREADS", "0", "AUTODPQ_THREADS: expected a whole number of at least 1, found '0'"),
    ("AUTODPQ_THREADS", "-1", "AUTODPQ_THREADS: expected a whole number of at least 1, found '-1'"),
    ("AUTODPQ_THREADS", "1.5", "AUTODPQ_THREADS: expected a whole number of at least 1, found '1.5'"),
    ("AUTODPQ_RUNS", "", "AUTODPQ_RUNS: expected a folder without braces and line breaks in its name, found ''"),
    ("AUTODPQ_RUNS", "a{b}", "AUTODPQ_RUNS: expected a folder .*, found 'a{b}'"),
    ("AUTODPQ_RUNS", str(ROOT / "README.md"), "README.md/.*: Not a directory"),
    ("AUTODPQ_RUNS", "/proc/nowhere", "/proc/nowhere.*: No such file or directory"),
]


def told(main: Callable[[], int], arguments: list[str], capfd: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Status and last words of a command, as a shell would see them."""
    try:
        status = main(arguments)
    except MISFORTUNES as error:
        status, text = 1, sentence(error)
    except SystemExit as ended:
        status, text = (ended.code, "") if isinstance(ended.code, int) else (1, str(ended.code))
    else:
        text = ""
    return status, (capfd.readouterr().err + text).strip()


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def refused(told: tuple[int, str], says: str, out: Path) -> None:
    status, text = told
    assert status not in (0, None)
    assert len(text.splitlines()) == 1, text
    assert re.search(says, text), text
    assert "http" not in text
    assert not [path for path in out.rglob("*") if path.is_file() and path.name != ".lock"]


@pytest.mark.parametrize(("main", "arguments", "says"), COMMANDS)
def test_a_bad_command_line_is_refused_in_one_sentence(
    main: Callable[..., int], arguments: list[str], says: str, out: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    given = [argument.replace("OUT", str(out)) for argument in arguments]
    refused(told(main, given, capfd), says.replace("OUT", str(out)), out)


@pytest.mark.parametrize(("name", "value", "says"), ENVIRONMENT)
def test_a_bad_variable_is_refused_in_one_sentence(
    name: str, value: str, says: str, out: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    refused(told(replicate.main, [*SMALL, f"--out={out}"], capfd), says, out)


def shell(prefix: str, out: Path, *, interrupted_after: float = 0) -> tuple[int, str]:
    """Status and last words of a batch in a process of its own."""
    command = f"{prefix} exec {shlex.quote(sys.executable)} -m scripts.replicate {shlex.join(SMALL)}"
    process = subprocess.Popen(
        ["sh", "-c", command.replace("OUT", str(out))], cwd=ROOT, stderr=subprocess.PIPE, text=True
    )
    if interrupted_after:
        time.sleep(interrupted_after)
        process.send_signal(signal.SIGINT)
    return process.wait(60), process.stderr.read().strip()


@pytest.mark.parametrize("kilobytes", [400_000, 800_000])
def test_too_little_memory_is_told_in_one_sentence(kilobytes: int, out: Path) -> None:
    refused(shell(f"ulimit -v {kilobytes};", out), "ImportError: .*failed to map|MemoryError", out)


def test_ctrl_c_is_told_in_one_sentence(out: Path) -> None:
    refused(shell("", out, interrupted_after=0.7), "stopped by Ctrl-C", out)


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
        (MemoryError(), "MemoryError"),
        (ValueError("two\nlines"), "two"),
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
