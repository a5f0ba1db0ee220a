"""One heap of deadlines for everything in the core that waits for an instant, and the present instant.

It owns no clock: instants are monotonic seconds, and callers say what time it is. Time never goes back. A deadline
belongs to one key. To set it again moves it, and a cleared one never fires (a timer of an earlier attempt cannot end a
later one).
"""

from __future__ import annotations

import heapq
from typing import Generic, TypeVar

__all__ = ["Deadlines", "Due"]

K = TypeVar("K")

#: A key of the core's deadlines: its kind, and the id of an attempt or a worker. ``lease``, ``beat`` and ``reload``
#: belong to attempts; ``grace``, ``aside`` and ``probe`` belong to workers.
Due = tuple[str, str]


class Deadlines(Generic[K]):
    """Keyed deadlines, at most one for each key."""

    def __init__(self) -> None:
        #: The latest instant that anybody has named.
        self.now = 0.0
        self._at: dict[K, float] = {}
        #: (instant, tie-break, key); an entry counts only while ``_at`` agrees with it.
        self._heap: list[tuple[float, int, K]] = []
        self._entries = 0

    def pass_to(self, now: float) -> None:
        """Time has come to ``now``. An instant before the latest one named counts as the latest."""
        if now > self.now:
            self.now = now

    def start(self, key: K, seconds: float) -> None:
        """The key is due this many seconds from now."""
        self.set(key, self.now + seconds)

    def set(self, key: K, at: float) -> None:
        """The key is due at this instant, and no longer at an earlier or later one."""
        self._at[key] = at
        self._entries += 1
        heapq.heappush(self._heap, (at, self._entries, key))
        if len(self._heap) > 64 + 2 * len(self._at):
            self._compact()

    def clear(self, *keys: K) -> None:
        """These keys are not due any more."""
        for key in keys:
            self._at.pop(key, None)

    def get(self, key: K) -> float | None:
        """When the key is due; None: it is not."""
        return self._at.get(key)

    def next(self) -> float | None:
        """The earliest instant at which something is due; None: nothing is."""
        while self._heap and self._at.get(self._heap[0][2]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def items(self) -> list[tuple[K, float]]:
        """Every key that has a deadline, with its instant."""
        return list(self._at.items())

    def pop_due(self) -> K | None:
        """Clears and returns the key that has been due longest; None: nothing is due."""
        at = self.next()
        if at is None or at > self.now:
            return None
        key = heapq.heappop(self._heap)[2]
        del self._at[key]
        return key

    def __len__(self) -> int:
        return len(self._at)

    def _compact(self) -> None:
        """Drops entries that do not count, so that the heap stays in proportion to what is due."""
        self._heap = [entry for entry in self._heap if self._at.get(entry[2]) == entry[0]]
        heapq.heapify(self._heap)
