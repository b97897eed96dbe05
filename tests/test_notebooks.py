"""The notebooks of the batch from top to bottom at the smoke profile, and what becomes of one that fails."""

from __future__ import annotations

import json
import os
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from papermill.exceptions import PapermillExecutionError
from pictures import pictures

from autodpq_eval.batch import NOTEBOOKS, log_path, notebook_path
from autodpq_eval.layout import LABELS
from autodpq_eval.plans import configure, tables
from autodpq_lib.config import STRATEGIES
from autodpq_runs.record import read_record, record_path
from autodpq_system.paths import ROOT
from scripts import run_notebook

PARAMETERS = {"dataset": "planted", "recipe": "tuned", "seed": 1, "model": "deepfm", "profile": "smoke"}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("suite")


@pytest.fixture(autouse=True)
def one_folder_for_all(shared: Path, own_folders: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTODPQ_RUNS", str(shared / "runs"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def run(strategy: str, shared: Path, notebooks: Path = ROOT / "notebooks", **changed: object) -> int:
    parameters = json.dumps({**PARAMETERS, "strategy": strategy, **changed})
    arguments = ["--parameters", parameters, "--out", str(shared / "out"), "--notebooks", str(notebooks)]
    return run_notebook.main(arguments)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_strategy_notebook_leaves_a_record(strategy: str, shared: Path) -> None:
    assert run(strategy, shared) == 0
    (config,) = tables("planted", "tuned", [1], ["deepfm"], [strategy], "smoke")
    auc = read_record(record_path(shared / "out", config)).test.auc
    first, second, *_ = nbformat.read(notebook_path(shared / "out", config), 4).cells
    titled = f"# {LABELS[strategy]} · DeepFM · planted · recipe tuned · seed 1 · profile smoke · test AUC {auc:.4f}"
    assert first.source == titled
    assert second.source.startswith(f"**{NOTEBOOKS[strategy][:2]} · ")
    assert_pictures_have_a_text(notebook_path(shared / "out", config))


def assert_pictures_have_a_text(path: Path) -> None:
    """Each picture is shown once, with a text that can stand for it."""
    found = pictures(nbformat.read(path, 4))
    assert found
    assert all(len(picture.alt) > 60 for picture in found)
    assert len({picture.png for picture in found}) == len(found), "a picture is shown twice"


@pytest.mark.parametrize(
    ("strategy", "switches"),
    [("budget", {"embedding_dim": 8, "options": {"bytes": 2000}}), ("int-b", {"options": {"bits": 3}})],
)
def test_the_notebook_of_the_rivals_leaves_a_record(strategy: str, switches: dict[str, object], shared: Path) -> None:
    assert run(strategy, shared, switches=switches) == 0
    config = configure("planted", "tuned", strategy, 1, profile="smoke", **switches)
    assert record_path(shared / "out", config).exists()
    assert_pictures_have_a_text(notebook_path(shared / "out", config))


def test_report_reads_the_records_and_shows_what_is_missing(shared: Path) -> None:
    keys = {key: PARAMETERS[key] for key in ("dataset", "recipe", "profile")}
    notebook = ROOT / "notebooks" / "12_report.ipynb"
    where = {"found_in": str(shared / "out"), "tables": str(shared / "out")}
    run_notebook.execute(notebook, {**keys, **where, "seeds": [1, 2]}, shared / "12.ipynb")
    text = json.dumps(nbformat.read(shared / "12.ipynb", 4))
    assert "deepfm-fe-seed2" in text
    assert (shared / "out" / "planted" / "tuned" / "tables" / "table1.csv").exists()
    assert "cannot be judged, runs are missing" in text


@pytest.mark.parametrize(
    ("strategy", "switches"),
    [("grid", {"trials_from": "pretrain"}), ("autodpq", {"second_order": True, "retrain_from": "scratch"})],
)
def test_what_a_student_is_told_to_try_next_runs(strategy: str, switches: dict[str, object], shared: Path) -> None:
    assert run(strategy, shared, switches=switches) == 0


def broken(folder: Path, code: str) -> Path:
    """A notebook in place of FE's that ends in ``code``."""
    folder.mkdir()
    parameters = "\n".join(f"{key} = None" for key in [*PARAMETERS, "switches", "out"])
    cell = new_code_cell(parameters, metadata={"tags": ["parameters"]})
    notebook = new_notebook(cells=[cell, new_code_cell(code)])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, folder / f"{NOTEBOOKS['fe']}.ipynb")
    return folder


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "DeadKernelError"),
        (
            "import sys; sys.exit(0)",
            "deepfm-fe-seed1-profile-smoke-2dd0e6fd.ipynb ended without a valid record: no record",
        ),
        ("'all is well'", "deepfm-fe-seed1-profile-smoke-2dd0e6fd.ipynb ended without a valid record: no record"),
    ],
    ids=["raises", "killed kernel", "sys.exit(0)", "no record"],
)
def test_a_notebook_that_fails_is_a_failed_run_with_its_reason(
    code: str, reason: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run("fe", tmp_path, broken(tmp_path / "notebooks", code)) == 1
    assert reason in capfd.readouterr().err.strip().splitlines()[-1]
    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    (config,) = tables("planted", "tuned", [1], ["deepfm"], ["fe"], "smoke")
    assert nbformat.read(log_path(tmp_path / "out", config).with_suffix(".ipynb"), 4).cells


def test_a_kernel_without_progress_is_ended(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    notebook = broken(tmp_path / "notebooks", "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)")
    given = {"dataset": "planted"}
    with pytest.raises(TimeoutError, match="no progress for"):
        run_notebook.execute(next(notebook.iterdir()), given, tmp_path / "x.ipynb", minutes=0.1)


@pytest.mark.parametrize("key", ["sed", "tau_kd"])
def test_a_misspelt_or_foreign_parameter_is_refused_before_the_notebook_starts(
    key: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_notebook.papermill, "execute_notebook", lambda *_, **__: pytest.fail("it started"))
    assert run("fe", tmp_path, **{key: 1}) == 1
    assert key in capfd.readouterr().err
    assert os.listdir(tmp_path) == []  # noqa: PTH208


def test_a_persons_own_profile_and_kernels_change_nothing(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00.py").write_text("import torch; torch.set_default_dtype(torch.float64)")
    kernel = tmp_path / "jupyter" / "kernels" / "python3"
    kernel.mkdir(parents=True)
    (kernel / "kernel.json").write_text('{"argv": ["false"], "display_name": "x", "language": "python"}')
    (tmp_path / "pythonrc.py").write_text("import torch; torch.set_default_dtype(torch.float64)")
    (tmp_path / "matplotlibrc").write_text("figure.dpi: 7")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("PYTHONSTARTUP", str(tmp_path / "pythonrc.py"))
    monkeypatch.setenv("MATPLOTLIBRC", str(tmp_path / "matplotlibrc"))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    executed = tmp_path / "x.ipynb"
    plain = "torch.ones(1).dtype == torch.float32 and matplotlib.rcParams['figure.dpi'] > 7"
    (source,) = broken(tmp_path / "n", f"import torch, matplotlib; assert {plain}").iterdir()
    before = dict(os.environ)
    run_notebook.execute(source, {}, executed)
    assert executed.exists()
    assert dict(os.environ) == before


def test_an_older_notebook_does_not_stand_beside_a_new_record(tmp_path: Path) -> None:
    executed = tmp_path / "x.ipynb"
    executed.write_text("of an older run")
    with pytest.raises(PapermillExecutionError):
        run_notebook.execute(next(broken(tmp_path / "n", "1 / 0").iterdir()), {}, executed)
    assert not executed.exists()


def test_a_kernel_has_no_port_and_sockets_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ports are taken by others, and anyone here may listen. A socket's path can't be as long as TMPDIR is."""
    usual = tmp_path / ("x" * 120)
    usual.mkdir()
    monkeypatch.setenv("TMPDIR", str(usual))
    monkeypatch.setattr(run_notebook.tempfile, "tempdir", str(usual))
    code = "from ipykernel import get_connection_info; print(get_connection_info())"
    run_notebook.execute(next(broken(tmp_path / "n", code).iterdir()), {}, tmp_path / "x.ipynb")
    told = json.loads(nbformat.read(tmp_path / "x.ipynb", 4).cells[-1].outputs[0].text)
    assert told["transport"] == "ipc"
    assert not Path(told["ip"]).parent.exists()
    assert os.listdir(usual) == []  # noqa: PTH208
