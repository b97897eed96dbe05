"""A small book, built by the real configuration; a dead link, a warning or an unknown formula would fail it."""

import re
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autodpq_runs.explore import find_records
from autodpq_runs.record import read_record
from autodpq_system.paths import ROOT
from scripts.book import sources
from scripts.book.api import api
from scripts.book.build import build
from scripts.book.gallery import HEIGHT, WIDTH, gallery, thumbnail
from scripts.book.links import dead_links, relinked
from scripts.book.mathml import mathml
from scripts.book.sources import Book, add_runs, contents

REPORT = "results/ml-1m/tuned/notebooks/12_report.ipynb"
RUN = "results/ml-1m/tuned/notebooks/deepfm-autodpq-seed1.ipynb"


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> Path:
    book = Book(pages={name: (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "results/README.md")})
    book.notebooks[REPORT] = nbformat.read(ROOT / REPORT, as_version=4)
    add_runs(book, [RUN])
    book.pages |= {"gallery.md": gallery(book.notebooks), **dict(api(["autodpq_packed"]))}
    return build(book, tmp_path_factory.mktemp("book")).parent


def test_a_small_book_has_its_pages_and_pictures(html):
    assert "Two commands" in (html / "README.html").read_text(encoding="utf-8")
    assert list(html.glob("_images/gain.png"))
    assert "autodpq_packed.reader" in (html / "api" / "autodpq_packed.html").read_text(encoding="utf-8")
    text = (html / REPORT).with_suffix(".html").read_text(encoding="utf-8")
    assert "12 · report, ml-1m, tuned" in (html / "index.html").read_text(encoding="utf-8")
    assert "<table" in text


def test_a_run_is_titled_by_what_it_is(html):
    auc = read_record(ROOT / "results/ml-1m/tuned/records/deepfm-autodpq-seed1.json").test.auc
    text = (html / RUN).with_suffix(".html").read_text(encoding="utf-8")
    assert f"<h1>AutoDPQ · DeepFM · ml-1m · recipe tuned · seed 1 · test AUC {auc:.4f}<" in text
    assert "<math" in text


def test_the_gallery_has_all_runs_and_leads_to_those_of_the_book(html):
    text = (html / "gallery.html").read_text(encoding="utf-8")
    assert text.count("<tr data-dataset=") == len(find_records(ROOT / "results"))
    assert text.count('href="results/ml-1m/tuned/notebooks/deepfm-') == 1
    assert re.search(r'data-switch="[^"]*threshold', text)
    assert '<option value="threshold">' in text
    data = re.findall(r"<tr data-dataset=\"([^\"]+)", text)
    assert data[0] == max(data, key=data.count)


def test_a_thumbnail_has_a_line_a_fit_and_its_ring_on_the_chosen_epoch():
    record = read_record(ROOT / "results/ml-1m/tuned/records/deepfm-fe-seed1.json")
    (log,) = record.fits
    svg = ElementTree.fromstring(thumbnail(record))
    (line,) = svg.iter("polyline")
    points = [tuple(map(float, point.split(","))) for point in line.get("points").split()]
    assert len(points) == log.epochs
    assert (points[0][0], points[-1][0]) == (4, WIDTH - 4)
    best = max(range(len(points)), key=log.curve["valid_auc"].__getitem__)
    (ring,) = svg.iter("circle")
    assert (float(ring.get("cx")), float(ring.get("cy"))) == points[best]
    assert points[best][1] == min(y for _, y in points) == 4
    assert max(y for _, y in points) == HEIGHT - 4
    assert f"{record.valid.auc:.4f} chosen" in svg.get("aria-label")


def test_links_that_lead_nowhere_and_scripts_from_a_net_are_found(tmp_path):
    (tmp_path / "a.html").write_text(
        '<a href="b.html#here">1</a> <a href="b.html#there">2</a> <a href="c.html">3</a> <a href="https://doi.org/1">4</a>'
        '<script src="https://cdn/x.js"></script> <img src="data:image/png;base64,x"> <a href="#">5</a>'
    )
    (tmp_path / "b.html").write_text('<h2 id="here">here</h2> <a href="a.html?x=1">back</a>')
    assert list(dead_links(tmp_path)) == [
        "a.html: b.html#there names no place of that page",
        "a.html: c.html leads nowhere",
        "a.html: https://cdn/x.js is not in the book",
    ]


def test_a_link_that_the_book_cannot_follow_is_plain_text():
    text = "[a](../README.md#x) [b](../data) [c](https://x.org) [d](#here) ![e](../data)"
    found = relinked("results/page.md", text, lambda path: path == "README.md")
    assert found == "[a](../README.md#x) b [c](https://x.org) [d](#here) ![e](../data)"


def test_the_cell_of_parameters_that_papermill_puts_in_is_left_out():
    put_in = new_code_cell("out = '/home/me/runs'", metadata={"tags": ["injected-parameters"]})
    own = new_code_cell("out = 'runs'", metadata={"tags": ["parameters"]})
    assert sources.without_parameters(new_notebook(cells=[own, put_in])).cells == [own]


def test_a_notebook_with_gaps_is_shown_as_it_is(tmp_path):
    for name, tag in (("exercises", "exercise"), ("solutions", "solution")):
        cell = new_code_cell("...", metadata={"tags": [tag]})
        nbformat.write(new_notebook(cells=[cell]), tmp_path / f"{name}.ipynb")
    assert sources.has_gaps(tmp_path / "exercises.ipynb")
    assert not sources.has_gaps(tmp_path / "solutions.ipynb")


def test_a_warning_fails_the_book_and_is_named(tmp_path):
    book = Book(pages={"README.md": "# One\n\n[dead](#nowhere)\n"}, notebooks={})
    with pytest.raises(ValueError, match=r"without warnings, found\n.*nowhere"):
        build(book, tmp_path)


def test_every_formula_of_the_notebooks_is_known():
    formula = re.compile(r"\$\$(.+?)\$\$|(?<![\\$`])\$([^$\n`][^$`]*?)\$", re.S)
    found = []
    for path in [*ROOT.glob("notebooks/*.ipynb"), *ROOT.glob("course/**/*.ipynb")]:
        for cell in nbformat.read(path, as_version=4).cells:
            found += formula.findall(cell.source) if cell.cell_type == "markdown" else []
    assert len(found) > 100
    assert all("<math" in mathml(block or inline, block=bool(block)) for block, inline in found)


def test_mathml_is_drawn_by_what_it_means():
    made = ElementTree.fromstring(mathml(r"\Big(\frac{1}{2}\Big) \dots", block=False))
    names = [node.tag.split("}")[-1] for node in made.iter()]
    assert "mfrac" in names
    assert made.get("title") == r"\Big(\frac{1}{2}\Big) \dots"


def test_every_page_is_in_a_table_of_contents_and_no_two_parts_have_the_same():
    names = sources._found(*sources.PAGES, "notebooks/*.ipynb", "course/**/*.ipynb", sources.REPORTS)
    pages = {name: "" for name in [*names, "gallery.md", *dict(api())] if name.endswith(".md")}
    empty = new_notebook(cells=[new_markdown_cell("# x")])
    text = contents(Book(pages=pages, notebooks={name: empty for name in names if name.endswith(".ipynb")}))
    listed = re.findall(r"^(?:.*<)?([\w/.-]+?)>?$", re.sub(r"```.*|:.*", "", text), re.M)
    assert sorted(listed) == sorted(str(Path(name).with_suffix("")) for name in [*names, "gallery.md", *dict(api())])
