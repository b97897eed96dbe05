"""JSON in which no key occurs twice: of two values Python would take the last, and another reader the first."""

from __future__ import annotations

import json
from typing import Any


def loads(text: str | bytes) -> Any:
    """As :func:`json.loads`.

    Raises:
        ValueError: no JSON, or an object with the same key twice.
    """
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except RecursionError as error:
        raise ValueError("expected JSON of some depth, found one too deep to be read") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"{twice!r}: expected once, found {keys.count(twice)} times")
    return found
