"""README and the pages beside what they describe: their numbers, links, paths and commands."""

import importlib.util
import json
import re
import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib import pyplot as plt
from PIL import Image
from tiny_movielens import ML_100K, expect, isolate, write_lines
from tracked import tracked

from autodpq_data.prepared import vocabulary
from autodpq_eval.batch import TABLE_SEEDS
from autodpq_lib.config import RECIPES
from autodpq_packed.module import load
from autodpq_packed.plain import PlainTables
from autodpq_runs import explore, finish
from autodpq_system.paths import ROOT
from benchmarks import fine_tuning
from scripts import readme
from scripts.pages import committed, conditions, controls, equal_bytes
from scripts.pages.picture import Picture

PAGES = sorted({*readme.PAGES, *(str(path.relative_to(ROOT)) for path in ROOT.glob("[!.]*/README.md"))})


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def anchors(page: Path) -> set[str]:
    """The headings of a page, as GitHub names them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_pages_and_pictures_agree_with_the_records():
    assert [*readme.stale_pages(), *readme.stale_pictures()] == [], "run `make readme`"


def test_the_last_stage_of_fine_tuning_has_the_bits_of_the_compressors_runs():
    rows = pd.DataFrame(fine_tuning.read_measures("fine_tuning")["rows"])
    runs = equal_bytes.found("tuned").query("method == 'budget' and control == ''").rename(columns={"width": "X"})
    both = rows.merge(runs, on=["seed", "share", "X"], validate="1:1")
    assert len(both) == len(rows) == len(TABLE_SEEDS) * len(fine_tuning.SHARES)
    assert both["fine-tuned, codes move"].tolist() == both["auc"].tolist()


def test_readme_is_short():
    assert len(text_of("README.md").splitlines()) <= 190


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    files = {str(entry) for path in tracked() for entry in (path, *path.parents)}
    for link in re.findall(r"\]\(([^)\s]+)\)", text_of(page)):
        if re.match(r"https?:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (ROOT / page).parent / name if name else ROOT / page
        assert str(target.resolve().relative_to(ROOT)) in files, f"{page}: dead link {link}"
        assert not anchor or anchor in anchors(target), f"{page}: no heading for {link}"


@pytest.mark.parametrize("page", PAGES)
def test_pictures_have_an_alternative_text(page):
    assert all(len(text) > 20 for text in re.findall(r"!\[(.*?)\]\(", text_of(page)))


@pytest.mark.parametrize("page", PAGES)
def test_paths_that_are_named_exist(page):
    for name in re.findall(r"`((?:autodpq_\w+|benchmarks|config|notebooks|scripts)/[\w/.*]*)`", text_of(page)):
        assert list(ROOT.glob(name.rstrip("/"))), f"{page}: no {name}"


@pytest.mark.parametrize("page", PAGES)
def test_commands_that_are_named_exist(page):
    text, makefile = text_of(page), text_of("Makefile")
    for target in re.findall(r"(?:`|^    )make (\w+)", text, re.M):
        assert re.search(rf"^{target}:", makefile, re.M), f"{page}: no make {target}"
    for module in re.findall(r"python -m ([\w.]+)", text):
        assert importlib.util.find_spec(module), f"{page}: no {module}"


def films(folder):
    """Ratings in the form of MovieLens-100K, of 300 users and 250 films; those of README's sample are among them."""
    rng = np.random.default_rng(0)
    pairs = sorted(
        {*zip(rng.integers(1, 301, 5000).tolist(), rng.integers(1, 251, 5000).tolist(), strict=True), (196, 242)}
    )
    stars = [1 + int((3 * user + movie + rng.integers(9)) % 5) for user, movie in pairs]
    ratings = [f"{user}\t{movie}\t{star}\t900" for (user, movie), star in zip(pairs, stars, strict=True)]
    users = [f"{user}\t{'49' if user == 196 else '24'}\tM\twriter\t{54909 + user}" for user in range(1, 301)]
    items = [f"{movie}\tA film\t1996\tComedy" for movie in range(1, 251)]
    folder.mkdir(parents=True)
    for (name, (head, *_)), rows in zip(ML_100K.items(), (ratings, users, items), strict=True):
        write_lines(folder / name, [head, *rows], "utf-8")


