"""A data set that is registered from outside the package runs like the suite's own, to the end."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from autodpq_data.prepared import load_samples, load_schema, raw_table, vocabulary
from autodpq_data.source import Source
from autodpq_data.sources import SOURCES
from autodpq_lib.config import RunConfig
from autodpq_lib.strategies import STRATEGY
from autodpq_runs.explore import load_run, records
from autodpq_runs.finish import finish
from autodpq_runs.open import open_run

ROWS = 400


def read(files, what):
    """Words of each line, in two blocks: who, what, and how many stars."""
    lines = [line.split() for line in files[0].read_text().splitlines()]
    for part in (lines[:150], lines[150:]):
        yield pl.DataFrame(part, schema=["who", "what", "stars"], orient="row")


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """All that a newcomer writes: where the file is, how it is read, and what is positive."""
    rng = np.random.default_rng(0)
    path = tmp_path / "toy.txt"
    columns = [rng.integers(0, n, ROWS) for n in (30, 6, 5)]
    path.write_text("".join(f"w{who} t{what} {1 + stars}\n" for who, what, stars in zip(*columns, strict=True)))
    source = Source(files=lambda: [path], read=read, positive=pl.col("stars").cast(pl.Int8) > 3)
    monkeypatch.setitem(SOURCES, "toy", source)
    return path


def test_registered_rows_are_prepared_and_split(toy: Path) -> None:
    schema, samples = load_schema("toy", 40), load_samples("toy", "train")
    assert (schema.fields, schema.sizes, len(samples)) == (("who", "what"), (30, 6), 320)
    known = [value for values in vocabulary("toy").values() for value in values]
    who, what, stars = toy.read_text().splitlines()[int(samples.rows[7])].split()
    assert [known[i] for i in samples.ids[7]] == [who, what]
    assert samples.labels[7] == (int(stars) > 3)
    assert raw_table("toy").columns == ["who", "what", "stars"]


@pytest.mark.usefixtures("toy")
@pytest.mark.parametrize("strategy", ["fe", "autodpq"])
def test_a_run_on_it_leaves_a_record_and_a_model(tmp_path: Path, strategy: str) -> None:
    config = RunConfig(dataset="toy", strategy=strategy, profile="smoke", batch_size=64)
    run = open_run(config)
    record = finish(run, STRATEGY[strategy](run), tmp_path / "out")
    assert record.data_fingerprint == load_schema("toy", 40).fingerprint
    again = load_run(record)
    assert len(again.test) == ROWS // 10
    assert records(tmp_path / "out")["dataset"].tolist() == ["toy"]
    assert set(record.decision or {}) == ({"who"} if strategy == "autodpq" else set())


def test_content_that_is_expected_is_checked(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SOURCES, "toy", replace(SOURCES["toy"], sizes={"who": 30, "what": 7}))
    with pytest.raises(ValueError, match=r"toy: expected sizes .*'what': 7}, found .*'what': 6}"):
        load_schema("toy", 40)
