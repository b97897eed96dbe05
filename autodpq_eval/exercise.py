"""Whether an answer to an exercise of the course is right."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor

from autodpq_eval.notebook import say

#: Of an answer's single values; a truth value is a number too, so it comes first.
KINDS = ((bool, "True or False"), (int | float, "a number"), (str, "a text"))


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
    """The single values of anything nested, in order: of a mapping that of its keys."""
    if isinstance(value, Mapping):
        value = [value[key] for key in _in_order(value)]
    if isinstance(value, Set):
        value = _in_order(value)
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


def _in_order(keys: Iterable[Any]) -> list[Any]:
    """Sorted; as they come where they can't be compared, as numbers and texts."""
    try:
        return sorted(keys)
    except TypeError:
        return list(keys)
