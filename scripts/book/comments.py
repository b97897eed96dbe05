"""A Sphinx extension: comments of constants are taken as they stand, where napoleon takes a colon for a type's end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

KINDS = ("data", "attribute")
_kept: list[str] = []


def _keep(_app: Any, kind: str, _name: str, _obj: Any, _options: Any, lines: list[str]) -> None:
    _kept[:] = lines if kind in KINDS else []


def _put_back(_app: Any, kind: str, _name: str, _obj: Any, _options: Any, lines: list[str]) -> None:
    if kind in KINDS:
        lines[:] = _kept


def setup(app: Sphinx) -> dict[str, bool]:
    """Stand before and after napoleon, which listens at 500."""
    app.connect("autodoc-process-docstring", _keep, priority=400)
    app.connect("autodoc-process-docstring", _put_back, priority=600)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
