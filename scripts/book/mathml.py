"""A Sphinx extension: formulas as MathML, which browsers draw by themselves, so that the book needs no network."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Any

from docutils import nodes
from docutils.utils.math import latex2mathml

if TYPE_CHECKING:
    from sphinx.application import Sphinx

#: What docutils does not know -> what it does. The size of a bracket is the browser's to choose.
KNOWN = {
    r"\\[bB]igg?[lrm]?(?![A-Za-z])": "",
    r"\\dots(?![A-Za-z])": r"\\ldots",
    r"\\tag\{(\w+)\}": r"\\qquad (\1)",
}


def mathml(tex: str, *, block: bool) -> str:
    """A formula as MathML, with its TeX as a tooltip.

    Raises:
        docutils.utils.math.MathError: TeX that docutils does not know.
    """
    known = tex
    for pattern, other in KNOWN.items():
        known = re.sub(pattern, other, known)
    made = latex2mathml.tex2mathml(known.strip(), as_block=block)
    return str(made).replace("<math", f'<math title="{escape(" ".join(tex.split()))}"', 1)


def _inline(writer: Any, node: nodes.math) -> None:
    writer.body.append(mathml(node.astext(), block=False))
    raise nodes.SkipNode


def _block(writer: Any, node: nodes.math_block) -> None:
    writer.body.append(f'<div class="math">{mathml(node.astext(), block=True)}</div>\n')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the renderer, and choose it."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    app.config.html_math_renderer = "mathml"
    return {"parallel_read_safe": True, "parallel_write_safe": True}
