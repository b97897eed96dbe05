"""What a notebook shows beside tables: pictures with a text that can stand for them, and sentences made of numbers."""

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
    picture = b64encode(png(figure)).decode()
    plt.close(figure)
    html = f'<img alt="{escape(text)}" src="data:image/png;base64,{picture}">'
    both = {"text/html": html, "image/png": picture, "text/plain": text}
    display(both, raw=True, metadata={"image/png": {"alt": text}})


def png(figure: Figure) -> bytes:
    """A figure as a PNG with a palette of 256 colours: half the bytes or less, for an eye the same."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    written = BytesIO()
    pixels.quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(written, "png", optimize=True)
    return written.getvalue()


def say(text: str) -> None:
    """A paragraph of Markdown; its numbers are those that the cell has just computed, so it holds for any data."""
    display(Markdown(text))
