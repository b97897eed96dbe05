"""What a notebook shows beside tables: pictures with a text, and sentences made of numbers."""

from __future__ import annotations

from base64 import b64encode
from html import escape
from io import BytesIO

import numpy as np
from IPython.display import Markdown, display
from matplotlib import pyplot as plt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image


def show(figure: Figure, alt: str = "") -> None:
    """Show a picture, once, with its alternative text.

    JupyterLab and web pages take the HTML, whose ``alt`` a screen reader reads; a printed page takes the PNG.

    Args:
        figure: is closed afterwards.
        alt: what one sees; by default the figure's label, where the functions that draw for several notebooks put it.

    Raises:
        ValueError: there is no text.
    """
    text = alt or str(figure.get_label())
    if not text:
        raise ValueError("alt: expected a text that can stand for the picture, found none")
    picture = as_base64(figure)
    both = {"text/html": as_html(picture, text), "image/png": picture, "text/plain": text}
    display(both, raw=True, metadata={"image/png": {"alt": text}})


def as_base64(figure: Figure) -> str:
    """A figure as text; it is closed afterwards."""
    picture = b64encode(png(figure)).decode()
    plt.close(figure)
    return picture


def as_html(picture: str, alt: str) -> str:
    """A picture in base64, with the text that can stand for it."""
    return f'<img alt="{escape(alt)}" style="max-width: 100%" src="data:image/png;base64,{picture}">'


def png(figure: Figure) -> bytes:
    """A figure as a PNG with a palette of 256 colours: half the bytes or less, for an eye the same."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return in_palette(Image.fromarray(np.asarray(canvas.buffer_rgba())))


def in_palette(image: Image.Image) -> bytes:
    """A picture as a PNG in the 256 colours that lie nearest to all of its own."""
    written, plain = BytesIO(), image.convert("RGB")
    plain.quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(written, "png", optimize=True)
    return written.getvalue()


def say(text: str) -> None:
    """A paragraph of Markdown; its numbers are those that the cell has just computed, so it holds for any data."""
    display(Markdown(text))
