"""The examples in docstrings run and print what they say."""

from __future__ import annotations

import doctest
from importlib import import_module

import pytest

#: What a user composes: each has an example.
COMPOSED = {
    "autodpq_lib.embedding.quantiser": "Quantiser",
    "autodpq_lib.embedding.dpq": "DPQ",
    "autodpq_lib.embedding.candidates": "Candidates",
    "autodpq_lib.embedding.full": "Full",
    "autodpq_packed.packed": "Packed",
    "autodpq_packed.grouped": "file_ids",
    "autodpq_budget.width": "width_for",
    "autodpq_lib.models.deepfm": "DeepFM",
    "autodpq_lib.models.pnn": "PNN",
    "autodpq_lib.models.dcn": "DCN",
}


@pytest.mark.parametrize("module", COMPOSED)
def test_the_example_of_what_a_user_composes(module: str) -> None:
    found = import_module(module)
    examples = [test for test in doctest.DocTestFinder().find(found) if test.examples]
    assert f"{module}.{COMPOSED[module]}" in [test.name for test in examples]
    assert doctest.testmod(found).failed == 0
