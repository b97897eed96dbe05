"""AutoDPQ's lead seed by seed: the numbers of the records, all of them in the picture."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib import pyplot as plt

from autodpq_eval.leads_by_seed import leads, leads_by_seed
from autodpq_eval.paper import table_value
from autodpq_eval.tables import Collected, collect
from autodpq_system.paths import ROOT


@pytest.fixture
def collected() -> dict[str, Collected]:
    return {recipe: collect(2, ROOT / "results", "ml-1m", recipe, [1, 2, 3]) for recipe in ("paper", "tuned")}


def test_a_lead_is_ours_minus_theirs_in_auc_and_the_reverse_in_logloss(collected):
    table = leads_by_seed(collected).set_index(["recipe", "metric", "model", "baseline", "seed"])["lead"]
    assert len(table) == 2 * 2 * 3 * 2 * 3
    of = {(r.config.strategy, r.config.seed): r.test for r in collected["tuned"].records if r.config.model == "pnn"}
    ours, theirs = of["autodpq", 2], of["random", 2]
    assert table["tuned", "auc", "pnn", "random", 2] == pytest.approx(ours.auc - theirs.auc)
    assert table["tuned", "logloss", "pnn", "random", 2] == pytest.approx(theirs.logloss - ours.logloss)


def test_each_lead_is_a_dot_and_the_paper_s_a_bar(collected):
    figure, table = leads(collected, "ml-1m"), leads_by_seed(collected)
    dots = [line for axis in figure.axes for line in axis.lines if line.get_marker() == "o"]
    assert np.concatenate([line.get_ydata() for line in dots]).tolist() == table["lead"].tolist()
    bar = figure.axes[0].lines[1].get_ydata()
    ours, theirs = (table_value("ml-1m", "deepfm", name, "auc") for name in ("autodpq", "others"))
    assert bar == pytest.approx([ours - theirs] * 2)
    assert f"{(table['lead'] < 0).sum()} of {len(table)} dots are below zero" in figure.get_label()
    plt.close(figure)


def test_without_records_there_are_the_paper_s_bars_alone(tmp_path):
    figure = leads({"tuned": collect(2, tmp_path, "ml-1m", "tuned", [1])}, "ml-1m")
    assert "0 of 0 dots" in figure.get_label()
    plt.close(figure)
