"""The types that a store knows, in order; a database on one machine keeps them in memory, below the requests."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Mapping

from dispatcher.store.counters import Counters

__all__ = ["KnownTypes"]


class KnownTypes(Mapping[str, set[str]]):
    """The lanes of each type. A page of types costs no more than what stands on it."""

    def __init__(self) -> None:
        self._lanes: dict[str, set[str]] = {}
        #: The types, in order.
        self._names: list[str] = []

    def __getitem__(self, name: str) -> set[str]:
        return self._lanes[name]

    def __contains__(self, name: object) -> bool:
        return name in self._lanes

    def __iter__(self) -> Iterator[str]:
        return iter(self._lanes)

    def __len__(self) -> int:
        return len(self._lanes)

    def know(self, name: str, lane: str) -> None:
        """The type has this lane."""
        lanes = self._lanes.get(name)
        if lanes is None:
            lanes = self._lanes[name] = set()
            insort(self._names, name)
        lanes.add(lane)

    def forget(self, name: str) -> None:
        """Forgets a type that has no lanes any more."""
        del self._lanes[name]
        del self._names[bisect_left(self._names, name)]

    def forget_empty(self, but: frozenset[str], counters: Counters) -> list[str]:
        """Forgets lanes that have no jobs, but those of the types ``but``. Returns the types that have none left."""
        gone: list[str] = []
        for name, lanes in list(self._lanes.items()):
            for lane in [lane for lane in lanes - ({name} & but) if not counters.jobs_of(lane)]:
                lanes.discard(lane)
                counters.forget(lane)
            if not lanes:
                self.forget(name)
                counters.forget_type(name)
                gone.append(name)
        return gone

    def slice(self, prefix: str, after: str | None, most: int) -> list[str]:
        """The first types behind ``after`` that begin with ``prefix``, in order."""
        start = bisect_left(self._names, prefix)
        if after is not None:
            start = max(start, bisect_right(self._names, after))
        return [name for name in self._names[start : start + most] if name.startswith(prefix)]
