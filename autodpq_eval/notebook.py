"""What a notebook shows beside tables: pictures with a text, and sentences made of numbers."""

from __future__ import annotations

from base64 import b64encode
from html import escape

from IPython.display import Markdown, display
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from autodpq_eval.png import png


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


def say(text: str) -> None:
    """A paragraph of Markdown; its numbers are those that the cell has just computed, so it holds for any data."""
    display(Markdown(text))
