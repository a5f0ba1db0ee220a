"""Which types have most to do of late: kept in order from the changes of each turn, so that nobody has to look.

Each job that comes or ends counts for its type, and counts half as much after each HALF_S. As all counts fade alike,
only a type that something happens to changes its place. Counts are kept as their logarithm, which never grows large.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterable
from math import log2

from dispatcher.core.jobs.model import TypeView
from dispatcher.core.jobs.states import SETTLED
from dispatcher.core.jobs.turn import Change

__all__ = ["HALF_S", "MOST_TYPES", "Busiest"]

HALF_S = 1_800.0
#: Most types that are kept; the one with the least to do is forgotten.
MOST_TYPES = 10_000


class Busiest:
    """The types in the order of what they have to do. Instants are monotonic seconds."""

    def __init__(self) -> None:
        self._weights: dict[str, float] = {}
        #: (weight, type), the busiest last.
        self._order: list[tuple[float, str]] = []

    def begin(self, known: Iterable[TypeView], now: float) -> None:
        """What an earlier run left in the store: the types with most jobs come first, until more is known."""
        for view in known:
            if jobs := sum(view.counts.values()):
                self._add(view.type, jobs, now)

    def seen(self, changes: Iterable[Change], now: float) -> None:
        """What has become of some jobs."""
        moved = Counter(change.type for change in changes if change.old is None or change.new in SETTLED)
        for name, jobs in moved.items():
            self._add(name, jobs, now)

    def _add(self, name: str, jobs: int, now: float) -> None:
        more, weight = now / HALF_S + log2(jobs), self._weights.get(name)
        if weight is not None:
            del self._order[bisect_left(self._order, (weight, name))]
            low, high = sorted((more, weight))
            more = high + log2(1.0 + 2.0 ** (low - high))
        self._weights[name] = more
        insort(self._order, (more, name))
        if len(self._order) > MOST_TYPES:
            del self._weights[self._order.pop(0)[1]]

    def first(self, most: int) -> list[str]:
        """The busiest types, the busiest first."""
        return [name for _, name in self._order[: -most - 1 : -1]]
