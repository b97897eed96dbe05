"""Tables 1 and 2 from records: numbers, gaps, stars, and its three forms."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from scipy.stats import t as student

from autodpq_eval.layout import as_latex, as_markdown, layout, styled, titled, write_table
from autodpq_eval.plans import tables
from autodpq_eval.tables import COLUMNS, Collected, build, collect, read_plan, read_plans
from autodpq_lib.config import METHOD_VERSION, RunConfig
from autodpq_lib.space import Space
from autodpq_lib.training.metrics import Metrics
from autodpq_runs.curves import FitLog
from autodpq_runs.provenance import Origin, provenance
from autodpq_runs.record import Record, read_record, record_path, write_record

SEEDS = (1, 2, 3)
AUC = {"fe": 0.8079, "others": 0.8098, "grid": 0.8111, "random": 0.8112, "autodpq": 0.8147}
LOGLOSS = {"fe": 0.5239, "others": 0.5216, "grid": 0.5251, "random": 0.5193, "autodpq": 0.5141}
PLAN = tables("ml-1m", "tuned", SEEDS, ["deepfm"])
FINGERPRINT = "ed0b1d70c0f37f70fb562b43bd590247cf5380e71dc7907d29468a2df440a97c"


def record(config: RunConfig, data: str = FINGERPRINT, logloss: dict[str, float] = LOGLOSS) -> Record:
    shift = 0.0002 * (config.seed - 2)
    metrics = Metrics(auc=AUC[config.strategy] + shift, logloss=logloss[config.strategy] - shift)
    tested = metrics.model_copy()
    curve = {"seconds": 1.0, "steps": 1.0, "valid_auc": metrics.auc, "valid_logloss": metrics.logloss}
    return Record(
        identity=config.identity(data),
        method_version=METHOD_VERSION[config.strategy],
        data_fingerprint=data,
        config=config,
        valid=metrics,
        test=tested,
        decision=None,
        space=Space(paper=190_900, bits=1, model_bytes=1),
        fits=[FitLog(name="fit", decision=None, curve={column: [value] for column, value in curve.items()})],
        scores=[tested],
        provenance=provenance(Origin("2024-01-01T00:00:00+00:00", None, None)),
    )


@pytest.fixture
def out(tmp_path: Path) -> Path:
    for config in PLAN:
        write_record(record(config), record_path(tmp_path, config))
    return tmp_path


def of(out: Path, number: int = 1) -> Collected:
    return collect(number, out, "ml-1m", "tuned", SEEDS)


def row(table: pd.DataFrame, strategy: str, metric: str) -> pd.Series:
    return table[(table["strategy"] == strategy) & (table["metric"] == metric)].iloc[0]


def test_means_spreads_and_the_papers_numbers(out: Path) -> None:
    table = build(of(out))
    assert list(table.columns) == COLUMNS
    assert len(table) == 15
    found = row(table, "grid", "auc")
    assert found["mean"] == pytest.approx(0.8111, abs=1e-12)
    assert found["sd"] == pytest.approx(0.0002, abs=1e-12)
    assert (found["n"], found["paper"]) == (3, 0.8111)


def test_autodpq_is_compared_with_the_best_baseline_of_each_metric(out: Path) -> None:
    table = build(of(out))
    auc, logloss = row(table, "autodpq", "auc"), row(table, "autodpq", "logloss")
    assert (auc["baseline"], logloss["baseline"]) == ("random", "random")
    assert f"{auc['rel_improv']:.2%} {logloss['rel_improv']:.2%}" == "0.43% 1.00%"
    assert (auc["star"], logloss["star"]) == ("*", "*")
    assert table[table["strategy"] != "autodpq"]["star"].isna().all()


def test_the_interval_is_welchs_of_ours_minus_the_best_baseline(out: Path) -> None:
    """Both have deviation s over three runs: four degrees of freedom, and a half of t times s root 2/3."""
    table = build(of(out))
    for metric in ("auc", "logloss"):
        ours, best = (row(table, name, metric) for name in ("autodpq", "random"))
        assert ours["sd"] == pytest.approx(best["sd"], abs=1e-12)
        half, gap = student.ppf(0.975, 4) * ours["sd"] * (2 / 3) ** 0.5, ours["mean"] - best["mean"]
        assert [ours["low"], ours["high"]] == pytest.approx([gap - half, gap + half], abs=1e-9)


def test_a_missing_record_is_named_and_its_test_refuses(out: Path) -> None:
    gone = record_path(out, PLAN[-1])
    gone.unlink()
    collected = of(out)
    assert collected.gaps == ["deepfm-autodpq-seed3: no record"]
    found = row(build(collected), "autodpq", "auc")
    assert found["n"] == 2
    assert found["baseline":"star"].isna().all()


@pytest.mark.parametrize("gone", ["random", "grid", "fe"])
def test_no_star_while_a_baseline_is_missing(out: Path, gone: str) -> None:
    """The missing run could have been the best baseline's."""
    record_path(out, next(config for config in PLAN if config.strategy == gone)).unlink()
    found = row(build(of(out)), "autodpq", "auc")
    assert found["baseline":"star"].isna().all()


