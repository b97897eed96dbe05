"""The seed's spread beside the trials', and AutoDPQ's lead in words."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from autodpq_eval import notebook
from autodpq_eval.lead import Lead, below, lead, lead_between, paper_lead, verdict
from autodpq_eval.spread import at_hand, beside_the_seed, luck, over_seeds, spread_in_words, spreads, wider, yardsticks
from autodpq_eval.tables import build, collect
from autodpq_eval.words import p_in_words
from autodpq_lib.config import RunConfig
from autodpq_runs.record import read_record
from autodpq_system.paths import ROOT

FE = RunConfig(dataset="ml-1m", strategy="fe")
RECORDS = ROOT / "results" / "ml-1m" / "tuned" / "records"


def test_a_record_is_found_where_it_is_and_nowhere_else(tmp_path: Path) -> None:
    assert at_hand(FE, tmp_path) is None
    assert at_hand(FE, tmp_path, "results") == read_record(RECORDS / "deepfm-fe-seed1.json")


def test_the_runs_over_seeds_are_the_committed_ten() -> None:
    expected = {s: read_record(RECORDS / f"deepfm-fe-seed{s}.json").valid.auc for s in range(1, 11)}
    assert {seed: record.valid.auc for seed, record in over_seeds(FE, "results").items()} == expected
    assert dict(yardsticks(FE.model_copy(update={"strategy": "grid"}), "results")) == {
        "FE, 10 seeds, ml-1m": list(expected.values())
    }


def test_rows_are_drawn_around_their_own_mean_with_their_deviation() -> None:
    figure = spreads({"trials": [0.5, 0.7], "seeds": [0.81, 0.82, 0.83]}, "title")
    first, second, _ = figure.axes[0].lines
    assert first.get_xdata() == pytest.approx([-0.1, 0.1])
    assert second.get_xdata() == pytest.approx([-0.01, 0, 0.01])
    said = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert said == [f"trials: sd {np.sqrt(0.02):.4f}", "seeds: sd 0.0100"]
    plt.close(figure)


def row(metric: str, star: str = "", baseline: str | None = "others", p: float = 0.2) -> list[dict[str, object]]:
    base = {"strategy": "others", "metric": metric, "mean": 0.81, "n": 3}
    ours = {
        "strategy": "autodpq",
        "mean": 0.82,
        "baseline": baseline,
        "low": 0.0073,
        "high": 0.0127,
        "p_welch": p,
        "p_paired": p + 0.015,
        "star": star,
    }
    return [base, base | ours]


@pytest.mark.parametrize(
    ("stars", "said"),
    [
        ("**", "holds here"),
        ("* ", "holds in AUC alone"),
        (" *", "holds in logloss alone"),
        ("  ", "does not hold here"),
    ],
)
def test_the_verdict_counts_stars(stars: str, said: str) -> None:
    table = pd.DataFrame(row("auc", stars[0].strip()) + row("logloss", stars[1].strip()))
    assert verdict(table) == said


def test_a_missing_run_is_no_verdict() -> None:
    table = pd.DataFrame(row("auc", "*") + row("logloss", baseline=None))
    assert verdict(table) == "cannot be judged, runs are missing"
    assert lead(table, "logloss") == "not known, for runs are missing"
    assert lead(table, "auc") == "+0.0100 over Others (p = 0.200, starred)"


def test_a_lead_is_positive_where_autodpq_is_better() -> None:
    assert lead(pd.DataFrame(row("logloss")), "logloss") == "-0.0100 over Others (p = 0.200, no star)"
    assert (paper_lead("auc"), paper_lead("logloss")) == pytest.approx((0.0035, 0.0052))


def test_a_p_that_is_not_corrected_is_against_autodpq_and_calls_nothing_worse() -> None:
    """The table's interval is of ours minus theirs; of logloss less is better."""
    table = pd.DataFrame(row("logloss", p=0.026))
    assert lead(table, "logloss") == "-0.0100 over Others (p = 0.026, against it)"
    assert (
        lead_between(table, "logloss")
        == "-0.0100 (-0.0127 to -0.0073) over Others, p = 0.026 (paired 0.041), against it"
    )
    assert lead_between(pd.DataFrame(row("auc", baseline=None)), "auc") == "not known, for runs are missing"


