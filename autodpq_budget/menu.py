"""Every way of every group, with its bytes and its distortion; and what is chosen for so many bytes.

A price ``lambda`` of a byte makes every group choose alone: the way with the least ``distortion + lambda * bytes``
(Everett, 1963; Shoham and Gersho, 1988). The higher the price, the smaller the file; bisection finds the price.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from autodpq_budget.tables import Floats, Group, Integers, Table
from autodpq_budget.ways import MOST_POINTS, Later, Stored, options, store
from autodpq_packed.container import Tensors
from autodpq_packed.grouped import GROUPS, groups

#: What a way loses is estimated on at most so many features of a group: far more than the centroids were fitted to,
#: for on those the error is smallest.
MOST_TRIED = 4 * MOST_POINTS
#: Halvings of the price's range.
HALVINGS = 100
#: Bytes that say how many features a group has, and for each table how it is stored.
LENGTH, OPTION = 4, 1
#: Bytes of a way that there isn't.
NEVER = 2.0**60


@dataclass(frozen=True)
class Offer:
    """One way of one group of one table, and what it loses."""

    stored: Stored | Later
    distortion: float


def offers(group: Group) -> list[Offer]:
    """All ways of a group; what a large group loses is estimated from :data:`MOST_TRIED` of its features."""
    ways, share = options(*group.rows.shape), MOST_TRIED / len(group.rows)
    if share >= 1:
        return [Offer(*store(group, option)) for option in ways]
    some = group.some(MOST_TRIED)
    return [Offer(Later(group, option), store(some, option)[1] / share) for option in ways]


@dataclass(frozen=True)
class Menu:
    """What there is to choose from.

    Attributes:
        groups: int32 ``[G]``, features of each group.
        offers: table -> group -> its ways.
    """

    groups: NDArray[np.int32]
    offers: Mapping[str, Sequence[Sequence[Offer]]]

    @property
    def overhead(self) -> int:
        """Bytes that every choice needs: lengths and options of all groups."""
        return len(self.groups) * (LENGTH + OPTION * len(self.offers))

    @property
    def least(self) -> int:
        """Bytes of the smallest choice."""
        return self.overhead + sum(min(way.stored.bytes for way in group) for group in self._every())

    @property
    def most(self) -> int:
        """Bytes of the largest choice: all rows in float16."""
        return self.overhead + sum(max(way.stored.bytes for way in group) for group in self._every())

    def choose(self, budget: int) -> dict[str, list[Offer]]:
        """For each table the way of each group: the best at one price, then bytes left over go where each gains most.

        Args:
            budget: in bytes, of all that :meth:`tensors` gives.

        Raises:
            ValueError: not even the smallest choice fits.
        """
        sizes, losses = self._grid()
        room = budget - self.overhead
        if not budget >= self.least:  # NaN, too
            raise ValueError(f"budget: expected at least {self.least} bytes, found {budget}")
        chosen = _fill(_by_price(sizes, losses, room), sizes, losses, room)
        ways = iter(chosen.tolist())
        return {table: [group[next(ways)] for group in made] for table, made in self.offers.items()}

    def tensors(self, chosen: Mapping[str, Sequence[Offer]]) -> Tensors:
        """What the file has of a choice; its bytes are those that the budget is about."""
        made: Tensors = {GROUPS: self.groups}
        for table, ways in chosen.items():
            stored = [way.stored.whole for way in ways]
            made[f"{table}.option"] = np.array([each.option for each in stored], np.uint8)
            made[f"{table}.codes"] = np.concatenate([each.codes for each in stored])
            made[f"{table}.numbers"] = np.concatenate([each.numbers for each in stored])
        return made

    def stored(self, budget: int) -> Tensors:
        """What the file has of the choice for a budget."""
        return self.tensors(self.choose(budget))

    def within(self, room: int, most: int, size: Callable[[Tensors], int]) -> Tensors:
        """The choice for so much room, or less: the header of a file, which has at most ``most`` bytes, grows with it.

        Args:
            room: in bytes.
            most: in bytes; the smallest choice must fit.
            size: of the file that has these tensors.
        """
        while (over := size(made := self.stored(room)) - most) > 0:
            room = max(self.least, room - over)
        return made

    def _every(self) -> list[Sequence[Offer]]:
        return [group for made in self.offers.values() for group in made]

    def _grid(self) -> tuple[Floats, Floats]:
        """Bytes and distortion of each way of all tables' groups, ``[G', W]``; NEVER and inf where there is none."""
        every = self._every()
        shape = len(every), max(map(len, every))
        sizes, losses = np.full(shape, NEVER), np.full(shape, np.inf)
        for g, group in enumerate(every):
            sizes[g, : len(group)] = [way.stored.bytes for way in group]
            losses[g, : len(group)] = [way.distortion for way in group]
        return sizes, losses


def menu(tables: Mapping[str, Table], sizes: Sequence[int], counts: Integers, ordered: Integers) -> Menu:
    """All ways of all groups; this takes the time.

    Args:
        tables: by name.
        sizes: number of features of each field.
        counts: int ``[N]``, how often each feature occurs.
        ordered: the ids in the order of the file, ``[N]``.
    """
    lengths = groups(sizes, counts)
    with tqdm(total=len(lengths) * len(tables), desc="groups", unit="group", disable=None) as bar:

        def of_table(table: Table) -> Iterator[list[Offer]]:
            for group in table.groups(sizes, counts, ordered):
                yield offers(group)
                bar.update()

        return Menu(lengths, {name: list(of_table(table)) for name, table in tables.items()})


def all_means(groups: int, dim: int) -> Tensors:
    """A table in the fewest bytes: every group has its mean, here 0."""
    empty = {"option": np.zeros(groups, np.uint8), "codes": np.zeros(0, np.uint8)}
    return empty | {"numbers": np.zeros(groups * dim, np.float16)}


def bytes_of(tensors: Tensors) -> int:
    """Bytes of some tensors."""
    return sum(array.nbytes for array in tensors.values())


def _by_price(sizes: Floats, losses: Floats, room: float) -> NDArray[np.intp]:
    """The way of each group at the lowest price of a byte at which all fit into ``room``."""
    rows = np.arange(len(sizes))
    # Above this price every group takes its smallest way.
    low, high = 0.0, 1.0 + float(losses[np.isfinite(losses)].sum())
    for _ in range(HALVINGS):
        price = (low + high) / 2
        fits = sizes[rows, (losses + price * sizes).argmin(1)].sum() <= room
        low, high = (low, price) if fits else (price, high)
    return (losses + high * sizes).argmin(1)


def _fill(chosen: NDArray[np.intp], sizes: Floats, losses: Floats, room: float) -> NDArray[np.intp]:
    """Spend what is left: again and again the change that fits and gains most a byte."""
    rows = np.arange(len(sizes))[:, None]
    while True:
        more = sizes - sizes[rows, chosen[:, None]]
        gain = losses[rows, chosen[:, None]] - losses
        left = room - sizes[rows[:, 0], chosen].sum()
        worth = np.where((gain > 0) & (more <= left), gain / np.maximum(more, 1e-9), 0)
        g, way = np.unravel_index(worth.argmax(), worth.shape)
        if worth[g, way] <= 0:
            return chosen
        chosen = chosen.copy()
        chosen[g] = way