def test_readme_s_python_trains_compresses_and_scores(tmp_path, monkeypatch, capsys):
    """As it stands there, on fewer films, in an empty folder."""
    (code,) = re.findall(r"^    from pathlib import Path\n(?:    .*\n|\n)*", text_of("README.md"), re.M)
    assert len(list(filter(None, code.splitlines()))) <= 10
    films(tmp_path / "raw" / "ml-100k")
    isolate(tmp_path, monkeypatch)
    expect(monkeypatch, "ml-100k")
    for module in (explore, finish):
        monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.chdir(tmp_path)
    found = {}
    exec(textwrap.dedent(code), found)
    path, sample, schema = tmp_path / "runs" / "small.safetensors", found["sample"], found["run"].schema
    assert path.stat().st_size <= 30_000
    known, (printed,) = vocabulary("ml-100k"), json.loads(capsys.readouterr().out)
    ids = [known[field].index(str(sample[field])) + schema.offsets[m] for m, field in enumerate(schema.fields)]
    expected = torch.sigmoid(load(path, schema=schema)(torch.tensor([ids]))).item()
    assert printed == pytest.approx(expected, abs=1e-6)


def test_the_budget_page_s_python_compresses_plain_arrays(tmp_path, monkeypatch):
    """As it stands there, for made-up rows of a field."""
    (code,) = re.findall(r"^    from pathlib import Path\n(?:    .*\n|\n)*", text_of("results/budget.md"), re.M)
    rng = np.random.default_rng(0)
    rows, counts = {"user": rng.normal(0, 0.1, (400, 16)).astype("f4")}, {"user": rng.integers(1, 90, 400)}
    monkeypatch.chdir(tmp_path)
    found = {"rows": rows, "counts": counts}
    exec(textwrap.dedent(code), found)
    made, path = found["made"], tmp_path / "mine.safetensors"
    assert path.stat().st_size == made.file_bytes <= 20_000
    np.testing.assert_array_equal(
        PlainTables(path)("embedding", "user", [0, 17]), np.asarray(made.rows["user"])[[0, 17]]
    )


def test_a_page_without_its_blocks_is_refused(tmp_path, monkeypatch):
    (tmp_path / "page.md").write_text("<!-- begin other -->\n<!-- end other -->\n")
    monkeypatch.setattr(readme, "ROOT", tmp_path)
    monkeypatch.setitem(readme.PAGES, "page.md", {"table": lambda: "1\n"})
    with pytest.raises(ValueError, match=r"page\.md: expected the blocks table, found other"):
        readme.rewrite("page.md")


def test_blocks_are_filled_and_the_prose_stays(tmp_path, monkeypatch):
    (tmp_path / "page.md").write_text("before\n<!-- begin table -->\nold\n<!-- end table -->\nafter\n")
    monkeypatch.setattr(readme, "ROOT", tmp_path)
    monkeypatch.setitem(readme.PAGES, "page.md", {"table": lambda: "1\n"})
    assert readme.rewrite("page.md") == "before\n<!-- begin table -->\n1\n<!-- end table -->\nafter\n"


def test_a_picture_of_other_numbers_is_found(tmp_path):
    def draw(table):
        figure, axis = plt.subplots()
        axis.plot(table["x"])
        return figure

    path = tmp_path / "picture.png"
    assert not Picture(lambda: pd.DataFrame({"x": [1, 2]}), draw).is_current(path)
    Picture(lambda: pd.DataFrame({"x": [1, 2]}), draw).write(path)
    assert Picture(lambda: pd.DataFrame({"x": [1, 2]}), draw).is_current(path)
    assert not Picture(lambda: pd.DataFrame({"x": [1, 3]}), draw).is_current(path)


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_report_s_picture_of_controls_is_the_one_that_the_page_describes(recipe):
    path = f"ml-1m/{recipe}/figures/controls.png"
    with Image.open(ROOT / "results" / path) as image:
        said = image.info["Description"]
    assert f"![{said}]({path})" in text_of("results/controls.md"), "run the report: make controls"


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_page_has_every_control_that_has_an_effect_below_its_group(recipe):
    lines = controls.of_recipe(recipe).splitlines()
    group, found = "", {}
    for cells in ([cell.strip() for cell in line.split("|")] for line in lines if line.startswith("| ")):
        if cells[1].startswith("**"):
            group = cells[1].strip("*")
        found[cells[1]] = group
    rows = controls.controls(recipe).dropna(subset="effect")
    assert {name: found.get(name) for name in rows["control"]} == dict(zip(rows["control"], rows["group"], strict=True))


def test_the_picture_of_the_conditions_has_nothing_that_the_test_set_chose():
    assert not conditions.shown()["on test"].any()
    assert len(conditions.shown()) < len(conditions.data())


def test_what_the_gain_is_made_of_adds_up():
    for recipe in RECIPES:
        whole, *parts = (committed.contrast(recipe, *pair)["effect"] for pair in controls.SUM)
        assert sum(parts) == pytest.approx(whole), "a part lacks a seed"
