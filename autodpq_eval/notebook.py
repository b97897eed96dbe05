"""What a notebook shows beside tables: pictures with a text, sentences made of numbers, whether an answer is right."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence, Set
from html import escape
from io import BytesIO

import numpy as np
import pandas as pd
from IPython.display import Markdown, display
from matplotlib import pyplot as plt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor

#: Of an answer's single values; a truth value is a number too, so it comes first.
KINDS = ((bool, "True or False"), (int | float, "a number"), (str, "a text"))


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


def check(exercise: str, answer: object, expected: object, within: float = 1e-6) -> None:
    """Say whether an answer to an exercise is right; ``...`` is one that is still to be given.

    Args:
        exercise: its number.
        answer: a number, a text, a truth value, or a list, array or mapping of them; a set is taken in sorted order.
        expected: the same, of the right answer.
        within: by how much a number may differ.
    """
    say(f"**{exercise}**: {_verdict(answer, expected, within)}")


def _verdict(answer: object, expected: object, within: float) -> str:
    given, right = list(_leaves(answer)), list(_leaves(expected))
    if any(each is ... for each in given):
        return "not answered yet."
    if any(each is None for each in given):
        return "not right yet; found None, where a value should be."
    if isinstance(answer, Tensor) and isinstance(expected, Tensor) and _form(answer) != _form(expected):
        return f"not right yet; expected {_form(expected)}, found {_form(answer)}."
    if len(given) != len(right):
        return f"not right yet; expected {len(right)} values, found {len(given)}."
    wrong = [
        f"{n}{_why(*pair)}" for n, pair in enumerate(zip(given, right, strict=True), 1) if not _alike(*pair, within)
    ]
    if wrong:
        named = ", ".join(wrong[:5]) + (f" and {len(wrong) - 5} more" if len(wrong) > 5 else "")
        return f"not right yet; look at value {named} of {len(right)}."
    return "right."


def _form(tensor: Tensor) -> str:
    """The shape of a tensor, and what it holds."""
    return f"{'floats' if tensor.is_floating_point() else 'integers'} {list(tensor.shape)}"


def _why(given: object, right: object) -> str:
    """In brackets, what is wrong with a value, if that can be said."""
    kinds = [
        next((word for kind, word in KINDS if isinstance(each, kind)), "something else") for each in (given, right)
    ]
    if kinds[0] != kinds[1]:
        return f" (expected {kinds[1]}, found {kinds[0]})"
    if isinstance(given, int | float) and isinstance(right, int | float) and kinds[0] == "a number":
        return " (too small)" if given < right else " (too large)" if given > right else ""
    return ""


def _leaves(value: object) -> Iterator[object]:
    """The single values of anything nested, in order."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, Set):
        value = sorted(value)
    if isinstance(value, Tensor | np.ndarray | np.generic | pd.Series | pd.Index):
        value = value.tolist()
    if isinstance(value, Sequence) and not isinstance(value, str):
        for each in value:
            yield from _leaves(each)
    else:
        yield value


def _alike(given: object, right: object, within: float) -> bool:
    if isinstance(given, int | float) and isinstance(right, int | float):
        return abs(given - right) <= within
    return type(given) is type(right) and given == right
