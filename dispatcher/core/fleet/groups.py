"""Pools of workers, and groups of the lanes that the same pools match.

``lanes`` and ``pools`` share them: plain values, each with its own heaps.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterator

from dispatcher.core.fleet.worker import Labels, Standing
from dispatcher.core.jobs.matching import Requirement

__all__ = ["Group", "Lane", "Pool", "PoolKey"]

#: What the workers of a pool have in common: types, labels, and their name if a known lane requires it.
PoolKey = tuple[tuple[str, ...], Labels, str | None]


class Pool:
    """Workers that match the same lanes."""

    __slots__ = ("bit", "groups", "heap", "key", "labels", "members", "number", "room", "standing", "types")

    def __init__(self, number: int, key: PoolKey, labels: Labels) -> None:
        self.number = number
        self.key = key
        self.types = key[0]
        #: Its labels, and the name if the key has one.
        self.labels = labels
        self.members = 0
        #: How many members have each standing: kept, so that nobody has to count them.
        self.standing: Counter[Standing] = Counter()
        #: Free slots of the workers that stand in the heap.
        self.room = 0
        #: (last used, worker); an entry counts only while the worker agrees with it.
        self.heap: list[tuple[int, str]] = []
        #: Its bit in the keys of groups, and the groups that it stands in: ``Lanes`` keeps both.
        self.bit = 0
        self.groups: dict[Group, None] = {}


class Lane:
    """A lane that has, or had lately, ready jobs."""

    __slots__ = ("filed", "group", "head", "jobs", "name", "requirement", "type")

    def __init__(self, name: str, type_name: str, requirement: Requirement, group: Group) -> None:
        #: Its key.
        self.name = name
        self.type = type_name
        self.requirement = requirement
        self.group = group
        #: Ready jobs, and the rank of the first one.
        self.jobs = 0
        self.head = 0.0
        #: The label, with its values, under which ``Matcher`` finds it; None: it requires nothing.
        self.filed: tuple[str, tuple[str, ...]] | None = None


class Group:
    """Lanes that the same pools match."""

    __slots__ = ("_heads", "_idle", "jobs", "key", "lanes", "pools", "standing", "stands_since")

    def __init__(self, key: int) -> None:
        #: The bits of its pools: two groups never have the same pools.
        self.key = key
        self.pools: dict[int, Pool] = {}
        self.lanes: dict[str, Lane] = {}
        #: Ready jobs in all of its lanes.
        self.jobs = 0
        #: Since when it has been hot and no worker was given one of its jobs. ``Lanes`` keeps it while it is hot.
        self.stands_since = 0.0
        #: How many workers of its pools have each standing.
        self.standing: Counter[Standing] = Counter()
        #: (rank of the first job, lane) of each lane that has ready jobs, in order. A list: to ask for its first
        #: hundreds is one slice, and that happens in every turn.
        self._heads: list[tuple[float, str]] = []
        #: (last use of its first worker, pool). A pool may have been used since: then it stands too early, and is
        #: put right when it is met; it never stands too late. It may have left the group: then it does not count.
        self._idle: list[tuple[int, int]] = []

    # -- its lanes

    def join(self, lane: Lane) -> None:
        """These pools match the lane now."""
        jobs, head = lane.jobs, lane.head
        lane.group, lane.jobs = self, 0
        self.lanes[lane.name] = lane
        self.has(lane, jobs, head)

    def leave(self, lane: Lane) -> None:
        """Other pools match the lane now, or it is forgotten."""
        self.jobs -= lane.jobs
        if lane.jobs:
            del self._heads[bisect_left(self._heads, (lane.head, lane.name))]
        del self.lanes[lane.name]

    def has(self, lane: Lane, jobs: int, head: float) -> None:
        """The lane has this many ready jobs now; ``head`` is the rank of the first."""
        self.jobs += jobs - lane.jobs
        old = (lane.head, lane.name) if lane.jobs else None
        entry = (head, lane.name) if jobs else None
        lane.jobs, lane.head = jobs, head
        if entry == old:
            return
        if old is not None:
            del self._heads[bisect_left(self._heads, old)]
        if entry is not None:
            insort(self._heads, entry)

    def first_lanes(self, most: int) -> list[str]:
        """Its lanes with ready jobs, in the order of their first jobs, at most ``most``."""
        return [name for _, name in self._heads[:most]]

    def waiting(self) -> Iterator[Lane]:
        """Its lanes with ready jobs, in that order, one after the other: as long as nothing changes."""
        return (self.lanes[name] for _, name in self._heads)

    # -- its pools

    def add(self, pool: Pool) -> None:
        """The pool matches its lanes."""
        self.pools[pool.number] = pool
        pool.groups[self] = None

    def remove(self, pool: Pool) -> None:
        """The pool is gone."""
        del self.pools[pool.number]
        del pool.groups[self]

    def copy(self, other: Group) -> None:
        """Takes over the pools of another group."""
        for pool in other.pools.values():
            self.add(pool)
        self.standing = Counter(other.standing)
        self._idle = list(other._idle)

    def idle(self, used: int, pool: int) -> None:
        """The pool has room; ``used`` is the last use of its first worker."""
        heapq.heappush(self._idle, (used, pool))
        if len(self._idle) > 64 + 2 * len(self.pools):
            first: dict[int, int] = {}
            for entry_used, number in self._idle:
                if number in self.pools:
                    first[number] = min(entry_used, first.get(number, entry_used))
            self._idle = [(entry_used, number) for number, entry_used in first.items()]
            heapq.heapify(self._idle)

    def first_idle(self) -> Pool | None:
        """The pool that stands first; None: there is none."""
        while self._idle:
            pool = self.pools.get(self._idle[0][1])
            if pool is not None:
                return pool
            heapq.heappop(self._idle)
        return None

    def pop_idle(self) -> tuple[int, int] | None:
        """Takes out the first entry, (last use, pool); None: there is none."""
        return heapq.heappop(self._idle) if self.first_idle() is not None else None
