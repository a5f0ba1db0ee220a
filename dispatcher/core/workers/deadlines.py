"""One heap of deadlines for everything in the core that waits for an instant, and the instant that it is now.

It owns no clock: instants are monotonic seconds, and callers say which it is. Time never goes back. A deadline belongs
to one key; setting it again moves it, and what has been cleared never fires (a timer of an earlier attempt cannot end a
later one).
"""

from __future__ import annotations

import heapq
from typing import Generic, TypeVar

__all__ = ["Deadlines", "Due"]

K = TypeVar("K")

#: A key of the core's deadlines: what is due, and whose attempt's or worker's id it is. ``lease``, ``beat`` and
#: ``reload`` are an attempt's; ``grace``, ``aside`` and ``probe`` are a worker's.
Due = tuple[str, str]


class Deadlines(Generic[K]):
    """Keyed deadlines, at most one a key."""

    def __init__(self) -> None:
        #: The latest instant that anybody has named.
        self.now = 0.0
        self._at: dict[K, float] = {}
        #: (instant, tie-break, key); an entry counts only while ``_at`` agrees with it.
        self._heap: list[tuple[float, int, K]] = []
        self._entries = 0

    def pass_to(self, now: float) -> None:
        """It is this instant; an earlier one than was named before counts as that."""
        if now > self.now:
            self.now = now

    def start(self, key: K, seconds: float) -> None:
        """The key is due so many seconds from now."""
        self.set(key, self.now + seconds)

    def set(self, key: K, at: float) -> None:
        """The key is due at this instant, and no longer at an earlier or later one."""
        self._at[key] = at
        self._entries += 1
        heapq.heappush(self._heap, (at, self._entries, key))
        if len(self._heap) > 64 + 2 * len(self._at):
            self._compact()

    def clear(self, key: K) -> None:
        """The key is not due any more."""
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
        """Every key that is due some time, with its instant."""
        return list(self._at.items())

    def pop_due(self) -> K | None:
        """The key that has been due longest now, cleared; None: nothing is due."""
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
