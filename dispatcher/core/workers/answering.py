"""What others ask about workers and lanes: why a job waits, and what somebody must look at. It changes nothing.

The ``Machine`` is made of this.
"""

from __future__ import annotations

from collections import Counter

from dispatcher.core.fleet.fleet import Fleet
from dispatcher.core.fleet.misses import Miss, nearest
from dispatcher.core.fleet.roster import Roster
from dispatcher.core.fleet.worker import Standing
from dispatcher.core.jobs.acts.kept import EVERY_TYPE
from dispatcher.core.workers.deadlines import Deadlines, Due
from dispatcher.core.workers.operators import Operators
from dispatcher.core.workers.registry import Registry

__all__ = ["Answering"]


class Answering:
    """Counts, and the first of those that stand out."""

    operators: Operators
    roster: Roster
    _deadlines: Deadlines[Due]
    _fleet: Fleet
    _registry: Registry

    def standing(self, lane: str) -> Counter[Standing]:
        """How many of the workers that match a lane have each standing."""
        return Counter(self._fleet.pools.standing(lane))

    def offering(self, type_name: str) -> int:
        """How many workers offer a type."""
        return self.roster.offering(type_name)

    def unserved(self, most: int) -> list[str]:
        """The first types, by name, that ready jobs wait for and no worker offers."""
        return self._fleet.pools.lanes.unserved.names[:most]

    def shut(self, most: int) -> dict[str, frozenset[Standing]]:
        """The first types, by name, that workers offer and none takes: each is paused (PAUSED) or set aside (ASIDE)."""
        shut = self._fleet.pools.lanes.shut
        return {name: shut.why(name) for name in shut.names[:most]}

    def stalled(self, most: int, now: float) -> list[tuple[str, float]]:
        """Types with ready jobs that an idle worker could take, and for how many seconds none was given one."""
        self._deadlines.pass_to(now)
        return [] if self.withholds() else self._fleet.pools.lanes.stalled(most)

    def withholds(self) -> bool:
        """Whether no worker gets an offer: the node is stopping, or an operator has paused all types."""
        return self._registry.draining or EVERY_TYPE in self.operators.types

    def nearest(self, lane: str) -> Miss:
        """What the nearest workers lack for a lane, if some offer its type and none matches it."""
        return nearest(self._fleet.pools, lane)
