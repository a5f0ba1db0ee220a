"""The lanes that have ready jobs, and the pools that could take them: a turn's demand is made from these.

Theory of operation. A turn must cost no more than what moves in it. So nothing here walks all pools or all lanes:

- A *lane* is known while it has ready jobs, and a while longer. Each turn's report says how many jobs are left in the
  lanes that it touched, and the rank of the first one.
- Lanes that the same pools match form a *group*. When a lane becomes ready or a pool idle, only its groups hear of it:
  a few in a usual fleet, however many lanes and pools there are. A pool that comes or goes moves the lanes that it
  matches, and no others; ``matcher`` finds them.
- A group that has both ready jobs and idle pools is *hot*. A demand looks at hot groups alone. In each it looks at no
  more lanes (by the rank of their first job) and pools (by their last use) than there are jobs to claim.
- A name is *wanted* while a known lane requires it. ``pools`` is told when that begins or ends: the workers of a wanted
  name stand in pools of their own, and names that nobody wants split no pool.

It knows nothing of workers: ``pools`` tells it when a pool becomes idle, and asks it for the hot groups.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import islice

from dispatcher.core.fleet.groups import Group, Lane, Pool
from dispatcher.core.fleet.held import HeldTypes
from dispatcher.core.fleet.matcher import Matcher
from dispatcher.core.fleet.shut import Shut, stands_as
from dispatcher.core.fleet.unmatched import Unmatched
from dispatcher.core.fleet.unserved import Unserved
from dispatcher.core.fleet.untaken import Untaken
from dispatcher.core.fleet.worker import Standing
from dispatcher.core.jobs.matching import NAME, lane_parts
from dispatcher.core.jobs.turn import LaneReady

__all__ = ["MOST_EMPTY_LANES", "Lanes"]

#: Remembers this many lanes without ready jobs, so that a job now and then does not cost a new group.
MOST_EMPTY_LANES = 10_000


class Lanes:
    """The known lanes and their groups. ``name_wanted`` is called when a name begins or ceases to be wanted; ``now``
    tells the present instant, monotonic."""

    def __init__(
        self,
        name_wanted: Callable[[str], None],
        most_empty: int = MOST_EMPTY_LANES,
        now: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._name_wanted = name_wanted
        self._most_empty = most_empty
        self._now = now
        self.matcher = Matcher()
        self.shut = Shut()
        self.held = HeldTypes()
        self.unserved = Unserved(self.matcher.offers)
        self.unmatched, self.untaken = Unmatched(self.matcher.offers), Untaken()
        #: Lanes that have ready jobs; the one that has had some longest stands first.
        self.waiting: dict[str, None] = {}
        #: How many workers have each standing.
        self.standing: Counter[Standing] = Counter()
        self._lanes: dict[str, Lane] = {}
        self._groups: dict[int, Group] = {}
        #: Name -> how many known lanes require it.
        self.wanted: Counter[str] = Counter()
        #: Groups that have ready jobs and may have idle pools.
        self.hot: dict[Group, None] = {}
        #: Lanes without ready jobs, the one that has been empty longest first.
        self._empty: dict[str, None] = {}
        #: Bits of pools that have gone, free for new pools; ``_bits`` is the first one that no pool has ever had.
        self._free_bits: list[int] = []
        self._bits = 0

    # -- pools come and go

    def pool_made(self, pool: Pool) -> None:
        """Adds a new pool, without members yet."""
        if not self._free_bits:
            self._free_bits.append(self._bits)
            self._bits += 1
        pool.bit = 1 << self._free_bits.pop()
        moved: dict[Group, list[Lane]] = {}
        for lane in self.matcher.lanes_of(pool):
            moved.setdefault(lane.group, []).append(lane)
        self.matcher.add_pool(pool)
        self.unserved.pools_changed(pool.types)
        for group, lanes in moved.items():
            if len(lanes) < len(group.lanes):
                group = self._split(group, lanes)
            is_first = not group.pools
            self._rekey(group, group.key | pool.bit)
            group.add(pool)
            self._looked_at(lanes if is_first else ())
        self.unmatched.pools_changed(pool.types)

    def pool_gone(self, pool: Pool) -> None:
        """Removes a pool that has no members any more."""
        self.matcher.remove_pool(pool)
        self.unserved.pools_changed(pool.types)
        for group in list(pool.groups):
            key = group.key & ~pool.bit
            same = self._groups.get(key)
            if same is None:
                self._rekey(group, key)
                group.remove(pool)
                if not group.pools:
                    self.hot.pop(group, None)
                    self.untaken.drop(group)
                    self._looked_at(group.lanes.values())
            else:
                self._merge(group, same)
        self.unmatched.pools_changed(pool.types)
        self._free_bits.append(pool.bit.bit_length() - 1)

    def _looked_at(self, lanes: Iterable[Lane]) -> None:
        """These lanes have their first pool, or have lost their last one."""
        for lane in lanes:
            if lane.jobs:
                self.unmatched.look(lane)

    def pool_idle(self, pool: Pool, used: int) -> None:
        """The pool has room; ``used`` is the last use of its first worker."""
        for group in pool.groups:
            group.idle(used, pool.number)
            if group.jobs:
                self._heat(group)

    def _heat(self, group: Group) -> None:
        """The group has jobs and perhaps idle pools."""
        if group not in self.hot:
            group.stands_since = self._now()
            self.hot[group] = None

    def stands(self, pool: Pool, before: Standing | None, after: Standing | None) -> None:
        """A member's standing has changed. None: it was no member before, or is none any more."""
        matters = self.shut.matters(before, after)
        stood_as = stands_as(pool.standing) if matters else None
        for counts in (self.standing, pool.standing, *[group.standing for group in pool.groups]):
            if before is not None:
                counts[before] -= 1
            if after is not None:
                counts[after] += 1
        if matters:
            self.shut.moved(pool.types, stood_as, stands_as(pool.standing))
            for group in pool.groups:
                self.untaken.look(group)

    def _split(self, group: Group, lanes: list[Lane]) -> Group:
        """Makes a new group of some of its lanes; the caller gives it its key."""
        new = Group(group.key)
        new.copy(group)
        for lane in lanes:
            group.leave(lane)
            new.join(lane)
        self.untaken.look(group)
        self._look_at(new, group.stands_since)
        return new

    def _merge(self, group: Group, into: Group) -> None:
        """Joins two groups that have the same pools now."""
        moved = list(group.lanes.values())
        for lane in moved:
            group.leave(lane)
            into.join(lane)
        since = min(group.stands_since, into.stands_since)
        self._drop(group)
        self._look_at(into, since)
        self._looked_at(() if into.pools else moved)

    def _rekey(self, group: Group, key: int) -> None:
        if self._groups.get(group.key) is group:
            del self._groups[group.key]
        group.key = key
        self._groups[key] = group

    def _drop(self, group: Group) -> None:
        """Forgets a group that has no lanes any more."""
        self.hot.pop(group, None)
        self.untaken.drop(group)
        del self._groups[group.key]
        for pool in list(group.pools.values()):
            group.remove(pool)

    def _look_at(self, group: Group, since: float) -> None:
        """Counts the group as hot if it may be. ``since``: of the group that its lanes were in."""
        self.untaken.look(group)
        if group.jobs and group.pools:
            self.hot[group] = None
            group.stands_since = since

    # -- lanes become ready

    def reported(self, entry: LaneReady) -> Group | None:
        """Takes what a turn has left in a lane that it touched. Returns the lane's group, if it has jobs and pools."""
        entry = self.held.passed(entry)
        lane = self._lanes.get(entry.lane)
        if lane is None:
            if not entry.jobs:
                return None
            lane = self._known(entry.lane)
        turns = bool(entry.jobs) != bool(lane.jobs)
        head = entry.head if entry.seen or not lane.jobs else min(entry.head, lane.head)
        group = lane.group
        group.has(lane, entry.jobs, head)
        if turns:
            self._turned(lane)
        if entry.jobs:
            self._empty.pop(lane.name, None)
        else:
            self._empty[lane.name] = None
            if not group.jobs:
                self.hot.pop(group, None)
            self._forget_some()
        if not group.pools or not group.jobs:
            return None
        self._heat(group)
        return group

    def _turned(self, lane: Lane) -> None:
        """The lane has got its first ready job, or has lost its last one."""
        self.unserved.ready(lane.type, 1 if lane.jobs else -1)
        if lane.jobs:
            self.waiting[lane.name] = None
        else:
            del self.waiting[lane.name]
        self.unmatched.look(lane)
        self.untaken.look(lane.group)

    def hold(self, type_name: str) -> None:
        """No job of this type is asked for from here on, until its lanes are reported again after ``held.end``."""
        self.held.begin(type_name)
        for lane in self.matcher.lanes_of_type(type_name):
            if lane.jobs:
                self.reported(LaneReady(lane.name, lane.jobs, lane.head))

    def has_idle(self, group: Group) -> bool:
        """Whether one of its pools has room; if none has, the group is not hot any more."""
        while (pool := group.first_idle()) is not None:
            if pool.room:
                return True
            group.pop_idle()
        self.hot.pop(group, None)
        return False

    def served(self, name: str) -> None:
        """A worker was given a job of this lane."""
        lane = self._lanes.get(name)
        if lane is not None:
            lane.group.stands_since = self._now()

    def stalled(self, most: int) -> list[tuple[str, float]]:
        """Of the first ``most`` hot groups with an idle worker: a type with ready jobs, and for how many seconds no
        worker has been given one. Groups that were served last stand last.
        """
        now, groups = self._now(), list(islice(self.hot, most))
        # While a turn is under way, a group may be hot for jobs that only come with it.
        waits = [(group, now - group.stands_since) for group in groups if group.jobs and self.has_idle(group)]
        return [(self._lanes[group.first_lanes(1)[0]].type, seconds) for group, seconds in waits]

    def coming(self, jobs: Mapping[str, int]) -> dict[Group, dict[str, int]]:
        """The groups of lanes that get jobs in the turn being made, each with those lanes and their counts of jobs."""
        jobs = self.held.passing(jobs)
        lanes = [self._known(name) for name in jobs]
        for lane in lanes:
            if not lane.jobs:  # it is forgotten last
                self._empty.pop(lane.name, None)
                self._empty[lane.name] = None
        self._forget_some(but=len(lanes))
        found: dict[Group, dict[str, int]] = {}
        for lane in lanes:
            if lane.group.pools:
                found.setdefault(lane.group, {})[lane.name] = jobs[lane.name]
        return found

    def group_of(self, name: str) -> Group | None:
        """The group of a lane; None: the lane is not known."""
        lane = self._lanes.get(name)
        return None if lane is None else lane.group

    def _known(self, name: str) -> Lane:
        lane = self._lanes.get(name)
        if lane is None:
            type_name, requirement = lane_parts(name)
            group = self._group(self.matcher.pools_of(type_name, requirement))
            lane = self._lanes[name] = Lane(name, type_name, requirement, group)
            group.join(lane)
            self.matcher.add_lane(lane)
            self._empty[name] = None
            self._want(lane, 1)
        return lane

    def _forget_some(self, but: int = 0) -> None:
        """Forgets the lanes that have been empty longest, but none of the last ``but``."""
        while len(self._empty) > max(self._most_empty, but):
            name = next(iter(self._empty))
            del self._empty[name]
            lane = self._lanes.pop(name)
            self.matcher.remove_lane(lane)
            lane.group.leave(lane)
            if not lane.group.lanes:
                self._drop(lane.group)
            self._want(lane, -1)

    def _want(self, lane: Lane, more: int) -> None:
        """One more known lane requires these names, or one fewer. Call it last: workers change their pools."""
        for label, values in lane.requirement:
            for name in values if label == NAME else ():
                before = self.wanted[name]
                self.wanted[name] += more
                if not self.wanted[name]:
                    del self.wanted[name]
                if not before or name not in self.wanted:
                    self._name_wanted(name)

    def _group(self, pools: list[Pool]) -> Group:
        key = 0
        for pool in pools:
            key |= pool.bit
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = Group(key)
            for pool in pools:
                group.add(pool)
                group.standing.update(pool.standing)
                group.idle(0, pool.number)  # perhaps too early: it is put right when it is met
        return group
