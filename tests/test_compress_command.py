"""``make compress``: a file below its bytes, and command lines that are refused in a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from autodpq_lib.config import RunConfig
from autodpq_packed.score import PackedModel
from autodpq_runs.explore import load_or_train
from autodpq_runs.record import record_path
from scripts import compress


@pytest.mark.parametrize(("how", "value"), [("--bytes", "7500"), ("--ratio", "0.6"), ("--loss", "0.01")])
def test_a_run_is_compressed_and_told_of(
    how: str, value: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = RunConfig(dataset="planted", strategy="fe", profile="smoke", embedding_dim=8)
    run = load_or_train(config, tmp_path, tmp_path)
    path = tmp_path / "small.safetensors"
    assert compress.main([str(record_path(tmp_path, config)), how, value, "--to", str(path)]) == 0
    said = capsys.readouterr().out
    size = path.stat().st_size
    assert f"small.safetensors: {size:,} bytes" in said
    assert f"test AUC {run.record.test.auc:.4f} -> " in said
    limit = {"--bytes": 7500, "--ratio": 0.6 * compress._uncompressed(run), "--loss": 10**6}[how]
    assert size <= limit
    assert PackedModel(path).score([dict.fromkeys(run.schema.fields, 0)]).shape == (1,)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "one of the arguments --bytes --ratio --loss is required"),
        (["--bytes", "0"], "argument --bytes: expected a whole number of at least 1, found '0'"),
        (["--ratio", "5%"], "argument --ratio: expected a number above 0 and below 1, found '5%'"),
        (["--loss", "1"], "argument --loss: expected a number above 0 and below 1, found '1'"),
        (["--bytes", "9", "--loss", "0.1"], "argument --loss: not allowed with argument --bytes"),
    ],
)
def test_a_command_line_that_is_none_is_refused(
    given: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        compress.main(["record.json", *given])
    assert said in capsys.readouterr().err
