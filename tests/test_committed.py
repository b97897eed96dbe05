"""What a clone carries: records of all runs, executed notebooks of Tables 1 and 2, and the way to the others."""

import io
import re
import shlex
import sys
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
from pictures import pictures
from PIL import Image
from tracked import ignored, tracked

from autodpq_budget.settings import CHOICE_SEED
from autodpq_eval.batch import NOTEBOOKS
from autodpq_eval.controls import control_runs
from autodpq_eval.figure_files import in_palette
from autodpq_eval.plans import configure, tables
from autodpq_lib.config import RECIPES, RunConfig
from autodpq_rivals.rival import FIRST_ORDER
from autodpq_runs.record import read_record
from autodpq_system.paths import ROOT
from scripts import explain, run_notebook
from scripts.explain import again

MEGABYTE = 1_000_000


def executed() -> list[Path]:
    return [path for path in tracked() if re.fullmatch(r"results/.*/notebooks/.*\.ipynb", str(path))]


def test_a_clone_is_small():
    assert sum((ROOT / path).stat().st_size for path in tracked() if (ROOT / path).exists()) < 45 * MEGABYTE


def test_executed_notebooks_are_reports_or_plain_runs_of_the_tables():
    plain = {run.name() for recipe in RECIPES for run in tables("ml-1m", recipe, [1, 2, 3])}
    single = {path.stem for path in executed() if not re.match(r"\d\d_", path.stem)}
    assert single == plain


def test_git_leaves_out_switched_runs_other_seeds_and_failures():
    here = "results/ml-1m/tuned/notebooks"
    kept = [run.name() for run in tables("ml-1m", "tuned", [1, 2, 3])] + ["10_controls", "12_report"]
    others = {run.name() for run in control_runs("ml-1m", "tuned")} - set(kept)
    others |= {configure("ml-1m", "tuned", "fe", 10).name(), "failed-deepfm-fe-seed1"}
    names = [f"{here}/{name}.ipynb" for name in [*kept, *sorted(others)]]
    assert ignored(names) == {f"{here}/{name}.ipynb" for name in others}


def test_pictures_of_executed_notebooks_have_a_text_and_a_palette():
    for path in executed():
        for alt, png in pictures(nbformat.read(ROOT / path, as_version=4)):
            assert len(alt) > 60, path
            assert Image.open(io.BytesIO(png)).mode == "P", path


def test_a_palette_changes_no_colour_that_an_eye_could_tell_from_its_own():
    across, down = np.meshgrid(np.arange(64), np.arange(64))
    original = Image.fromarray(np.stack([across * 4, down * 4, across + down], -1).astype(np.uint8))
    with Image.open(io.BytesIO(in_palette(original))) as found:
        assert found.size == original.size
        assert np.abs(np.asarray(found.convert("RGB")).astype(int) - np.asarray(original)).max() < 40


def test_what_explain_prints_runs_the_same_configuration_again(monkeypatch):
    begun = []
    monkeypatch.setattr(run_notebook, "execute", lambda *given, **_: begun.append(given))
    for run in [run for run in control_runs("ml-1m", "paper") if run.seed == 2]:
        words = shlex.split(again(run))
        assert words[:3] == [sys.executable, "-m", "scripts.run_notebook"]
        run_notebook.main(words[3:])
        notebook, given, path = begun.pop()
        assert (notebook.stem, path.stem, given.pop("out")) == (NOTEBOOKS[run.strategy], run.name(), "runs/mine")
        assert RunConfig.model_validate({"strategy": run.strategy, **given.pop("switches"), **given}) == run


def test_explain_says_once_what_the_seeds_of_a_row_share(monkeypatch):
    said: list[str] = []
    monkeypatch.setattr(explain, "say", said.append)
    explain.main(["autodpq-fe-auc"])
    rows = pd.read_csv(ROOT / "results" / "ml-1m" / "ledger.csv").query("id == 'autodpq-fe-auc'")
    seeds = re.findall(r"records/\S+\.json \(seeds ([\d, ]+)\)", text := "".join(said))
    assert sum(len(each.split(", ")) for each in seeds) == rows["records"].str.split().str.len().sum()
    assert all(row in text for row in rows["verdict"])
    assert text.count("commit ") == len(seeds) <= 4 * len(rows)


def test_the_settings_of_a_method_were_tried_on_one_kind_of_processor():
    """As the page of equal bytes says: only the best of them is run on other seeds."""
    kinds = {}
    for recipe in RECIPES:
        for path in (ROOT / "results" / "ml-1m" / recipe / "records").glob(f"*-seed{CHOICE_SEED}[.-]*"):
            record = read_record(path)
            control = any(key.startswith(FIRST_ORDER) for key in record.config.options)
            kinds.setdefault((recipe, record.config.strategy, control), set()).add(record.provenance.cpu)
    assert len(kinds) > 10
    assert all(len(cpus) == 1 for cpus in kinds.values()), kinds
