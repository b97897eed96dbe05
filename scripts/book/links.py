"""Links: those of a page before it goes into the book, and those of the book that lead nowhere."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LINK = re.compile(r"(?<!!)\[(?P<text>[^\]]+)\]\((?P<target>[^)\s]+)\)")
PICTURE = re.compile(r"!\[[^\]]*\]\((?P<target>[^)\s]+)\)")


def relinked(page: str, text: str, resolve: Callable[[str], bool]) -> str:
    """The text of ``page``, in which a link into the project that the book can't follow is plain text.

    Args:
        page: path in the project, from which relative links count.
        text: Markdown.
        resolve: whether the book has what lies at a path in the project, or can take it.
    """

    def one(found: re.Match[str]) -> str:
        target = urlsplit(found["target"])
        if target.scheme or not target.path:
            return found[0]
        inside = os.path.normpath(os.path.join(os.path.dirname(page), target.path))  # noqa: PTH118, PTH120
        return found[0] if resolve(inside) else found["text"]

    return LINK.sub(one, text)


def dead_links(html: Path) -> Iterator[str]:
    """Links of a built book that lead nowhere, and scripts and styles that would need a network."""
    for page in sorted(set(html.rglob("*.html")) - set(html.glob("_static/**/*.html"))):  # the theme's templates
        for tag, address in _read(page)[0]:
            parts = urlsplit(address)
            where = f"{page.relative_to(html)}: {address}"
            if parts.scheme or parts.netloc:
                if tag in ("script", "link", "img") and parts.scheme != "data":
                    yield f"{where} is not in the book"
                continue
            target = page if not parts.path else Path(os.path.normpath(page.parent / unquote(parts.path)))
            if not target.is_file():
                yield f"{where} leads nowhere"
            elif parts.fragment and target.suffix == ".html" and unquote(parts.fragment) not in _read(target)[1]:
                yield f"{where} names no place of that page"


class _Addresses(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[tuple[str, str]] = []
        self.places: set[str] = {""}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.places |= {name for key in ("id", "name") if (name := given.get(key))}
        if tag == "link" and given.get("rel") not in ("stylesheet", "next", "prev", "icon", "index", "search"):
            return
        self.links += [(tag, address) for key in ("href", "src") if (address := given.get(key))]


@cache
def _read(page: Path) -> tuple[list[tuple[str, str]], set[str]]:
    parser = _Addresses()
    parser.feed(page.read_text(encoding="utf-8"))
    return parser.links, parser.places