def test_leads_of_one_seed_have_no_interval() -> None:
    table = pd.DataFrame(row("auc", p=float("nan"))).assign(n=1, low=float("nan"), high=float("nan"))
    assert lead_between(table, "auc") == "+0.0100 (–) over Others, no test, no star"


def test_intervals_that_exclude_the_papers_lead_are_counted_and_the_others_named() -> None:
    ends = {"A": (0.002, 0.003), "B": (0.004, 0.003), "C": (0.003, 0.003)}
    leads = {name: (Lead(0.001, 0.0, high, "FE", 0.5, 0.5, "no star"), paper) for name, (high, paper) in ends.items()}
    assert below(leads) == (
        "Of these 3 intervals over the best baseline 1 lie wholly below the paper's lead; the rest: B; C."
    )


@pytest.mark.parametrize(("p", "said"), [(0.0124, "p = 0.012"), (0.0002, "p < 0.001"), (float("nan"), "no test")])
def test_a_small_p_is_not_called_zero(p: float, said: str) -> None:
    assert p_in_words(p) == said


@pytest.mark.parametrize(
    ("stars", "said"),
    [
        (("", ""), "does not hold here"),
        (("*", ""), "holds in AUC alone"),
        (("", "*"), "holds in logloss alone"),
        (("*", "*"), "holds here"),
    ],
)
def test_the_verdict_on_a_table(stars: tuple[str, str], said: str) -> None:
    table = build(collect(1, ROOT / "results", "ml-1m", "tuned", [1, 2, 3]))
    for metric, star in zip(("auc", "logloss"), stars, strict=True):
        table.loc[(table["strategy"] == "autodpq") & (table["metric"] == metric), "star"] = star
    assert verdict(table) == said


def test_luck_of_two_and_nine_is_that_of_the_tables() -> None:
    """The mean of the larger of two standard normals is 1 / sqrt(pi); of nine tables have 1.485."""
    assert luck(2) == pytest.approx(math.pi**-0.5, abs=0.01)
    assert luck(9) == pytest.approx(1.485, abs=0.01)


def test_two_trials_are_as_wide_by_chance_as_student_says() -> None:
    """Of two, F is the square of Student's t: 2.262 with nine degrees of freedom, by the tables of both."""
    assert wider(2, 10) == pytest.approx(2.2622, abs=1e-4)
    assert wider(9, 3) == pytest.approx(19.371**0.5, abs=1e-3)


def test_trials_are_compared_with_seeds_of_the_same_data_and_model_alone(tmp_path: Path) -> None:
    seeds = [read_record(RECORDS / f"deepfm-fe-seed{s}.json").valid.auc for s in range(1, 11)]
    trials, grid = [0.0, float(np.std(seeds, ddof=1)) * np.sqrt(2) * 3], FE.model_copy(update={"strategy": "grid"})
    said = "the spread of the trials is 3.0 times that of FE's 10 seeds; of equal trials"
    assert spread_in_words(trials, grid, tmp_path).startswith(said)
    small = RunConfig(dataset="ml-1m", strategy="grid", profile="smoke")
    assert "No two seeds of FE are at hand on ml-1m" in spread_in_words(trials, small, tmp_path)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is said, and the names of the rows of each picture."""
    found: list[str] = []

    def show(figure: Figure) -> None:
        found.extend(label.get_text() for label in figure.axes[0].get_yticklabels())
        plt.close(figure)

    monkeypatch.setattr(notebook, "say", found.append)
    monkeypatch.setattr(notebook, "show", show)
    return found


def test_trials_stand_beside_the_seeds_with_the_lead_of_the_best(shown: list[str], tmp_path: Path) -> None:
    beside_the_seed([0.80, 0.83, 0.80], "pairs", FE.model_copy(update={"strategy": "grid"}), tmp_path)
    trials, seeds, said = shown
    assert trials == "3 pairs, ml-1m, seed 1: sd 0.0173"
    assert seeds.startswith("FE, 10 seeds, ml-1m: sd 0.00")
    one = np.std([read_record(RECORDS / f"deepfm-fe-seed{s}.json").valid.auc for s in range(1, 11)], ddof=1)
    assert f"The best lies {0.02 / one:.1f} deviations of these seeds above" in said


def test_one_trial_has_no_spread(shown: list[str], tmp_path: Path) -> None:
    beside_the_seed([0.8], "pairs", FE, tmp_path)
    assert shown == ["One trial has no spread."]
