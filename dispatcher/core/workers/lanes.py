"""Which lanes have ready jobs, and which pools could take them: what a turn's demand is made of.

Theory of operation. A turn must cost what moves in it. So nothing here walks all pools or all lanes:

- A *lane* is known while it has ready jobs, and a while longer. Each turn's report says how many jobs are left in the
  lanes that it touched, and the rank of the first one.
- Lanes that the same pools match form a *group*. When a lane becomes ready or a pool idle, only its groups hear of it:
  one for each type of a usual fleet, however many lanes and pools there are.
- A group that has both ready jobs and idle pools is *hot*. Only hot groups are looked at, and of each only as many
  lanes (by the rank of their first job) and pools (by their last use) as there are jobs to claim.

It knows nothing of workers: ``pools`` tells it when a pool becomes idle, and asks it for the hot groups.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping

from dispatcher.core.jobs.turn import LaneReady

__all__ = ["MOST_EMPTY_LANES", "Group", "Lanes"]

#: So many lanes without ready jobs are remembered, so that a job now and then does not cost a new group.
MOST_EMPTY_LANES = 10_000


class _Lane:
    """A lane that has, or had lately, ready jobs."""

    __slots__ = ("group", "head", "jobs", "name")

    def __init__(self, name: str, group: Group) -> None:
        self.name = name
        self.group = group
        #: Ready jobs, and the rank of the first one.
        self.jobs = 0
        self.head = 0.0


class Group:
    """Lanes that the same pools match."""

    __slots__ = ("_heads", "_idle", "jobs", "key", "lanes", "pools")

    def __init__(self, key: tuple[int, ...]) -> None:
        #: The numbers of its pools.
        self.key = key
        self.pools = frozenset(key)
        self.lanes: dict[str, _Lane] = {}
        #: Ready jobs in all of its lanes.
        self.jobs = 0
        #: (rank of the first job, lane) of each lane that has ready jobs, in order. A list: to ask for its first
        #: hundreds is one slice, and that happens in every turn.
        self._heads: list[tuple[float, str]] = []
        #: (last use of its first worker, pool). A pool may have been used since: then it stands too early, and is
        #: put right when it is met; it never stands too late.
        self._idle: list[tuple[int, int]] = []

    def has(self, lane: _Lane, jobs: int, head: float) -> None:
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

    def idle(self, used: int, pool: int) -> None:
        """The pool's first worker was last used then."""
        heapq.heappush(self._idle, (used, pool))
        if len(self._idle) > 64 + 2 * len(self.pools):
            first: dict[int, int] = {}
            for entry_used, number in self._idle:
                first[number] = min(entry_used, first.get(number, entry_used))
            self._idle = [(entry_used, number) for number, entry_used in first.items()]
            heapq.heapify(self._idle)

    def first_lanes(self, most: int) -> list[str]:
        """Its lanes with ready jobs, the one with the oldest first, at most ``most``."""
        return [name for _, name in self._heads[:most]]

    def first_idle(self) -> int | None:
        """The pool that stands first; None: there is none."""
        return self._idle[0][1] if self._idle else None

    def pop_idle(self) -> tuple[int, int] | None:
        """(last use, pool) of the entry that stands first, taken out; None: there is none."""
        return heapq.heappop(self._idle) if self._idle else None


class Lanes:
    """The known lanes and their groups."""

    def __init__(self) -> None:
        self._lanes: dict[str, _Lane] = {}
        self._groups: dict[tuple[int, ...], Group] = {}
        #: Type -> numbers of the pools that offer it, in order.
        self._offered: dict[str, dict[int, None]] = {}
        #: Pool -> its groups.
        self._of_pool: dict[int, dict[Group, None]] = {}
        #: Groups that have ready jobs and may have idle pools.
        self.hot: dict[Group, None] = {}
        #: Lanes without ready jobs, the one that has been so longest first.
        self._empty: dict[str, None] = {}

    # -- pools come and go

    def pool_made(self, number: int, types: Iterable[str]) -> None:
        """A new pool matches the lanes of these types."""
        self._of_pool[number] = {}
        for name in types:
            self._offered.setdefault(name, {})[number] = None
            self._regroup(name)

    def pool_gone(self, number: int, types: Iterable[str]) -> None:
        """The pool has no members any more."""
        for name in types:
            pools = self._offered[name]
            del pools[number]
            if not pools:
                del self._offered[name]
            self._regroup(name)
        del self._of_pool[number]

    def pool_idle(self, number: int, used: int) -> None:
        """The pool has room; its first worker was last used then."""
        for group in self._of_pool[number]:
            group.idle(used, number)
            if group.jobs:
                self.hot[group] = None

    def groups_of(self, number: int) -> Iterable[Group]:
        """The groups that the pool stands in."""
        return self._of_pool[number]

    def offering(self, type_name: str) -> Iterable[int]:
        """The numbers of the pools whose workers offer this type."""
        return self._offered.get(type_name, ())

    # -- lanes become ready

    def reported(self, entry: LaneReady) -> Group | None:
        """What a turn has left in a lane that it touched. Returns its group, where that has jobs and pools."""
        if not entry.jobs and entry.lane not in self._lanes:
            return None
        lane = self._known(entry.lane)
        head = entry.head if entry.seen or not lane.jobs else min(entry.head, lane.head)
        lane.group.has(lane, entry.jobs, head)
        group = lane.group
        if entry.jobs:
            self._empty.pop(lane.name, None)
        else:
            self._empty[lane.name] = None
            self._forget_some()
        if not group.pools or not group.jobs:
            return None
        self.hot[group] = None
        return group

    def coming(self, jobs: Mapping[str, int]) -> dict[Group, dict[str, int]]:
        """The groups of lanes that get jobs in the turn that is being made, with these lanes and how many each gets."""
        found: dict[Group, dict[str, int]] = {}
        for name, count in jobs.items():
            group = self._known(name).group
            if group.pools:
                found.setdefault(group, {})[name] = count
        self._forget_some()
        return found

    def _known(self, name: str) -> _Lane:
        lane = self._lanes.get(name)
        if lane is None:
            group = self._group(tuple(self._offered.get(name, ())))
            lane = self._lanes[name] = group.lanes[name] = _Lane(name, group)
            self._empty[name] = None
        return lane

    def _forget_some(self) -> None:
        while len(self._empty) > MOST_EMPTY_LANES:
            name = next(iter(self._empty))
            del self._empty[name]
            self._leave(self._lanes.pop(name))

    def _regroup(self, name: str) -> None:
        """The pools that match the lane are others now."""
        lane = self._lanes.get(name)
        if lane is None:
            return
        jobs, head = lane.jobs, lane.head
        self._leave(lane)
        lane.group = self._group(tuple(self._offered.get(name, ())))
        lane.group.lanes[name] = lane
        lane.group.has(lane, jobs, head)
        if jobs and lane.group.pools:
            self.hot[lane.group] = None

    def _leave(self, lane: _Lane) -> None:
        group = lane.group
        group.has(lane, 0, 0.0)
        del group.lanes[lane.name]
        if not group.lanes:
            self.hot.pop(group, None)
            del self._groups[group.key]
            for number in group.key:
                self._of_pool[number].pop(group, None)

    def _group(self, key: tuple[int, ...]) -> Group:
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = Group(key)
            for number in key:
                self._of_pool[number][group] = None
                group.idle(0, number)  # too early, perhaps: it is put right when it is met
        return group
