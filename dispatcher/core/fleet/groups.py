"""Pools of workers, and groups of the lanes that the same pools match.

What ``lanes`` and ``pools`` share: plain values with the heaps that belong to them.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, insort
from collections import Counter

from dispatcher.core.fleet.worker import Labels, Standing
from dispatcher.core.jobs.matching import Requirement

__all__ = ["Group", "Lane", "Pool", "PoolKey"]

#: What the workers of a pool have in common: types, labels, and their name where some known lane requires it.
PoolKey = tuple[tuple[str, ...], Labels, str | None]


class Pool:
    """Workers that match the same lanes."""

    __slots__ = ("bit", "groups", "heap", "key", "labels", "members", "number", "room", "standing", "types")

    def __init__(self, number: int, key: PoolKey, labels: Labels) -> None:
        self.number = number
        self.key = key
        self.types = key[0]
        #: Its labels, with the name where that is one.
        self.labels = labels
        self.members = 0
        #: How its members stand: kept, so that nobody has to count them.
        self.standing: Counter[Standing] = Counter()
        #: Free slots of the workers that stand in the heap.
        self.room = 0
        #: (last used, worker); an entry counts only while the worker agrees with it.
        self.heap: list[tuple[int, str]] = []
        #: Its place in the keys of groups, and the groups that it stands in: kept by ``Lanes``.
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
        #: Under which label with which values ``Matcher`` finds it; None: it requires nothing.
        self.filed: tuple[str, tuple[str, ...]] | None = None


class Group:
    """Lanes that the same pools match."""

    __slots__ = ("_heads", "_idle", "jobs", "key", "lanes", "pools", "standing")

    def __init__(self, key: int) -> None:
        #: The bits of its pools: two groups never have the same pools.
        self.key = key
        self.pools: dict[int, Pool] = {}
        self.lanes: dict[str, Lane] = {}
        #: Ready jobs in all of its lanes.
        self.jobs = 0
        #: How the workers of its pools stand.
        self.standing: Counter[Standing] = Counter()
        #: (rank of the first job, lane) of each lane that has ready jobs, in order. A list: to ask for its first
        #: hundreds is one slice, and that happens in every turn.
        self._heads: list[tuple[float, str]] = []
        #: (last use of its first worker, pool). A pool may have been used since: then it stands too early, and is
        #: put right when it is met; it never stands too late. It may have left the group: then it does not count.
        self._idle: list[tuple[int, int]] = []

    # -- its lanes

    def join(self, lane: Lane) -> None:
        """The lane is matched by these pools now."""
        jobs, head = lane.jobs, lane.head
        lane.group, lane.jobs = self, 0
        self.lanes[lane.name] = lane
        self.has(lane, jobs, head)

    def leave(self, lane: Lane) -> None:
        """The lane is matched by other pools now, or is forgotten."""
        self.jobs -= lane.jobs
        if lane.jobs:
            del self._heads[bisect_left(self._heads, (lane.head, lane.name))]
        del self.lanes[lane.name]

    def has(self, lane: Lane, jobs: int, head: float) -> None:
        """The lane has so many ready jobs now."""
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
        """Its lanes with ready jobs, the one with the oldest first, at most ``most``."""
        return [name for _, name in self._heads[:most]]

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
        """It begins with the pools of another group."""
        for pool in other.pools.values():
            self.add(pool)
        self.standing = Counter(other.standing)
        self._idle = list(other._idle)

    def idle(self, used: int, pool: int) -> None:
        """The pool's first worker was last used then."""
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
        """(last use, pool) of the entry that stands first, taken out; None: there is none."""
        return heapq.heappop(self._idle) if self.first_idle() is not None else None
