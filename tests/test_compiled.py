"""Runs with C and without are different runs: by identity, in a batch, in a table, and where they are resumed."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import small_config, small_run
from test_tables import PLAN, SEEDS, record

from autodpq_data.schema import Schema
from autodpq_eval.batch import status
from autodpq_eval.request import Request
from autodpq_eval.tables import collect
from autodpq_lib.config import RunConfig
from autodpq_runs.record import Record, record_path, write_record
from scripts import replicate


def made(config: RunConfig, *, compiled: bool | None) -> Record:
    """A valid record of a run with C, without, or of one that does not say."""
    with_c = record(config)
    identity = config.identity(with_c.data_fingerprint, compiled=compiled is not False)
    provenance = with_c.provenance.model_copy(update={"compiled": compiled})
    return with_c.model_copy(update={"identity": identity, "provenance": provenance})


def test_identity_is_the_old_one_with_c_and_another_without() -> None:
    config = small_config()
    assert config.identity("data", compiled=True) == config.identity("data")
    assert config.identity("data", compiled=False) != config.identity("data")


@pytest.mark.parametrize("compiled", [True, False, None])
def test_a_record_must_have_the_identity_of_how_it_was_made(compiled: bool | None) -> None:
    found = made(PLAN[0], compiled=compiled)
    assert found.stale() is None
    provenance = found.provenance.model_copy(update={"compiled": compiled is False})
    assert found.model_copy(update={"provenance": provenance}).stale() == "identity does not match its configuration"


@pytest.mark.parametrize(("compiled", "here"), [(True, True), (None, True), (False, False)])
def test_a_batch_takes_records_that_are_made_as_it_makes_them(
    compiled: bool | None, here: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_record(made(PLAN[0], compiled=compiled), record_path(tmp_path, PLAN[0]))
    monkeypatch.setattr("autodpq_native.available", lambda: here)
    assert status(tmp_path, PLAN[0]).state == "done"
    monkeypatch.setattr("autodpq_native.available", lambda: not here)
    found = status(tmp_path, PLAN[0])
    assert found.record is None
    said = {True: "made with C, and this machine runs without C", False: "made without C, and this machine runs with C"}
    assert (found.state, found.reason) == ("stale", said[here])
    assert status(tmp_path, PLAN[0], anywhere=True).state == "done"


def test_a_batch_replaces_no_record_that_only_the_compiler_makes_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_record(made(PLAN[0], compiled=True), record_path(tmp_path, PLAN[0]))
    request = Request(out=tmp_path)
    monkeypatch.setattr("autodpq_native.available", lambda: True)
    replicate._refuse_other_builds(request, PLAN[:1])
    monkeypatch.setattr("autodpq_native.available", lambda: False)
    with pytest.raises(ValueError, match=r"expected OUT= to name another folder, found a record made with C, and this"):
        replicate._refuse_other_builds(request, PLAN[:1])


def test_a_table_reads_records_from_anywhere_and_never_mixes_the_two(tmp_path: Path) -> None:
    for config in PLAN:
        write_record(made(config, compiled=False), record_path(tmp_path, config))
    assert not collect(1, tmp_path, "ml-1m", "tuned", SEEDS).gaps
    write_record(made(PLAN[0], compiled=True), record_path(tmp_path, PLAN[0]))
    found = collect(1, tmp_path, "ml-1m", "tuned", SEEDS)
    assert [each.config for each in found.records] == [PLAN[0]]
    assert len(found.gaps) == len(PLAN) - 1
    assert found.gaps[0] == f"{PLAN[1].name()}: made without C, and others with it"


def test_a_run_without_c_is_not_resumed_with_it(
    tmp_path: Path, schema: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = small_config()
    identities = set()
    for here in (True, False):
        monkeypatch.setattr("autodpq_native.available", lambda here=here: here)
        identities.add(small_run(tmp_path, schema, config).identity)
    assert identities == {config.identity(schema.fingerprint, compiled=here) for here in (True, False)}
