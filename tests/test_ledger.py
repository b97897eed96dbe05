"""The rules of the verdicts, and the rows that they are applied to."""

from __future__ import annotations

import pandas as pd
import pytest
import yaml

from autodpq_eval.facts import FACT
from autodpq_eval.ledger import COLUMNS, _mean, _space_number, _with_verdicts, ledger, verdict
from autodpq_eval.paper import FACTS
from autodpq_lib.paths import ROOT


@pytest.mark.parametrize(
    ("ours", "p", "paper", "expected"),
    [
        (0.0020, 0.01, 0.0035, "reproduced"),
        (0.0017, 0.01, 0.0035, "direction only"),  # significant, less than half of the paper's size
        (0.0040, 0.20, 0.0035, "direction only"),
        (-0.0010, 0.20, 0.0035, "not reproduced"),
        (0.0, 0.99, 0.0035, "not reproduced"),
        (-0.0010, 0.01, 0.0035, "contradicted"),
        (0.5, 0.01, float("nan"), "reproduced"),  # the paper gives no size
        (0.0004, 0.01, -0.0012, "reproduced"),  # the paper's own numbers contradict its text
    ],
)
def test_verdict_on_a_comparison(ours: float, p: float, paper: float, expected: str) -> None:
    assert verdict(ours, p, paper) == expected


def test_p_values_are_corrected_over_the_comparisons_of_a_recipe() -> None:
    rows = [{"ours": 1.0, "_p": p, "_paper": 1.0} for p in (0.01, 0.04, 0.03)] + [{"verdict": "missing"}]
    judged = [row["verdict"] for row in _with_verdicts(rows)]
    assert judged == ["reproduced", "direction only", "direction only", "missing"]  # Holm: 0.03, 0.06, 0.06


@pytest.mark.parametrize(
    ("values", "paper", "expected"),
    [
        ({1: 0.8080, 2: 0.8081, 3: 0.8082}, 0.8079, "reproduced"),  # within 0.001
        ({1: 0.80, 2: 0.81, 3: 0.82}, 0.8150, "reproduced"),  # in the interval
        ({1: 0.8180, 2: 0.8181, 3: 0.8182}, 0.8079, "off by +0.0102"),
        ({1: 0.8079}, 0.8079, "missing"),
    ],
)
def test_verdict_on_a_number(values: dict[int, float], paper: float, expected: str) -> None:
    assert _mean(values, [], paper)["verdict"] == expected


def test_space_of_a_decision_that_is_not_published_is_not_judged() -> None:
    assert _space_number("random", "192k", [], {})["verdict"] == "missing"


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return ledger(ROOT / "results")


def test_a_row_a_recipe_for_every_number_plateau_and_claim(table: pd.DataFrame) -> None:
    assert list(table.columns) == COLUMNS
    numbers = len(pd.read_csv(FACTS / "tables.csv"))
    claims = len(yaml.safe_load((FACTS / "claims.yaml").read_text()))
    assert table.groupby("recipe").size().to_dict() == {"paper": numbers + 5 + claims, "tuned": numbers + 5 + claims}
    assert not table.duplicated(["id", "recipe"]).any()
    assert table["verdict"].notna().all()


def test_every_fact_that_is_claimed_is_counted() -> None:
    claimed = {
        claim["fact"] for claim in yaml.safe_load((FACTS / "claims.yaml").read_text()) if claim["kind"] == "fact"
    }
    assert claimed <= set(FACT)


def test_avazus_numbers_wait_for_the_data(table: pd.DataFrame) -> None:
    avazu = table[table["id"].str.startswith("table1-avazu")]
    assert len(avazu) == 2 * 15
    assert avazu["verdict"].str.startswith("can't be tested").all()
