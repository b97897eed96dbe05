"""A figure as a file. A PNG has a palette of 256 colours: half the bytes or less, for an eye the same."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from autodpq_system.atomic import atomic_path


def png(figure: Figure, *, dpi: float | None = None, said: str = "") -> bytes:
    """A figure with its text inside; without ``dpi`` it has the figure's own."""
    drawn = BytesIO()
    figure.savefig(drawn, dpi=dpi or "figure", format="png")
    return in_palette(Image.open(drawn), said)


def in_palette(image: Image.Image, said: str = "") -> bytes:
    """A picture as a PNG in the 256 colours that lie nearest to all of its own, with a text as its description."""
    written, about, plain = BytesIO(), PngInfo(), image.convert("RGB")
    if said:
        about.add_text("Description", said)
    few = plain.quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(written, "png", optimize=True, pnginfo=about)
    return written.getvalue()


def save(figure: Figure, path: Path) -> None:
    """Write a picture with its text, without a date and with fixed names inside: the same one has the same bytes."""
    said = str(figure.get_label())
    with mpl.rc_context({"svg.hashsalt": "autodpq"}), atomic_path(path) as written:
        if path.suffix == ".png":
            written.write_bytes(png(figure, dpi=130, said=said))
        else:
            figure.savefig(written, metadata={"Description": said, "Date": None})
            lines = written.read_text(encoding="utf-8")  # of coordinates a hundredth of a point is enough
            written.write_text(re.sub(r"(\d\.\d\d)\d+", r"\1", lines), encoding="utf-8")
