"""Pictures: each with a text, steps as steps, stages one after the other, names beside lines."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from PIL import Image

from autodpq_eval import notebook
from autodpq_eval.best_pair import best_pair
from autodpq_eval.decisions import deciding_epoch, trials
from autodpq_eval.figure3 import apart, mean_curve
from autodpq_eval.figures import candidate_weights, curves
from autodpq_eval.notebook import show
from autodpq_lib.config import RunConfig
from autodpq_runs.record import Record, read_record
from autodpq_system.paths import ROOT

RECORDS = ROOT / "results" / "ml-1m" / "tuned" / "records"


@pytest.fixture(autouse=True)
def no_figure_is_left_open() -> Any:
    yield
    plt.close("all")


def record(strategy: str) -> Record:
    return read_record(Path(RECORDS / f"deepfm-{strategy}-seed1.json"))


def test_a_picture_is_shown_once_with_its_text(monkeypatch: pytest.MonkeyPatch) -> None:
    plt.close("all")
    shown: list[dict[str, str]] = []
    monkeypatch.setattr(notebook, "display", lambda data, raw: shown.append(data))
    figure, _ = plt.subplots()
    show(figure, 'a line that says "up" & on')
    (data,) = shown
    assert data["text/plain"] == 'a line that says "up" & on'
    head, png = data["text/html"].removesuffix('">').split("base64,")
    assert head == ('<img alt="a line that says &quot;up&quot; &amp; on" style="max-width: 100%" src="data:image/png;')
    with Image.open(io.BytesIO(base64.b64decode(png))) as image:
        assert image.mode == "P"
    assert not plt.get_fignums()


def test_trials_begin_with_the_best() -> None:
    run = record("grid")
    table = trials(run)
    assert table["valid_auc"].is_monotonic_decreasing
    assert table["valid_auc"].iloc[0] == run.valid.auc


def test_trainings_after_a_trial_are_no_trials() -> None:
    """Each begins where the trial ended, with its decision."""
    name = "deepfm-grid-seed1-centroids-32-subspaces-4-extra-training-9d1169e3.json"
    run = read_record(ROOT / "results/ml-1m/paper/records" / name)
    (row,) = trials(run).to_dict("records")
    assert row["valid_auc"] == max(run.fits[0].curve["valid_auc"])
    assert best_pair([run]) == (32, 4)


def test_a_trial_counts_with_the_epoch_that_is_scored() -> None:
    name = "deepfm-grid-seed1-protocol-laboratory-centroids-8-subspaces-8-split-laboratory-717b6680.json"
    run = read_record(ROOT / "results/ml-1m/tuned/records" / name)
    assert trials(run)["valid_auc"].tolist() == [run.valid.auc] != [max(run.fits[0].curve["valid_auc"])]


def test_a_picture_without_a_text_is_refused() -> None:
    figure, _ = plt.subplots()
    with pytest.raises(ValueError, match="expected a text"):
        show(figure)


def test_stages_lie_one_after_the_other() -> None:
    run = record("autodpq")
    figure = curves(run, "title")
    drawn = [line.get_xdata() for line in figure.axes[1].lines if len(line.get_xdata()) > 2]
    assert np.concatenate(drawn).tolist() == list(range(1, 1 + sum(log.epochs for log in run.fits)))
    (ring,) = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert ring.get_ydata()[0] == run.valid.auc
    assert "pretrain, search, retrain" in figure.get_label()


def test_of_many_trials_the_chosen_one_alone_is_in_full_colour() -> None:
    run = record("grid")
    full = [line for line in curves(run, "title").axes[1].lines if line.get_alpha() == 1]
    (line,) = full
    assert line.get_ydata().tolist() == next(f for f in run.fits if f.name == run.timeline[-1].fit).curve["train_loss"]


def test_candidate_weights_start_at_zero_beside_1_over_t_and_the_epoch_that_decides() -> None:
    run = record("autodpq")
    figure = candidate_weights(run)
    search = pd.DataFrame(next(log.curve for log in run.fits if log.name == "search"))
    best = int(search["valid_auc"].argmax())
    assert deciding_epoch(search, run.config) == best
    for axis, name in zip(figure.axes, sorted(run.decision), strict=True):
        assert axis.get_ylim()[0] == 0
        level, when = axis.lines[-2:]
        assert set(level.get_ydata()) == {1 / len(run.config.candidates)}
        assert set(when.get_xdata()) == {best + 1}
        (thick,) = [line for line in axis.lines if line.get_linewidth() > 2]
        k, d = run.decision[name]
        assert thick.get_ydata().tolist() == search[f"p/{name}/{k},{d}"].tolist()


@pytest.mark.parametrize(("switches", "epoch"), [({}, 0), ({"search_until": "settled"}, 1), ({"scored": "last"}, 1)])
def test_alpha_is_read_where_the_run_says(switches: dict[str, str], epoch: int) -> None:
    """Even where the best and the last epoch have the same leaders."""
    curve = pd.DataFrame({"valid_auc": [0.7, 0.6], "p/a/8,2": [0.6, 0.7], "p/a/8,4": [0.4, 0.3]})
    config = RunConfig.model_validate({"dataset": "ml-1m", "strategy": "autodpq", **switches})
    assert deciding_epoch(curve, config) == epoch


def test_names_keep_their_distance_and_their_order() -> None:
    assert apart([0.0, 5.0], 1.0) == [0.0, 5.0]
    assert apart([0.0, 0.2, 5.0], 1.0) == pytest.approx([-0.4, 0.6, 5.0])
    crowded = apart([1.0, 1.1, 1.2, 1.9], 0.5)
    assert np.diff(crowded) == pytest.approx([0.5] * 3)


def test_a_mean_curve_steps_where_one_of_its_runs_does() -> None:
    runs = pd.DataFrame({"seed": [1, 1, 2], "t": [0.5, 2.0, 1.0], "auc": [0.6, 0.8, 0.7], "last": 3.0})
    t, mean, sd = mean_curve(runs)
    assert t.tolist() == [1.0, 2.0]  # before 1 seed 2 has no model
    assert mean == pytest.approx([0.65, 0.75])
    assert sd == pytest.approx([0.1 / 2**0.5, 0.1 / 2**0.5])
