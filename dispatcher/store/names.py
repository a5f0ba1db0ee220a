"""The workers that are known by name: what is read of them, and how a database in memory keeps them.

Those that have gone stand in the order of their names as people count.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from typing import Protocol

from dispatcher.core.jobs.habits import CallRoll, Habit, RollHour, Usual, called, is_usual
from dispatcher.core.jobs.model import MissingWorker
from dispatcher.core.jobs.views.naming import beginnings, counted
from dispatcher.store.requests import MOST_FORGOTTEN, MOST_MISSING

__all__ = ["MemoryNames", "NameReads"]


class NameReads(Protocol):
    """A store's reads of the names of workers that are here or were."""

    async def missing(self, prefix: str = "", after: str | None = None, most: int = 100) -> list[MissingWorker]:
        """Workers that were here and have gone, by name: the first behind ``after`` that begin with ``prefix``."""
        ...

    async def usual(self, hours: Sequence[RollHour], most: int = 100) -> Usual:
        """The workers that are usually here at these hours of the week, at most three of them (``hours_around``)."""
        ...


class MemoryNames:
    """See NameReads. A page of those that have gone costs no more than what stands on it."""

    def __init__(self) -> None:
        self._here: set[str] = set()
        #: By name: what the roll calls of the last week have found.
        self._habits: dict[str, Habit] = {}
        #: Name -> when it went, UTC; and its age: when it went by the queue clock.
        self._gone: dict[str, tuple[float, float]] = {}
        #: (the name as people count, name), in order.
        self._names: list[tuple[str, str]] = []
        #: (queue clock, name), in order.
        self._ages: list[tuple[float, str]] = []

    def came(self, name: str) -> None:
        """It is here."""
        self._here.add(name)
        self._leave(name)

    def went(self, name: str, at: float, clock: float) -> None:
        """It went at this instant."""
        self._here.discard(name)
        self._leave(name)
        self._gone[name] = (at, clock)
        insort(self._names, (counted(name), name))
        insort(self._ages, (clock, name))

    def all_went(self, at: float, clock: float) -> None:
        """Whoever is here went at this instant."""
        for name in sorted(self._here):
            self.went(name, at, clock)

    def _leave(self, name: str) -> None:
        gone = self._gone.pop(name, None)
        if gone is not None:
            del self._names[bisect_left(self._names, (counted(name), name))]
            del self._ages[bisect_left(self._ages, (gone[1], name))]

    def forget(self, before: float) -> None:
        """Forgets those that went before this instant of the queue clock, and those beyond the most that are kept."""
        old = bisect_left(self._ages, (before, ""))
        for _, name in self._ages[: min(max(old, len(self._ages) - MOST_MISSING), MOST_FORGOTTEN)]:
            self._leave(name)
            self._habits.pop(name, None)

    def drop(self, name: str) -> None:
        """Forgets one that has gone."""
        if name in self._gone:
            self._leave(name)
            self._habits.pop(name, None)

    def call(self, roll: CallRoll) -> None:
        """Calls the roll."""
        for name in (*self._here, *self._gone):
            here = name in self._here or self._gone[name][0] > roll.since_at
            self._habits[name] = called(self._habits.get(name, Habit()), roll.hour, here=here)

    async def missing(self, prefix: str = "", after: str | None = None, most: int = 100) -> list[MissingWorker]:
        """See NameReads."""
        behind = 0 if after is None else bisect_right(self._names, (counted(after), after))
        found: list[str] = []
        for beginning in beginnings(prefix):
            start = max(behind, bisect_left(self._names, (beginning, "")))
            standing = self._names[start : start + most - len(found)]
            found += [name for place, name in standing if place.startswith(beginning)]
        return [MissingWorker(name, self._gone[name][0]) for name in found]

    async def usual(self, hours: Sequence[RollHour], most: int = 100) -> Usual:
        """See NameReads."""
        names = {name for name, habit in self._habits.items() if is_usual(habit, hours)}
        gone = [MissingWorker(name, self._gone[name][0]) for name in names if name in self._gone]
        gone.sort(key=lambda one: (-one.gone_at, counted(one.name), one.name))
        return Usual(len(names), len(gone), gone[:most])
