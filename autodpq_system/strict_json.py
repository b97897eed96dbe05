"""JSON in which no key occurs twice: of two values Python would take the last, and another reader the first."""

from __future__ import annotations

import json
from collections import Counter
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
        [(often, times)] = Counter(key for key, _ in pairs).most_common(1)
        raise ValueError(f"{often!r}: expected once, found {times} times")
    return found