def test_a_record_of_another_configuration_is_not_the_run(out: Path) -> None:
    """A record copied over another, or made before the data set's YAML was edited."""
    record_path(out, PLAN[2]).write_text(record_path(out, PLAN[1]).read_text())
    edited = [config.model_copy(update={"threshold": 30}) for config in PLAN[:1]]
    write_record(record(PLAN[0]), record_path(out, edited[0]))
    said = "record is of another configuration"
    assert of(out).gaps == [f"deepfm-fe-seed3: {said}: seed: expected 3, found 2"]
    assert read_plan(out, edited)[1][0].endswith(f"{said}: threshold: expected 30, found {PLAN[0].threshold}")


def test_plans_that_are_compared_do_not_mix_runs_with_c_and_without(out: Path) -> None:
    """FE's were made with C here, and Others' without it."""
    plans = {name: tables("ml-1m", "tuned", SEEDS, ["deepfm"], [name]) for name in ("fe", "others")}
    assert {name: len(records) for name, records in read_plans(out, plans).items()} == {"fe": 3, "others": 3}
    for config in plans["others"]:
        record = read_record(path := record_path(out, config))
        identity = config.identity(record.data_fingerprint, compiled=False)
        origin = record.provenance.model_copy(update={"compiled": False})
        write_record(record.model_copy(update={"identity": identity, "provenance": origin}), path)
    assert {name: len(records) for name, records in read_plans(out, plans).items()} == {"fe": 3, "others": 0}


def test_a_strategy_without_records_shows_as_missing(out: Path) -> None:
    for config in PLAN:
        if config.strategy == "grid":
            record_path(out, config).unlink()
    assert layout(build(of(out))).loc["AUC ↑", "Grid"] == "missing"


def test_records_of_an_older_method_or_other_data_are_named_and_left_out(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_record(record(PLAN[0], data="elsewhere"), record_path(out, PLAN[0]))
    monkeypatch.setitem(METHOD_VERSION, "others", 2)
    gaps = of(out).gaps
    assert gaps[0].startswith("deepfm-fe-seed1: made from data elsewhere, which are ed0b1d70c0f3 now")
    assert gaps[1] == "deepfm-others-seed1: method version 1 of others, now 2"
    assert len(gaps) == 4


def test_the_three_forms_say_the_same(out: Path) -> None:
    table = build(of(out))
    write_table(table, out / "tables", "table1")
    read = pd.read_csv(out / "tables" / "table1.csv")
    assert list(read.columns) == COLUMNS
    assert row(read, "autodpq", "auc")["mean"] == pytest.approx(0.8147)
    assert (out / "tables" / "table1.md").read_text() == as_markdown(table)
    assert r"<ins>0.8112 ± 0.0002</ins>" in as_markdown(table)
    assert r"0.8147\* ± 0.0002" in as_markdown(table)
    assert r"\underline{0.8112 $\pm$ 0.0002}" in as_latex(table)
    assert "<ins>0.8112" in styled(table, "caption").to_html()
    assert "190k" in as_markdown(table)


def test_tables_of_generated_rows_say_so(out: Path) -> None:
    table = build(collect(1, out, "ml-1m", "tuned", SEEDS)).assign(dataset="avazu-standin")
    write_table(table, out / "tables", "table1")
    assert (out / "tables" / "table1.md").read_text().startswith("STAND-IN: generated rows, no result\n\n| ")
    assert (out / "tables" / "table1.tex").read_text().startswith("% STAND-IN")
    assert titled("avazu-standin") == "avazu-standin (STAND-IN: generated rows, no result)"
    assert titled("ml-1m") == "ml-1m"


def test_table_2_compares_each_model_with_its_own_baselines(out: Path) -> None:
    """DCN of the paper: the best logloss is Others', the best AUC Random's."""
    for config in tables("ml-1m", "tuned", SEEDS, ["pnn", "dcn"]):
        logloss = LOGLOSS | ({"others": 0.5186} if config.model == "dcn" else {})
        write_record(record(config, logloss=logloss), record_path(out, config))
    table = build(of(out, 2))
    assert len(table) == 3 * 3 * 3
    ours = table[table["strategy"] == "autodpq"].set_index(["model", "metric"])["baseline"]
    assert ours["dcn", "logloss"] == "others"
    assert ours["dcn", "auc"] == ours["pnn", "logloss"] == "random"
    shown = layout(table)
    assert list(shown.index[:3]) == ["DeepFM AUC ↑", "DeepFM AUC ↑, the paper", "DeepFM Logloss ↓"]
    assert shown.loc["DCN AUC ↑, the paper", "AutoDPQ"] == "0.8140"
