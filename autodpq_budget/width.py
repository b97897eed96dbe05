"""How wide the FE should be that is compressed: the fewer bytes its tables may have, the narrower."""

from __future__ import annotations

from collections.abc import Callable

#: Shares of the bytes of a run's tables, in float32, from which its own X pays, and from which half of it does.
OWN, HALF = 0.05, 0.02
#: The least X that is taken without being asked for.
NARROWEST = 2


def width_for(share: Callable[[int], float], own: int) -> int:
    """X by what is left for the tables: a run's own, or half or a quarter of it.

    On MovieLens-1M, recipe ``tuned``, it is at each budget the X with the best validation AUC of four that were tried
    (``results/budget.md``, "How wide?"). In recipe ``paper`` a narrower one is better at 0.8 %, and on other data
    another may be.

    Args:
        share: by X, the share of the bytes of the run's own tables that its tables may have.
        own: X of the run.

    Example:
        >>> [width_for(lambda _: share, 16) for share in (0.0625, 0.031, 0.008)]
        [16, 8, 4]
    """
    half, quarter = (min(own, max(NARROWEST, own // part)) for part in (2, 4))
    if share(own) >= OWN:
        return own
    return half if share(half) >= HALF else quarter
