"""The lanes of a SQLite store: their numbers, and the types that they make known."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence

from dispatcher.core.jobs.matching import lane_parts
from dispatcher.core.jobs.views.outlook import MOST_BEFORE, InLine
from dispatcher.store.counters import Counters
from dispatcher.store.sqlite import statements as sql
from dispatcher.store.types import KnownTypes

__all__ = ["LaneTable", "Place", "first_of"]

#: (rank, seq): where a job stands in its lane.
Place = tuple[float, int]
#: From many lanes this many more jobs than their share are read at first, so that a second look is seldom needed.
_GENEROUS = 2


class LaneTable:
    """All lanes, in memory and in the table."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self._numbers: dict[str, int] = {}
        self._names: dict[int, str] = {}
        #: (label, one of its allowed values) -> the numbers of the lanes that require it.
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
        """The number of a known lane."""
        return self._numbers[name]

    def name(self, number: int) -> str:
        """The name of a known lane."""
        return self._names[number]

    def first_in_line(self, names: Sequence[str]) -> dict[str, float]:
        """See port.Store."""
        numbers = json.dumps([self._numbers[name] for name in names if name in self._numbers])
        return {self._names[number]: since for number, since in self._db.execute(sql.FIRST_IN_LINE, (numbers,))}

    def in_line(self, job_id: str, counters: Counters) -> InLine | None:
        """See port.Store."""
        found = self._db.execute(sql.PLACE_OF, (job_id,)).fetchone()
        if found is None:
            return None
        before, later = self._db.execute(sql.BEFORE, (*found, MOST_BEFORE + 1)).fetchone()
        return InLine(before, later, counters.queued(self._names[found[0]]))

    def requiring(self, wanted: Sequence[tuple[str, str]]) -> list[int]:
        """The numbers of the lanes whose jobs require all of these labels with these values, at least one."""
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
        """Forgets lanes without jobs, unless they stand for a type that workers offer.

        It walks all lanes, some 5 us each: one turn every ten minutes takes longer by this.
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
                counters.forget_type(type_name)
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
    """The numbers of each group's first jobs, by rank, at most ``most`` for each group of lanes.

    ``waiting``: how many jobs each lane has; ``heads``: reads the first jobs of lanes, in no order. It reads a few jobs
    of each lane, and more only from a lane that may have further wanted jobs behind the last one read.
    """
    found: dict[str, list[Place]] = {}
    wanted: dict[str, int] = {}
    for lanes, number in zip(groups, most, strict=True):
        for lane in lanes:
            wanted[lane] = min(waiting[lane], -(-number * _GENEROUS // len(lanes)), number)
    whole: set[str] = set()
    orders: list[list[Place]] = [[] for _ in groups]
    while wanted:
        by_size: dict[int, list[str]] = {}
        for lane, size in wanted.items():
            by_size.setdefault(1 << (size - 1).bit_length(), []).append(lane)
        for size, lanes in by_size.items():
            read = heads(lanes, size)
            found |= read
            whole.update(lane for lane, places in read.items() if len(places) < size)
        orders = [sorted(place for lane in lanes for place in found[lane]) for lanes in groups]
        wanted = {}
        for lanes, number, places in zip(groups, most, orders, strict=True):
            last = places[number - 1] if len(places) >= number else None
            wanted |= {
                lane: 4 * len(found[lane])
                for lane in lanes
                if lane not in whole and _is_short(found[lane], number, last)
            }
    return [[seq for _, seq in places[:number]] for places, number in zip(orders, most, strict=True)]


def _is_short(read: list[Place], most: int, last: Place | None) -> bool:
    """Whether more jobs of a lane may be wanted than these that were read; ``last``: the last one wanted so far."""
    return 0 < len(read) < most and (last is None or max(read) < last)
