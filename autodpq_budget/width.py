"""How wide the FE should be that is compressed: the fewer bytes its tables may have, the narrower."""

from __future__ import annotations

#: Shares of a run's tables, in float32, from which its own X pays, and from which half of it; below, a quarter does.
OWN, HALF = 0.05, 0.02
#: The least X that is taken without being asked for.
NARROWEST = 2


def width_for(share: float, own: int) -> int:
    """X by the share of the bytes of a run's own tables, of X = ``own``, that there are.

    On MovieLens-1M, recipe ``tuned``, it is at each budget the X with the best validation AUC of four that were tried
    (``results/budget.md``, "How wide?"); on other data, and in recipe ``paper``, another may be a little better.

    Example:
        >>> [width_for(share, 16) for share in (0.0625, 0.031, 0.008)]
        [16, 8, 4]
    """
    part = 1 if share >= OWN else 2 if share >= HALF else 4
    return min(own, max(NARROWEST, own // part))
