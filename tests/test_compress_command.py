"""``make compress``: a file below its bytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from autodpq_budget.other_width import TEACHER_DIM
from autodpq_budget.settings import SHARES
from autodpq_budget.starting_model import file_bytes_of
from autodpq_budget.width import AMPLE, Room, width_for
from autodpq_lib.config import RunConfig
from autodpq_lib.training.metrics import evaluate
from autodpq_packed.module import load
from autodpq_packed.score import PackedModel
from autodpq_runs.explore import load_or_train
from autodpq_runs.record import record_path
from autodpq_system.paths import runs_root
from scripts import compress
from scripts.pages import budget


@pytest.mark.parametrize(
    ("how", "value"), [("--bytes", "7500"), ("--ratio", "0.6"), ("--tables", "5000"), ("--loss", "0.01")]
)
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
    known = path.with_suffix(".vocabulary.json")
    assert f"{known}: {known.stat().st_size:,} bytes" in said
    assert "compressed: the run's own model, X = 8\n" in said
    assert path.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    small = load(path, schema=run.schema)
    aucs = {part: evaluate(small, getattr(run, part)).auc for part in ("valid", "test")}
    assert f"test AUC {run.record.test.auc:.4f} -> {aucs['test']:.4f}" in said
    assert f"validation AUC {run.record.valid.auc:.4f} -> {aucs['valid']:.4f}" in said
    if how == "--loss":
        assert aucs["valid"] >= run.record.valid.auc - 0.01
    limit = {
        "--bytes": 7500,
        "--ratio": 0.6 * file_bytes_of(run.model, run.schema, run.record),
        "--tables": 10**6,
        "--loss": 10**6,
    }[how]
    assert size <= limit
    assert PackedModel(path).score([dict.fromkeys(run.schema.fields, 0)]).shape == (1,)


@pytest.mark.parametrize(("strategy", "options"), [("budget", {"bytes": 30_000}), ("qr", {"collisions": 2})])
def test_what_is_compressed_already_can_be_compressed_further(
    strategy: str, options: dict[str, int], tmp_path: Path
) -> None:
    keys = {"dataset": "planted", "profile": "smoke", "embedding_dim": 8, "strategy": strategy, "options": options}
    config = RunConfig.model_validate(keys)
    load_or_train(config, tmp_path, tmp_path)
    path = tmp_path / "small.safetensors"
    assert compress.main([str(record_path(tmp_path, config)), "--bytes", "9000", "--to", str(path)]) == 0
    assert path.stat().st_size <= 9000


def test_of_a_narrower_model_the_narrower_rows_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = RunConfig(dataset="planted", strategy="fe", profile="smoke", embedding_dim=8)
    load_or_train(config, tmp_path, tmp_path)
    to = ["--width", "4", "--to", str(tmp_path / "small.safetensors")]
    assert compress.main([str(record_path(tmp_path, config)), "--bytes", "100000", *to]) == 0
    said = capsys.readouterr().out
    assert "compressed: an FE that the run's model, X = 8, has taught, X = 4\n" in said
    rows = [line.split() for line in said.splitlines() if "float16" in line]
    assert {bits for cells in rows for bits in cells[cells.index("float16") + 1 :][:1]} == {"64.0"}


def test_each_run_and_budget_has_a_file_of_its_own(tmp_path: Path) -> None:
    """Records of two recipes have one name, and so have two budgets of one run."""
    made = []
    for recipe in ("paper", "tuned"):
        config = RunConfig(dataset="planted", strategy="fe", profile="smoke", embedding_dim=8, recipe=recipe)
        load_or_train(config, tmp_path, tmp_path)
        for ratio in ("0.6", "0.7"):
            assert compress.main([str(record_path(tmp_path, config)), "--ratio", ratio]) == 0
        made.append(sorted(path.name for path in (runs_root() / "compressed" / "planted" / recipe).iterdir()))
    for names in made:
        assert [name for name in names if name.endswith(".safetensors")] == [
            f"{config.name()}-ratio-{ratio}.safetensors" for ratio in ("0.6", "0.7")
        ]
        assert len(names) == 6  # and their vocabularies and pictures


def test_the_table_s_widths_are_those_that_are_chosen_without_being_asked_for() -> None:
    """Of the recipe whose shares README has."""
    rows = budget.data().query("method == 'budget'")
    assert len(rows) == len(SHARES)
    rooms = [Room(share, AMPLE) for share in rows["share"]]
    assert [width_for(lambda _, room=room: room, TEACHER_DIM) for room in rooms] == rows["width"].tolist()


@pytest.mark.parametrize(
    ("how", "value", "said"),
    [("--ratio", "0.00001", r"RATIO, 1e-05 of \d+ bytes: expected"), ("--tables", "3", "TABLES: ")],
)
def test_what_is_refused_is_told_in_the_words_that_were_used(how: str, value: str, said: str, tmp_path: Path) -> None:
    config = RunConfig(dataset="planted", strategy="fe", profile="smoke", embedding_dim=8)
    load_or_train(config, tmp_path, tmp_path)
    with pytest.raises(ValueError, match=f"^{said}"):
        compress.main([str(record_path(tmp_path, config)), how, value, "--to", str(tmp_path / "new" / "m.safetensors")])
    assert not (tmp_path / "new").exists()
