"""Something that may happen again and again, and of which the log tells seldom."""

from __future__ import annotations

__all__ = ["SELDOM_S", "Seldom"]

#: A line of the log in so many seconds.
SELDOM_S = 60.0


class Seldom:
    """Says when to tell of it."""

    def __init__(self) -> None:
        self._next = 0.0
        self._untold = 0

    def happened(self, now: float) -> int:
        """How often it has happened since it was last told; 0: it was told of less than a minute ago."""
        self._untold += 1
        if now < self._next:
            return 0
        self._next, count = now + SELDOM_S, self._untold
        self._untold = 0
        return count
