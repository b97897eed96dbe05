"""Let Sphinx build a book: a warning is an error, and so is a link that leads nowhere."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from autodpq_system.paths import ROOT
from scripts.book.links import dead_links
from scripts.book.sources import Book

#: Bytes that a book may have.
MOST = 60_000_000


def build(book: Book, folder: Path) -> Path:
    """Write the book's sources to ``folder``/source and build them; the first page.

    Raises:
        ValueError: Sphinx warned, a link leads nowhere, or the book is too large.
    """
    source, html = folder / "source", folder / "html"
    book.write(source)
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-q", "-W", "--keep-going", "-c", str(ROOT / "book")]
    paths = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [*command, "-d", str(folder / "doctrees"), str(source), str(html)],
        env=os.environ | {"PYTHONPATH": paths}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise ValueError(f"{source}: expected a book without warnings, found\n{done.stderr.strip()}")
    if dead := list(dead_links(html)):
        raise ValueError(f"{html}: expected links that lead somewhere, found\n" + "\n".join(dead))
    if (size := size_of(html)) > MOST:
        raise ValueError(f"{html}: expected at most {MOST:,} bytes, found {size:,}")
    return html / "index.html"


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
