"""What others ask about workers and lanes: why a job waits, and what somebody must look at. It changes nothing.

The ``Machine`` is made of this.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice

from dispatcher.core.fleet.fleet import Fleet
from dispatcher.core.fleet.groups import Group
from dispatcher.core.fleet.misses import Miss, nearest
from dispatcher.core.fleet.roster import Roster
from dispatcher.core.fleet.worker import Standing, Worker
from dispatcher.core.jobs.acts.kept import EVERY_TYPE
from dispatcher.core.jobs.matching import lane_of, lane_parts, matches
from dispatcher.core.jobs.model import WorkerFilter
from dispatcher.core.jobs.views.unloaded import Unloaded
from dispatcher.core.workers.deadlines import Deadlines, Due
from dispatcher.core.workers.leases import Leases
from dispatcher.core.workers.operators import Operators
from dispatcher.core.workers.registry import Registry

__all__ = ["MOST_POOLS", "Answering"]

#: Of a type that more pools offer, nobody counts how its workers stand.
MOST_POOLS = 200
#: Who looks for stuck workers looks at so many attempts that are over, and at the lanes that have waited longest.
MOST_OVER, MOST_LANES = 20, 100


class Answering:
    """Counts, and the first of those that stand out."""

    operators: Operators
    roster: Roster
    _deadlines: Deadlines[Due]
    _fleet: Fleet
    _leases: Leases
    _registry: Registry

    def standing(self, lane: str) -> Counter[Standing]:
        """How many of the workers that match a lane have each standing."""
        return Counter(self._fleet.pools.standing(lane))

    def standings(self) -> Counter[Standing]:
        """How many workers have each standing."""
        return +self._fleet.pools.lanes.standing

    def standing_of(self, type_name: str) -> Counter[Standing] | None:
        """How many of the workers that offer a type have each standing; None: they stand in too many pools to look."""
        pools = self._fleet.pools
        lane = lane_of(type_name, ())
        is_kept = pools.lanes.group_of(lane) is not None
        few = pools.lanes.matcher.count_offering(type_name) <= MOST_POOLS
        return +pools.standing(lane) if is_kept or few else None

    def offering(self, type_name: str) -> int:
        """How many workers offer a type."""
        return self.roster.offering(type_name)

    def unloaded(self, type_name: str) -> Unloaded | None:
        """Which connected pages could not load the task of this type, and why; None: none says so."""
        tasks = self._fleet.unloaded
        pages = tasks.pages(type_name)
        if not pages:
            return None
        standing = self.standing_of(type_name)
        here = self.offering(type_name) if standing is None else standing.total() - standing[Standing.AWAY]
        return Unloaded(pages, pages + here, tasks.whys(type_name))

    def unloaded_first(self, most: int) -> dict[str, float]:
        """The types that pages could not load for longest; since when, monotonic."""
        return self._fleet.unloaded.first(most)

    def offerers(self, type_name: str, most: int) -> list[Worker]:
        """The workers that offer a type, by name; none, if there are more than ``most``."""
        found, _ = self.roster.page(WorkerFilter(type=type_name, limit=most + 1), None)
        return [self._fleet.workers[worker_id] for worker_id in found] if len(found) <= most else []

    def slots_of(self, type_name: str) -> int:
        """The slots of the workers that take jobs of a type, if they are few (MOST_POOLS); else 0."""
        here = (worker for worker in self.offerers(type_name, MOST_POOLS) if not worker.is_stuck())
        return sum(worker.slots for worker in here if worker.standing() in (Standing.IDLE, Standing.BUSY))

    def stuck(self, most: int) -> dict[str, tuple[list[Worker], int]]:
        """Types that ready jobs wait for, of at most ``most`` workers, all of which have tasks that do not stop; these
        workers, and how many others are paused, set aside or away.

        As a rule no task is like that, and it looks at nothing.
        """
        theirs = {name for worker in self._stuck() for name in worker.types}
        found: dict[str, tuple[list[Worker], int]] = {}
        for name in dict.fromkeys(lane_parts(lane)[0] for lane in (self.waiting(MOST_LANES)[0] if theirs else ())):
            offer = self.offerers(name, most) if name in theirs else []
            here = [worker for worker in offer if worker.standing() in (Standing.IDLE, Standing.BUSY)]
            if here and all(worker.is_stuck() for worker in here):
                found[name] = here, len(offer) - len(here)
        return found

    def stuck_at(self, lane: str) -> int:
        """How many of the workers that match a lane are stuck, of those that ``stuck`` looks at."""
        type_name, requirement = lane_parts(lane)
        found = {worker.id: worker for worker in self._stuck() if type_name in worker.types}
        return sum(matches(requirement, dict(worker.labels), worker.name) for worker in found.values())

    def _stuck(self) -> Iterator[Worker]:
        over = (self._fleet.workers.get(attempt.worker) for attempt in islice(self._leases.revoked.values(), MOST_OVER))
        return (worker for worker in over if worker is not None and worker.is_stuck())

    def unserved(self, most: int) -> list[str]:
        """The first types, by name, that ready jobs wait for and no worker offers."""
        return self._fleet.pools.lanes.unserved.names[:most]

    def shut(self, most: int) -> dict[str, frozenset[Standing]]:
        """The first types, by name, that workers offer and none takes: each is paused (PAUSED) or set aside (ASIDE)."""
        shut = self._fleet.pools.lanes.shut
        return {name: shut.why(name) for name in shut.names[:most]}

    def unmatched(self, most: int) -> list[tuple[str, int]]:
        """Lanes with ready jobs that no worker matches though some offer their type; and how many jobs each has."""
        return [(lane.name, lane.jobs) for lane in islice(self._fleet.pools.lanes.unmatched.lanes(), most)]

    def untaken(self, most: int) -> list[tuple[str, int]]:
        """Lanes with ready jobs whose workers are all paused or set aside; and how many jobs wait for these workers.

        Types that are told as ``shut`` are left out, and lanes whose workers are just away.
        """
        lanes = self._fleet.pools.lanes
        found = (
            (lane.name, jobs)
            for lane, jobs in lanes.untaken.lanes(4 * most)
            if not lanes.shut.is_shut(lane.type) and not _is_away(lane.group)
        )
        return list(islice(found, most))

    def waiting(self, most: int) -> tuple[list[str], int]:
        """Lanes that have had ready jobs longest, and how many lanes have some. Those of paused types do not count."""
        waiting = self._fleet.pools.lanes.waiting
        return list(islice(waiting, most)), len(waiting)

    def waiting_of(self, type_name: str, most: int) -> list[str]:
        """Lanes of a type that have ready jobs, among the first ``most`` that are known; also if it is paused."""
        lanes = self._fleet.pools.lanes
        held = lanes.held.lanes(type_name, most)
        return held or [lane.name for lane in lanes.matcher.first_of_type(type_name, most) if lane.jobs]

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


def _is_away(group: Group) -> bool:
    """Whether the workers that match are away, and no more than that: they come back, or are gone in a moment."""
    standing = group.standing
    return bool(standing[Standing.AWAY]) and not (standing[Standing.PAUSED] or standing[Standing.ASIDE])
