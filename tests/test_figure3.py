"""Figure 3 and the costs, from records made by hand."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from autodpq_eval.again import beside
from autodpq_eval.cost import costs, fe_unit, speed, wall_minutes, whole
from autodpq_eval.figure3 import draw, ends, points, write_figure3
from autodpq_eval.plans import LONG_DRAWS, configure
from autodpq_lib.config import METHOD_VERSION
from autodpq_lib.space import Space
from autodpq_lib.training.metrics import Metrics
from autodpq_runs.curves import FitLog
from autodpq_runs.provenance import Origin, provenance
from autodpq_runs.record import Record, contradictions
from scripts.pages.figure3 import two_trainings


def record(strategy: str, seed: int, fits: dict[str, list[float]], scores: list[float]) -> Record:
    """``fits``: validation AUC of epochs of 2 seconds and 10 steps each; ``scores``: test AUC of each improvement."""
    made = Record(
        identity="x", method_version=METHOD_VERSION[strategy], data_fingerprint="x",
        config=configure("ml-1m", "tuned", strategy, seed),
        valid=metrics(max(list(fits.values())[-1])), test=metrics(scores[-1]), decision=None,
        space=Space(paper=1, bits=1, model_bytes=1),
        fits=[
            FitLog(name=name, decision=None, curve={
                "seconds": [2.0] * len(aucs), "steps": [10.0] * len(aucs),
                "valid_auc": aucs, "valid_logloss": [0.5] * len(aucs),
            })
            for name, aucs in fits.items()
        ],
        scores=[metrics(auc) for auc in scores],
        provenance=provenance(Origin("2024-01-01T00:00:00+00:00", None, None)),
    )  # fmt: skip
    assert not list(contradictions(made))
    return made


def metrics(auc: float) -> Metrics:
    return Metrics(auc=auc, logloss=0.5)


FE = record("fe", 1, {"fit": [0.70, 0.69, 0.75, 0.6, 0.6]}, [0.71, 0.74])
OURS = record(
    "autodpq",
    1,
    {"pretrain": [0.75, 0.75, 0.7, 0.7, 0.7], "search": [0.8, 0.9, 0.8], "retrain": [0.74, 0.76]},
    [0.74, 0.99, 0.73],
)


def test_a_curve_is_the_test_auc_of_the_best_on_validation_so_far() -> None:
    table = points([FE, OURS])
    ours = table[(table["strategy"] == "autodpq") & (table["unit"] == "seconds")]
    assert ours["t"].tolist() == [0.2, 2.0]  # FE takes 10 seconds; the retrain's first epoch is worse on validation
    assert ours["auc"].tolist() == [0.74, 0.73]  # and test falls, since nothing is chosen on test
    assert set(ours["last"]) == {2.0}
    steps = table[(table["strategy"] == "autodpq") & (table["unit"] == "steps")]
    assert steps["t"].tolist() == [10 / 50, 100 / 50]


def test_a_short_pretrain_tells_what_an_epoch_of_fe_takes() -> None:
    short = OURS.model_copy(update={"config": configure("ml-1m", "tuned", "autodpq", 1, pretrain_epochs=2)})
    longer = record("fe", 1, {"fit": [0.7] * 15}, [0.7])
    assert fe_unit(short, [longer], "seconds") == 3 * fe_unit(OURS, [longer], "seconds")  # type: ignore[operator]
    assert fe_unit(short, [], "seconds") is None


def test_a_seed_without_fe_has_no_unit() -> None:
    assert len(points([record("others", 2, {"fit": [0.7]}, [0.7])])) == 0


def test_curves_stop_where_the_runs_end() -> None:
    found = ends(points([FE, OURS]))
    assert found.loc[("seconds", "autodpq")].tolist() == [2.0, 0.73]
    assert found.loc[("steps", "fe")].tolist() == [1.0, 0.74]


def test_the_drawn_line_is_the_mean_over_seeds() -> None:
    other = FE.model_copy(update={"config": configure("ml-1m", "tuned", "fe", 2), "scores": [
        metrics(each.auc + 0.02) for each in FE.scores]})  # fmt: skip
    figure = draw(points([FE, other]), "title")
    (line,) = [line for line in figure.axes[0].lines if line.get_label() == "FE"]
    assert line.get_ydata()[-1] == pytest.approx(0.75)
    assert np.exp(line.get_xdata()[-1]) == pytest.approx(1.0)


def test_files_are_the_same_bytes_again(tmp_path: Path) -> None:
    table = points([FE, OURS])
    for folder in ("1", "2"):
        write_figure3(table, draw(table, "title"), tmp_path / folder)
    for name in ("figure3.csv", "figure3.png", "figure3.svg"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


def test_costs_by_parts_in_fe_trainings() -> None:
    table = costs([FE, OURS])
    assert table.loc["AutoDPQ", "seconds"] == 20
    assert table["seconds, in FE trainings"].to_dict() == pytest.approx(
        {"FE": 1, "AutoDPQ": 2, "AutoDPQ: pretrain": 1, "AutoDPQ: search": 0.6, "AutoDPQ: retrain": 0.4}
    )


def ran(record: Record, started: str, ended: str) -> Record:
    stamps = {"started": f"2024-01-01T00:{started}+00:00", "ended": f"2024-01-01T00:{ended}+00:00"}
    return record.model_copy(update={"provenance": record.provenance.model_copy(update=stamps)})


def test_cost_of_the_whole() -> None:
    both = [ran(FE, "00:00", "01:30"), ran(OURS, "00:00", "03:00")]
    assert whole(both) == pytest.approx((4.5, 270 / 15))


def test_wall_minutes_leave_out_what_no_run_fills() -> None:
    spans = [("20:00", "25:00"), ("00:00", "02:00"), ("01:00", "03:00"), ("01:30", "01:40")]
    assert wall_minutes([ran(FE, *span) for span in spans]) == pytest.approx(8)


def test_the_long_random_is_measured_in_the_fe_of_its_own_batch() -> None:
    def long(strategy: str, epochs: int, stage: str) -> Record:
        made = record(strategy, 1, {stage: [0.7] * epochs}, [0.7])
        return made.model_copy(update={"config": configure("ml-1m", "tuned", strategy, 1, draws=LONG_DRAWS)})

    table = points([FE, long("fe", 2, "fit"), long("random", 20, "trial")])
    seconds = table[table["unit"] == "seconds"].set_index("strategy")
    assert seconds.loc["random", ["t", "last"]].tolist() == [0.5, 10.0]  # 2 and 40 of the 4 seconds that it took here
    assert seconds.loc[["fe"], "last"].tolist() == [1.0, 1.0]  # one curve of FE, its improvements


def test_speed_of_a_fit_by_hand() -> None:
    row = speed([FE]).iloc[0]
    assert (row["fit"], row["steps"], row["seconds"], row["ms a step"]) == ("fit", 50, 10.0, 200.0)
    assert row["samples a second"] == 50 * 2048 / 10


def drawn(commit: str, draws: list[tuple[int, float, float]]) -> SimpleNamespace:
    """A run of Random: of each draw its K, its best validation AUC and its test AUC; the timeline has improvements."""
    best, points, fits = -1.0, [], []
    for n, (k, valid, test) in enumerate(draws):
        fits.append(SimpleNamespace(name=f"trial-{n}", decision={"user": (k, 2)}, curve={"valid_auc": [0.1, valid]}))
        if valid > best:
            best = valid
            auc = {"valid": SimpleNamespace(auc=valid), "test": SimpleNamespace(auc=test)}
            points.append(SimpleNamespace(fit=f"trial-{n}", **auc))
    made = {"config": SimpleNamespace(name=lambda: commit), "provenance": SimpleNamespace(git_commit=commit, cpu="one")}
    return SimpleNamespace(fits=fits, timeline=points, test=points[-1].test, **made)


def test_random_s_curve_is_of_other_trainings_of_the_same_draws() -> None:
    """The long run's third draw, the best of all, is none of Table 1's two."""
    short = drawn("aaaaaaaaa", [(8, 0.70, 0.71), (16, 0.72, 0.74)])
    long = drawn("bbbbbbbbb", [(8, 0.73, 0.75), (16, 0.71, 0.70), (32, 0.78, 0.77)])
    assert beside(short, long) == (0.75, pytest.approx(0.03))
    said = two_trainings([short], [long])
    assert "3 draws in place of 2: it ends at 0.7700, where Table 1's Random has 0.7400" in said
    assert "(by bbbbbbb on one; Table 1's by aaaaaaa on one). After these 2, the draw" in said
    with pytest.raises(ValueError, match="bbbbbbbbb: expected the draws of aaaaaaaaa first, found others"):
        beside(short, drawn("bbbbbbbbb", [(8, 0.7, 0.7), (64, 0.7, 0.7)]))
