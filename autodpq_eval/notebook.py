"""What a notebook shows beside tables: pictures with a text, and sentences made of numbers."""

from __future__ import annotations

from base64 import b64encode
from html import escape

from IPython.display import Markdown, display
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from autodpq_eval.figure_files import png


def show(figure: Figure, alt: str = "") -> None:
    """Show a picture, once, as an element of HTML: its ``alt`` is what a screen reader reads.

    Args:
        figure: is closed afterwards.
        alt: what one sees; by default the figure's label, where the functions that draw for several notebooks put it.

    Raises:
        ValueError: there is no text.
    """
    text = alt or str(figure.get_label())
    if not text:
        raise ValueError("alt: expected a text that can stand for the picture, found none")
    display({"text/html": as_html(figure, text), "text/plain": text}, raw=True)


def as_html(figure: Figure, alt: str) -> str:
    """A figure, which is closed, as an element of HTML, with the text that can stand for it."""
    picture = b64encode(png(figure)).decode()
    plt.close(figure)
    return f'<img alt="{escape(alt)}" style="max-width: 100%" src="data:image/png;base64,{picture}">'


def say(text: str) -> None:
    """A paragraph of Markdown; its numbers are those that the cell has just computed, so it holds for any data."""
    display(Markdown(text))
