"""The pictures of a notebook: elements of HTML, each with a text that can stand for it."""

import re
from base64 import b64decode
from html import unescape
from typing import NamedTuple

import nbformat

ELEMENT = re.compile(r'<img alt="([^"]*)" style="max-width: 100%" src="data:image/png;base64,([^"]*)">')


class Picture(NamedTuple):
    alt: str
    png: bytes


def pictures(notebook: nbformat.NotebookNode) -> list[Picture]:
    """All pictures of the outputs, in their order.

    Raises:
        AssertionError: an output is a bare PNG, which has no text that a screen reader would read.
    """
    data = [output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", [])]
    assert not [each for each in data if "image/png" in each]
    found = [match for each in data for match in ELEMENT.findall(each.get("text/html", ""))]
    return [Picture(unescape(alt), b64decode(png)) for alt, png in found]
