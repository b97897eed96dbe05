"""README and the pages beside what they describe: their numbers, links, paths and commands."""

import importlib.util
import re
from pathlib import Path

import pandas as pd
import pytest
from matplotlib import pyplot as plt
from PIL import Image
from tracked import tracked

from autodpq_lib.config import RECIPES, RunConfig
from autodpq_runs.explore import load_or_train
from autodpq_system.paths import ROOT, runs_root
from scripts import readme
from scripts.pages import controls
from scripts.pages.picture import Picture

PAGES = sorted({*readme.PAGES, *(str(path.relative_to(ROOT)) for path in ROOT.glob("*/README.md"))})


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def anchors(page: Path) -> set[str]:
    """The headings of a page, as GitHub names them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_pages_and_pictures_agree_with_the_records():
    assert readme.stale() == [], "run `make readme`"


def test_readme_is_short():
    assert len(text_of("README.md").splitlines()) <= 200


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


def test_readme_s_python_runs_from_records_to_a_scored_value(tmp_path, monkeypatch):
    (code,) = re.findall(r"^    from pathlib import Path\n(?:    .*\n|\n)*", text_of("README.md"), re.M)
    config = RunConfig(dataset="planted", strategy="fe", profile="smoke", embedding_dim=8)
    load_or_train(config, runs_root(), runs_root())
    monkeypatch.chdir(tmp_path)
    lines = [line.strip() for line in code.splitlines()]
    *before, last = filter(None, lines)
    found = {}
    exec("\n".join(before), found)
    assert len(found["everything"]) > 100
    assert (tmp_path / "small.safetensors").stat().st_size <= 30_000
    assert 0 < eval(last.split("  #")[0], found)[0] < 1


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
    rows = controls.table(recipe).dropna(subset="effect")
    assert {name: found.get(name) for name in rows["control"]} == dict(zip(rows["control"], rows["group"], strict=True))


def test_what_the_gain_is_made_of_adds_up():
    for recipe in RECIPES:
        whole, *parts = controls.contrasts(recipe).head(4)["effect"]
        assert sum(parts) == pytest.approx(whole), "a part lacks a seed"
