"""Show what depends on controls: a widget where a kernel is at work, and the first picture for all who read later."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any, NamedTuple

import ipywidgets as widgets
from IPython.display import display
from matplotlib.figure import Figure

from autodpq_eval.notebook import as_html
from autodpq_lab.view import VIEW


class Shown(NamedTuple):
    """What is seen for one setting of the controls: HTML, a text that can stand for it, and HTML for later readers.

    The last is the first unless it is given: a link that JupyterLab follows leads nowhere in an executed copy.
    """

    html: str
    text: str
    still: str = ""


def picture(figure: Figure, alt: str, said: str) -> Shown:
    """A figure, which is closed, and a sentence made of its numbers below it."""
    return Shown(f"{as_html(figure, alt)}<p>{escape(said)}</p>", said)


def present(draw: Callable[..., Shown], **controls: widgets.Widget) -> widgets.VBox:
    """Show the controls and below them ``draw(name=value, ...)``, drawn again at each change.

    Args:
        draw: takes the values of the controls by their names.
        controls: ipywidgets with a ``value``.

    Returns:
        The widget; its last child holds the HTML.
    """
    seen = widgets.HTML(layout={"overflow": "auto"}).add_class("jp-RenderedHTMLCommon")  # tables look as elsewhere

    def update(_: Any = None) -> Shown:
        shown = draw(**{name: control.value for name, control in controls.items()})
        seen.value = shown.html
        return shown

    first = update()
    for control in controls.values():
        control.observe(update, "value")
    box = widgets.VBox([*controls.values(), seen])
    view = {"version_major": 2, "version_minor": 0, "model_id": box.model_id}
    display({VIEW: view, "text/html": first.still or first.html, "text/plain": first.text}, raw=True)
    return box
