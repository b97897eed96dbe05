"""AUC against bytes from records: what is a row, its bytes, the paired difference, and the picture's text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from scipy import stats

from autodpq_budget import at_equal_bytes
from autodpq_system.paths import ROOT

#: Two methods, two seeds.
FOUND = pd.DataFrame(
    [
        {"method": "fe", "width": 16, "seed": 1, "share": 1.0, "bytes": 1000, "valid": 0.8, "auc": 0.80},
        {"method": "fe", "width": 16, "seed": 2, "share": 1.0, "bytes": 1000, "valid": 0.8, "auc": 0.82},
        {"method": "budget", "width": 8, "seed": 1, "share": 0.5, "bytes": 500, "valid": 0.7, "auc": 0.79},
        {"method": "budget", "width": 8, "seed": 2, "share": 0.5, "bytes": 480, "valid": 0.7, "auc": 0.80},
        {"method": "budget", "width": 16, "seed": 1, "share": 0.5, "bytes": 490, "valid": 0.9, "auc": 0.78},
    ]
)


def test_differences_are_paired_by_seed() -> None:
    rows = at_equal_bytes.table(FOUND).set_index(["method", "width"])
    row = rows.loc["budget", 8]
    gaps = np.array([0.79 - 0.80, 0.80 - 0.82])
    assert row["difference"] == pytest.approx(gaps.mean())
    assert row["half"] == pytest.approx(stats.t.ppf(0.975, 1) * gaps.std(ddof=1) / np.sqrt(2))
    assert (row["bytes"], row["n"]) == (490, 2)
    assert np.isnan(rows.loc["budget", 16]["half"])


def test_the_best_width_is_that_on_validation_where_all_seeds_have_it() -> None:
    assert set(at_equal_bytes.best(FOUND).query("method == 'budget'")["width"]) == {8}
    both = pd.concat([FOUND, FOUND.iloc[[4]].assign(seed=2)])
    assert set(at_equal_bytes.best(both).query("method == 'budget'")["width"]) == {16}


def test_committed_runs_keep_to_their_budget() -> None:
    found = at_equal_bytes.runs(ROOT / "results", "ml-1m", "tuned", [1])
    assert (found.loc[found["method"] == "fe", "bytes"] == 4 * 13_560 * 17).all()
    ours = found[found["method"] == "budget"]
    assert len(ours)
    assert (ours["bytes"] <= ours["share"] * 4 * 13_560 * 17).all()


def test_no_records_are_no_rows(tmp_path: Path) -> None:
    assert at_equal_bytes.runs(tmp_path, "ml-1m", "tuned", [1]).empty


def test_the_picture_has_a_text() -> None:
    figure = at_equal_bytes.draw(at_equal_bytes.table(FOUND))
    assert "budget 490 bytes 0.7950" in figure.get_label()
    plt.close(figure)
