"""What the book is made of, laid out as the project is, so that links between pages hold."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

import nbformat

from autodpq_runs.record import read_record
from autodpq_system.paths import ROOT
from scripts.book.api import api
from scripts.book.executed import cache_folder, executed
from scripts.book.gallery import gallery
from scripts.book.links import PICTURE, relinked
from scripts.title import put_title

#: Parts of the book -> paths in the project, where a star stands for folders too.
CONTENTS = {
    "The replication": ("README.md", "results/*.md"),
    "Notebooks": ("notebooks/*",),
    "Course": ("course/*",),
    "Runs": ("gallery.md", "results/*.ipynb"),
    "Library": ("autodpq_lib/*", "api/*"),
    "Working on it": ("CONTRIBUTING.md", "CHANGELOG.md", "config/*"),
}
PAGES = (
    *(
        "README.md",
        "results/*.md",
        "results/bench/*.md",
        "notebooks/README.md",
        "course/**/*.md",
        "autodpq_lib/README.md",
    ),
    *("config/profiles/README.md", "CONTRIBUTING.md", "CHANGELOG.md"),
)
REPORTS = "results/*/*/notebooks/[0-9][0-9]_*.ipynb"
RUNS = "results/*/*/notebooks/*-seed*.ipynb"


@dataclass
class Book:
    """Pages to be written: path in the project -> Markdown, or a notebook.

    Attributes:
        hidden: those that no table of contents names; the gallery leads to them.
    """

    pages: dict[str, str] = field(default_factory=dict)
    notebooks: dict[str, nbformat.NotebookNode] = field(default_factory=dict)
    hidden: list[str] = field(default_factory=list)

    def write(self, folder: Path) -> None:
        """Write everything below ``folder``, with the files that are linked to and the pictures that are shown."""
        shutil.rmtree(folder, ignore_errors=True)
        for name, text in self.pages.items():
            _write(folder / name, self._linked(name, text, folder))
        for name, notebook in self.notebooks.items():
            for cell in notebook.cells:
                if cell.cell_type == "markdown":
                    cell.source = self._linked(name, cell.source, folder)
            notebook.metadata.update({"orphan": True} if name in self.hidden else {})
            _write(folder / name, nbformat.writes(notebook))
        index = (ROOT / "book" / "index.md").read_text(encoding="utf-8")
        index = self._linked("index.md", index, folder)
        _write(folder / "index.md", index.replace("<!-- contents -->", contents(self)))

    def _linked(self, page: str, text: str, folder: Path) -> str:
        def resolve(target: str) -> bool:
            source = ROOT / target
            if target in self.pages or target in self.notebooks:
                return True
            if target.endswith((".md", ".ipynb")) or not source.is_file() or ROOT not in source.resolve().parents:
                return False
            (folder / target).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, folder / target)
            return True

        for picture in PICTURE.finditer(text):
            target = (ROOT / page).parent / picture["target"]
            if target.is_file():
                resolve(str(target.resolve().relative_to(ROOT)))
        return relinked(page, text, resolve)


def whole() -> Book:
    """The whole book; notebooks that are not executed yet are executed now."""
    book = Book(pages={name: (ROOT / name).read_text(encoding="utf-8") for name in _found(*PAGES)})
    for name in _found("notebooks/*.ipynb", "course/**/*.ipynb"):
        path = ROOT / name
        notebook = nbformat.read(path if has_gaps(path) else executed(path, cache_folder()), as_version=4)
        book.notebooks[name] = without_parameters(notebook)
    for name in _found(REPORTS):
        book.notebooks[name] = nbformat.read(ROOT / name, as_version=4)
    add_runs(book, _found(RUNS))
    book.pages |= {"gallery.md": gallery(book.notebooks), **dict(api())}
    return book


def without_parameters(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A reading notebook without the cell of parameters that papermill puts in: folders of the machine at work."""
    notebook.cells = [c for c in notebook.cells if "injected-parameters" not in c.metadata.get("tags", [])]
    return notebook


def has_gaps(notebook: Path) -> bool:
    """Whether it waits for a student's answers, and can't be executed: cells tagged ``exercise``."""
    cells = nbformat.read(notebook, as_version=4).cells
    return any("exercise" in cell.metadata.get("tags", []) for cell in cells)


def add_runs(book: Book, names: Iterable[str]) -> None:
    """Add executed notebooks of runs, each under the title that its record gives."""
    for name in names:
        record = read_record((ROOT / name).parent.parent / "records" / f"{Path(name).stem}.json")
        book.notebooks[name] = nbformat.read(ROOT / name, as_version=4)
        put_title(book.notebooks[name], record)
        book.hidden.append(name)


def contents(book: Book) -> str:
    """The tables of contents, a part each; a part that has nothing is left out."""
    names = [name for name in [*book.pages, *book.notebooks] if name not in book.hidden]
    parts = {part: [name for name in names if _is_one_of(name, patterns)] for part, patterns in CONTENTS.items()}
    return "\n".join(line for part, inside in parts.items() if inside for line in _toctree(part, inside))


def _is_one_of(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch(name, pattern) for pattern in patterns)


def _toctree(part: str, names: Sequence[str]) -> Iterator[str]:
    yield from ("```{toctree}", ":hidden:", ":maxdepth: 1", f":caption: {part}", "")
    yield from map(_entry, names)
    yield from ("```", "")


def _entry(name: str) -> str:
    """A page by its own title; a report by its data set and recipe too, for there are several."""
    page = Path(name).with_suffix("")
    if not (page.parts[0] == "results" and name.endswith(".ipynb")):
        return str(page)
    number, _, words = page.name.partition("_")
    return f"{number} · {words.replace('_', ' ')}, {page.parts[1]}, {page.parts[2]} <{page}>"


def _found(*patterns: str) -> list[str]:
    return [str(path.relative_to(ROOT)) for pattern in patterns for path in sorted(ROOT.glob(pattern))]


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
