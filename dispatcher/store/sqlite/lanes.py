"""The lanes of a SQLite store: their numbers, and the types that they make known."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence

from dispatcher.core.jobs.matching import lane_parts
from dispatcher.store.counters import Counters
from dispatcher.store.sqlite import statements as sql
from dispatcher.store.types import KnownTypes

__all__ = ["LaneTable", "Place", "first_of"]

#: (rank, seq): where a job stands in its lane.
Place = tuple[float, int]
#: Of many lanes so many more jobs than their share are read at first, so that a second look is seldom needed.
_GENEROUS = 2


class LaneTable:
    """All lanes, in memory and in the table."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self._numbers: dict[str, int] = {}
        self._names: dict[int, str] = {}
        #: By a label and one of the values that do for it, the numbers of the lanes that require it.
        self._requiring: dict[tuple[str, str], set[int]] = {}
        #: The lanes of each type that is known.
        self.of_type = KnownTypes()
        #: When a worker first offered a type.
        self.offered: dict[str, float] = {}
        for number, name, type_name, offered_at in connection.execute(sql.LANES):
            self._know(number, name, type_name)
            if offered_at is not None:
                self.offered[type_name] = offered_at

    def _know(self, number: int, name: str, type_name: str) -> None:
        self._numbers[name], self._names[number] = number, name
        self.of_type.know(type_name, name)
        for required in _required(name):
            self._requiring.setdefault(required, set()).add(number)

    def _forget(self, name: str) -> int:
        number = self._numbers.pop(name)
        del self._names[number]
        for required in _required(name):
            self._requiring[required].discard(number)
            if not self._requiring[required]:
                del self._requiring[required]
        return number

    def number(self, name: str) -> int:
        """Of a lane that is known."""
        return self._numbers[name]

    def name(self, number: int) -> str:
        """Of a lane that is known."""
        return self._names[number]

    def requiring(self, wanted: Sequence[tuple[str, str]]) -> list[int]:
        """The numbers of the lanes whose jobs require all of these labels with these values; at least one is named."""
        found = sorted((self._requiring.get(one, set()) for one in wanted), key=len)
        return sorted(found[0].intersection(*found[1:]))

    def add(self, name: str, type_name: str) -> None:
        """Makes the lane known."""
        if name not in self._numbers:
            made: int = self._db.execute(sql.ADD_LANE, (name, type_name)).fetchone()[0]
            self._know(made, name, type_name)

    def offer(self, type_name: str, at: float) -> None:
        """A worker offers the type; the first time is remembered."""
        if type_name not in self.offered:
            self.add(type_name, type_name)
            self._db.execute(sql.MARK_OFFERED, (at, self._numbers[type_name]))
            self.offered[type_name] = at

    def forget(self, offered: frozenset[str], counters: Counters) -> None:
        """Lanes without jobs go, unless they stand for a type that workers offer.

        Walks all lanes, some 5 us each: one turn of every ten minutes takes so much longer.
        """
        gone: list[int] = []
        for type_name, lanes in list(self.of_type.items()):
            for name in [name for name in lanes if not counters.jobs_of(name)]:
                if name == type_name and type_name in offered:
                    continue
                lanes.discard(name)
                counters.forget(name)
                gone.append(self._forget(name))
            if not lanes:
                self.of_type.forget(type_name)
                self.offered.pop(type_name, None)
        for statement in sql.FORGET_LANES:
            self._db.execute(statement, (json.dumps(gone),))


def _required(lane: str) -> list[tuple[str, str]]:
    return [(label, value) for label, values in lane_parts(lane)[1] for value in values]


def first_of(
    groups: list[list[str]],
    most: list[int],
    waiting: dict[str, int],
    heads: Callable[[list[str], int], dict[str, list[Place]]],
) -> list[list[int]]:
    """The numbers of the first jobs of each group of lanes, by rank, at most ``most`` of each.

    ``waiting``: how many jobs each lane has; ``heads``: reads the first jobs of lanes. A few of each lane are read, and
    more only of a lane whose last job that was read may not be the last one that is wanted.
    """
    found: dict[str, list[Place]] = {}
    wanted: dict[str, int] = {}
    for lanes, number in zip(groups, most, strict=True):
        for lane in lanes:
            wanted[lane] = min(waiting[lane], -(-number * _GENEROUS // len(lanes)), number)
    whole: set[str] = set()
    while wanted:
        by_size: dict[int, list[str]] = {}
        for lane, size in wanted.items():
            by_size.setdefault(1 << (size - 1).bit_length(), []).append(lane)
        for size, lanes in by_size.items():
            read = heads(lanes, size)
            found |= read
            whole.update(lane for lane, places in read.items() if len(places) < size)
        wanted = {}
        for lanes, number in zip(groups, most, strict=True):
            wanted |= {lane: 4 * size for lane, size in _short(lanes, number, found) if lane not in whole}
    return [[seq for _, seq in _in_order(lanes, found)[:number]] for lanes, number in zip(groups, most, strict=True)]


def _in_order(lanes: list[str], found: dict[str, list[Place]]) -> list[Place]:
    return sorted(place for lane in lanes for place in found[lane])


def _short(lanes: list[str], most: int, found: dict[str, list[Place]]) -> Iterator[tuple[str, int]]:
    """LaneTable of which more may be wanted than was read, and how much that was."""
    places = _in_order(lanes, found)
    last = places[most - 1] if len(places) >= most else None
    for lane in lanes:
        if found[lane] and len(found[lane]) < most and (last is None or found[lane][-1] < last):
            yield lane, len(found[lane])
