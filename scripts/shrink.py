"""Give the pictures of executed notebooks 256 colours each: a third of the bytes, and no eye sees the difference.

python -m scripts.shrink results/ml-1m/paper/notebooks/*.ipynb
"""

from __future__ import annotations

import argparse
import io
import sys
from base64 import b64decode, b64encode
from pathlib import Path

import nbformat
from PIL import Image

from autodpq_eval.notebook import in_palette
from autodpq_system.atomic import write_text
from autodpq_system.sentence import Parser


def main(arguments: list[str] | None = None) -> int:
    """Rewrite the notebooks that are named."""
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebooks", nargs="+", type=Path)
    for path in parser.parse_args(arguments).notebooks:
        content = nbformat.read(path, as_version=4)
        shrink(content)
        write_text(path, nbformat.writes(content) + "\n")
    return 0


def shrink(notebook: nbformat.NotebookNode) -> None:
    """Put each picture of the outputs into a palette, in place."""
    for data in pictures(notebook):
        data["image/png"] = b64encode(small(b64decode(data["image/png"]))).decode()


def pictures(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """The outputs of a notebook that hold a PNG."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    outputs = [output.get("data", {}) for cell in cells for output in cell.outputs]
    return [data for data in outputs if "image/png" in data]


def small(png: bytes) -> bytes:
    """A picture in a palette; one that has a palette stays as it is."""
    with Image.open(io.BytesIO(png)) as image:
        return png if image.mode == "P" else in_palette(image)


if __name__ == "__main__":
    sys.exit(main())
