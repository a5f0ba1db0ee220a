"""The types that ready jobs wait for and no worker offers, in order: kept, so that nobody has to look for them."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable

__all__ = ["Unserved"]


class Unserved:
    """Types with ready jobs and without a pool. ``offered`` says whether a type has one."""

    def __init__(self, offered: Callable[[str], bool]) -> None:
        self._offered = offered
        #: Type -> how many of its lanes have ready jobs.
        self._ready: Counter[str] = Counter()
        #: Those types, in order.
        self.names: list[str] = []

    def ready(self, name: str, lanes: int) -> None:
        """This many more lanes of the type have ready jobs; fewer, if it is negative."""
        self._ready[name] += lanes
        if not self._ready[name]:
            del self._ready[name]
        self._look(name)

    def pools_changed(self, names: Iterable[str]) -> None:
        """A pool that offers these types has come or gone."""
        for name in names:
            if name in self._ready:
                self._look(name)

    def _look(self, name: str) -> None:
        place = bisect_left(self.names, name)
        stands = self.names[place : place + 1] == [name]
        if stands == (name in self._ready and not self._offered(name)):
            return
        if stands:
            del self.names[place]
        else:
            self.names.insert(place, name)
