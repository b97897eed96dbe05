"""What is asked of the compressor: refused in one sentence where it can't be, before anything is computed."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

from autodpq_system.sentence import shortened

#: More than any file has, and a float still counts them one by one.
MOST_BYTES = 2**53


def expect(holds: bool, what: str, expected: str, found: object) -> None:
    """Raise unless it holds.

    Raises:
        ValueError: ``<what>: expected <expected>, found <found>``.
    """
    if not holds:
        raise ValueError(f"{what}: expected {expected}, found {found}")


def check_bytes(budget: Any, what: str = "budget_bytes") -> int:
    """The budget as a Python int, for NumPy's unsigned integers wrap around below 0.

    Raises:
        ValueError: it is no whole number above 0, or more than any file has.
    """
    expect(_is_whole(budget) and budget > 0, what, "a whole number above 0", shortened(budget))
    expect(budget <= MOST_BYTES, what, f"at most {MOST_BYTES}", shortened(budget))
    return int(budget)


def check_width(width: Any, own: int) -> None:
    """Refuse an X at which a run of X = ``own`` can't be compressed.

    Raises:
        ValueError: it is no whole number from 1 to ``own``.
    """
    holds = _is_whole(width) and 1 <= width <= own
    expect(holds, "width", f"a whole number from 1 to {own}, the run's own", shortened(width))


def check_loss(loss: object) -> None:
    """Refuse what can't be a loss of AUC.

    Raises:
        ValueError: it is no number above 0 and below 1.
    """
    holds = isinstance(loss, Real) and 0 < float(loss) < 1
    expect(holds, "loss", "a number above 0 and below 1", shortened(loss))


def _is_whole(number: object) -> bool:
    return isinstance(number, Integral) and not isinstance(number, bool)
