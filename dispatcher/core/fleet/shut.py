"""The types that every worker there has been told or found not to take: kept, so that nobody has to look for them.

A type is *shut* if some workers that offer it are paused or set aside, and every other one is away. The pools tell of
workers that come, go and change; only the first and the last one of a pool matter here, so most changes cost nothing.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterable

from dispatcher.core.fleet.worker import Standing

__all__ = ["Shut", "stands_as"]

_OPEN = (Standing.IDLE, Standing.BUSY)


def stands_as(standing: Counter[Standing]) -> Standing | None:
    """What a pool is for its types: IDLE (it is open), PAUSED, ASIDE, or None if nobody is there."""
    if standing[Standing.IDLE] or standing[Standing.BUSY]:
        return Standing.IDLE
    return next((one for one in (Standing.PAUSED, Standing.ASIDE) if standing[one]), None)


class Shut:
    """Those types, in order."""

    def __init__(self) -> None:
        #: Type -> how many of its pools stand as what.
        self._pools: dict[str, Counter[Standing]] = {}
        self.names: list[str] = []

    def matters(self, before: Standing | None, after: Standing | None) -> bool:
        """Whether a worker's change may change a pool. A job that comes or goes does not: that is the usual one."""
        return before not in _OPEN or after not in _OPEN

    def moved(self, types: Iterable[str], before: Standing | None, after: Standing | None) -> None:
        """A pool that offers these types stood as ``before``, and stands as ``after`` now."""
        if before is after:
            return
        for name in types:
            pools = self._pools.setdefault(name, Counter())
            for standing, more in ((before, -1), (after, 1)):
                if standing is not None:
                    pools[standing] += more
                    if not pools[standing]:
                        del pools[standing]
            if not pools:
                del self._pools[name]
            self._look(name, self.is_shut(name))

    def is_shut(self, name: str) -> bool:
        """Whether the type is one of them."""
        pools = self._pools.get(name)
        return pools is not None and not pools[Standing.IDLE]

    def why(self, name: str) -> frozenset[Standing]:
        """What the workers are that do not take a shut type: PAUSED, ASIDE or both."""
        return frozenset(self._pools[name])

    def _look(self, name: str, shut: bool) -> None:
        place = bisect_left(self.names, name)
        stands = self.names[place : place + 1] == [name]
        if stands and not shut:
            del self.names[place]
        elif shut and not stands:
            insort(self.names, name)
