"""Space: the paper's three numbers, and a small case counted by hand."""

from __future__ import annotations

import math

import pytest
import torch
from conftest import small_config

from autodpq_data.schema import Schema
from autodpq_eval.paper import as_number, numbers, table_value, truncated
from autodpq_lib.models.build import dpq_model, full_model, others_model
from autodpq_lib.space import space

LOW = {"movie": 1033, "genre": 6, "year": 3, "user": 1303, "zip": 505}
SIZES = {
    "movie": 3706, "genre": 301, "year": 81, "user": 6040, "occupation": 21, "age": 7, "gender": 2, "zip": 3402,
}  # fmt: skip


@pytest.fixture
def ml_1m() -> Schema:
    """The sizes and low-frequency counts of MovieLens-1M, without the data."""
    counts = [
        torch.cat([torch.ones(LOW.get(name, 0)), torch.full((n - LOW.get(name, 0),), 99)]) for name, n in SIZES.items()
    ]
    return Schema("ml-1m", tuple(SIZES), tuple(SIZES.values()), torch.cat(counts).long(), 40, "")


def test_movielens_1m_as_in_table_1(ml_1m: Schema) -> None:
    config = small_config()
    full = space(ml_1m, 16, None, full_model(config, ml_1m)).paper
    others = space(ml_1m, 16, None, others_model(config, ml_1m)).paper
    decision = dict.fromkeys(LOW, (8, 8))
    grid = space(ml_1m, 16, decision, dpq_model(config, ml_1m, decision)).paper
    assert (full, others, grid) == (216_960, 171_440, 194_800)
    assert [truncated(n) for n in (full, others, grid)] == ["216k", "171k", "194k"]


def test_a_small_case_by_hand(schema: Schema) -> None:
    """8 kept rows; a: 4 low, (8, 2); c: 2 low, (2, 4)."""
    decision = {"a": (8, 2), "c": (2, 4)}
    model = dpq_model(small_config(), schema, decision)
    found = space(schema, 16, decision, model)
    assert found.paper == 8 * 16 + (4 * 2 + 8 * 16) + (2 * 4 + 2 * 16)
    assert found.bits == 32 * (8 * 16 + 8 * 16 + 2 * 16) + 4 * 2 * 3 + 2 * 4 * 1
    rest = 14 + 1 + (48 * 16 + 16) + (16 * 16 + 16) + (16 + 1)
    assert found.model_bytes == 4 * (8 * 16 + 10 * 16 + rest) + 3 + 1


def test_untied_tables_count_twice(schema: Schema) -> None:
    decision = {"a": (8, 2), "c": (2, 4)}
    model = dpq_model(small_config(tied=False), schema, decision)
    tied, untied = (space(schema, 16, decision, model, tied=tied) for tied in (True, False))
    more = (8 + 2) * 16
    assert untied.paper - tied.paper == more
    assert (untied.bits - tied.bits, untied.model_bytes - tied.model_bytes) == (32 * more, 4 * more)


def test_centroids_in_the_formula_are_the_parameters(schema: Schema) -> None:
    decision = {"a": (8, 2), "c": (2, 4)}
    model = dpq_model(small_config(), schema, decision)
    assert sum(p.numel() for p in model.embedding.quantisers.parameters()) == (8 + 2) * 16


@pytest.mark.parametrize(("space_units", "text"), [(216_960, "216k"), (151_191_120, "151M"), (999_999, "999k")])
def test_space_is_cut_off_not_rounded(space_units: int, text: str) -> None:
    assert truncated(space_units) == text


def test_paper_numbers_are_read() -> None:
    assert as_number("190k") == 190_000
    assert table_value("avazu", "deepfm", "fe", "space") == 151_000_000
    assert table_value("ml-1m", "deepfm", "autodpq", "auc") == 0.8147
    each = numbers().groupby(["dataset", "model", "strategy", "metric"])["value"].nunique()
    assert (each == 1).all()  # what two tables say is the same
    assert math.isnan(table_value("ml-100k", "deepfm", "autodpq", "auc"))
