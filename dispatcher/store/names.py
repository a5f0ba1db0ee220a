"""The workers that are known by name: what is read of them, and how a database in memory keeps them.

Those that have gone stand in the order of their names as people count.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from dispatcher.core.jobs.diaries import Diary, KnownWorker
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

    async def known(self, workers: Collection[str] = (), names: Collection[str] = ()) -> list[KnownWorker]:
        """The workers that are here or were, by these ids, or under these names; at most one of each name."""
        ...


class MemoryNames:
    """See NameReads. A page of those that have gone costs no more than what stands on it."""

    def __init__(self) -> None:
        self._here: set[str] = set()
        #: By name: what the roll calls of the last week have found.
        self._habits: dict[str, Habit] = {}
        #: By name: the worker that has it or had it last, and its diary; and by worker: such names.
        self._whose: dict[str, str] = {}
        self._diaries: dict[str, Diary] = {}
        self._names_of: dict[str, set[str]] = {}
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

    def settle(self, whose: Mapping[str, str], forgotten: Sequence[str], diaries: Mapping[str, Diary]) -> None:
        """What a turn says of names, behind who has come and gone."""
        self._belong(whose)
        for name in forgotten:
            self.drop(name)
        self._diaries |= {name: one for name, one in diaries.items() if name in self._here or name in self._gone}

    def _belong(self, whose: Mapping[str, str]) -> None:
        """These names are of these workers, all of which have just come or gone.

        A worker that has another name now was renamed: nobody misses it under the former one, and its habit goes over.
        """
        for name, worker in whose.items():
            if self._whose.get(name) != worker:
                self._disown(name)
                self._whose[name] = worker
                self._names_of.setdefault(worker, set()).add(name)
        for name, worker in whose.items():
            for former in self._names_of.get(worker, set()) & (self._gone.keys() - whose.keys()):
                self._go_over(former, name)

    def _go_over(self, former: str, name: str) -> None:
        if former in self._habits:
            self._habits.setdefault(name, self._habits[former])
        if former in self._diaries:
            self._diaries.setdefault(name, self._diaries[former])
        self.drop(former)

    def _disown(self, name: str) -> None:
        self._diaries.pop(name, None)
        if (worker := self._whose.pop(name, None)) is not None:
            self._names_of[worker].discard(name)
            if not self._names_of[worker]:
                del self._names_of[worker]

    def _leave(self, name: str) -> None:
        gone = self._gone.pop(name, None)
        if gone is not None:
            del self._names[bisect_left(self._names, (counted(name), name))]
            del self._ages[bisect_left(self._ages, (gone[1], name))]

    def forget(self, before: float) -> None:
        """Forgets those that went before this instant of the queue clock, and those beyond the most that are kept."""
        old = bisect_left(self._ages, (before, ""))
        for _, name in self._ages[: min(max(old, len(self._ages) - MOST_MISSING), MOST_FORGOTTEN)]:
            self._forget(name)

    def _forget(self, name: str) -> None:
        self._leave(name)
        self._habits.pop(name, None)
        self._disown(name)

    def drop(self, name: str) -> None:
        """Forgets one that has gone."""
        if name in self._gone:
            self._forget(name)

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
        return [self._missing(name) for name in found]

    async def usual(self, hours: Sequence[RollHour], most: int = 100) -> Usual:
        """See NameReads."""
        names = {name for name, habit in self._habits.items() if is_usual(habit, hours)}
        gone = [self._missing(name) for name in names if name in self._gone]
        gone.sort(key=lambda one: (-one.gone_at, counted(one.name), one.name))
        return Usual(len(names), len(gone), gone[:most])

    def _missing(self, name: str) -> MissingWorker:
        return MissingWorker(name, self._gone[name][0], self._whose.get(name))

    async def known(self, workers: Collection[str] = (), names: Collection[str] = ()) -> list[KnownWorker]:
        """See NameReads."""
        found = {*names}.union(*(self._names_of.get(worker, ()) for worker in workers))
        return [self._known(name) for name in sorted(found) if name in self._here or name in self._gone]

    def _known(self, name: str) -> KnownWorker:
        gone = self._gone.get(name)
        return KnownWorker(name, self._whose.get(name), None if gone is None else gone[0], self._diaries.get(name))
