"""How wide the FE should be that is compressed: the fewer bytes its tables may have, the narrower."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

#: Shares of the bytes of a run's tables in float32: from the first on its own X is worth its bytes, from the second
#: half of it is.
OWN_FROM, HALF_FROM = 0.05, 0.02
#: Half or a quarter of a larger X is rounded up to this; an X may still become narrower where its tables are cramped.
NARROWEST = 2
#: Tables with fewer bytes than so many times their smallest size do better at a narrower X: by validation AUC on
#: MovieLens-100K, one seed, X of 1 to 4 at five budgets.
AMPLE = 5.0


class Room(NamedTuple):
    """What a budget leaves for the tables of some X.

    Attributes:
        share: as a share of the bytes of the run's own tables in float32.
        times: as a multiple of the smallest size of the tables of that X: one mean for each group.
    """

    share: float
    times: float


def width_for(room: Callable[[int], Room], own: int) -> int:
    """X by what is left for the tables: a run's own, or half or a quarter of it; narrower where this is cramped.

    On MovieLens-1M, recipe ``tuned``, it is at each budget the X with the best validation AUC of four that were tried
    (``results/budget.md``, "How wide?"). In recipe ``paper`` a narrower one is better at some, and on other data
    another may be.

    Args:
        room: by X.
        own: X of the run.

    Example:
        >>> [width_for(lambda _: Room(share, 10), 16) for share in (0.0625, 0.031, 0.008)]
        [16, 8, 4]
        >>> width_for(lambda x: Room(0.004, 15 / x), 16)
        3
    """
    half, quarter = (min(own, max(NARROWEST, own // part)) for part in (2, 4))
    widest = own if room(own).share >= OWN_FROM else half if room(half).share >= HALF_FROM else quarter
    cramped = {}
    for x in range(widest, 0, -1):
        cramped[x] = room(x).times
        if cramped[x] >= AMPLE:
            return x
    return max((x for x in cramped if cramped[x] >= 1), key=cramped.__getitem__, default=1)
