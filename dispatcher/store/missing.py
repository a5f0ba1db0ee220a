"""The workers that have gone, in order of their names as people count: a database in memory keeps them here."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort

from dispatcher.core.jobs.model import MissingWorker
from dispatcher.core.jobs.views.naming import beginnings, counted
from dispatcher.store.requests import MOST_FORGOTTEN, MOST_MISSING

__all__ = ["Missing"]


class Missing:
    """A page of them costs no more than what stands on it."""

    def __init__(self) -> None:
        #: Name -> when it went, UTC; and its age: when it went by the queue clock.
        self._gone: dict[str, tuple[float, float]] = {}
        #: (the name as people count, name), in order.
        self._names: list[tuple[str, str]] = []
        #: (queue clock, name), in order.
        self._ages: list[tuple[float, str]] = []

    def add(self, name: str, at: float, clock: float) -> None:
        """It went at this instant."""
        self.remove(name)
        self._gone[name] = (at, clock)
        insort(self._names, (counted(name), name))
        insort(self._ages, (clock, name))

    def remove(self, name: str) -> None:
        """It is not missing."""
        gone = self._gone.pop(name, None)
        if gone is not None:
            del self._names[bisect_left(self._names, (counted(name), name))]
            del self._ages[bisect_left(self._ages, (gone[1], name))]

    def forget(self, before: float) -> None:
        """Forgets those that went before this instant of the queue clock, and those beyond the most that are kept."""
        old = bisect_left(self._ages, (before, ""))
        for _, name in self._ages[: min(max(old, len(self._ages) - MOST_MISSING), MOST_FORGOTTEN)]:
            self.remove(name)

    def slice(self, prefix: str, after: str | None, most: int) -> list[MissingWorker]:
        """The first behind ``after`` that begin with ``prefix``."""
        behind = 0 if after is None else bisect_right(self._names, (counted(after), after))
        found: list[str] = []
        for beginning in beginnings(prefix):
            start = max(behind, bisect_left(self._names, (beginning, "")))
            standing = self._names[start : start + most - len(found)]
            found += [name for place, name in standing if place.startswith(beginning)]
        return [MissingWorker(name, self._gone[name][0]) for name in found]
