"""Finds the next worker for a job: pools of idle workers, least recently used first.

Theory of operation. Workers that match the same lanes form a *pool*: they offer the same types and have the same
labels, and the same name if a known lane requires that name. A worker stands in its pool's heap while it has room. The
heap keeps the order in which workers were last given a job: that is round-robin within a pool. If several pools match
a lane, the demand merges them in the same order, lazily: it looks at as many workers as there are jobs to claim, not
at all that are idle.

``lanes`` knows which lanes have ready jobs; a demand is made for those alone. Workers that no job wants cost nothing,
however many stand idle.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import islice

from dispatcher.core.fleet.groups import Group, Pool, PoolKey
from dispatcher.core.fleet.lanes import MOST_EMPTY_LANES, Lanes
from dispatcher.core.fleet.lineup import LineUp
from dispatcher.core.fleet.worker import Standing, Worker
from dispatcher.core.jobs.matching import NAME, lane_parts, matches
from dispatcher.core.jobs.turn import Demand, LaneReady

__all__ = ["Pools"]

#: A demand ends when it asks for this many times the jobs that can be claimed.
MOST_ASKED = 4
#: Most pools that are searched for a worker that has not had the job.
MOST_PASSED_OVER = 64
#: A group asks for this many workers more than it has jobs at most, when other groups may take the same workers.
MOST_SHARED = 1_024


class Pools:
    """All pools, and the order in which workers were last used."""

    def __init__(
        self, workers: dict[str, Worker], most_empty: int = MOST_EMPTY_LANES, now: Callable[[], float] = lambda: 0.0
    ) -> None:
        self._workers = workers
        self._pools: dict[int, Pool] = {}
        self._by_key: dict[PoolKey, Pool] = {}
        #: Name -> ids of the workers that are called so.
        self._called: dict[str, dict[str, None]] = {}
        self._used = 0
        self._numbers = 0
        self.lanes = Lanes(self._name_wanted, most_empty, now)
        #: Room has grown or lanes have become ready since the last demand: jobs may find takers now.
        self._grown = False
        #: The lanes of the last demand, and whether there were more hot groups than it could name.
        self._asked: frozenset[str] = frozenset()
        self._unasked = False

    # -- workers come, change and go

    def update(self, worker: Worker) -> None:
        """Call it after every change to a worker: its room may have changed."""
        if worker.called != worker.name:
            self._rename(worker, worker.name)
        pool = self._pools.get(worker.pool)
        key = (worker.types, worker.labels, worker.name if worker.name in self.lanes.wanted else None)
        if pool is None or pool.key != key:
            self._leave(worker)
            pool = self._join(worker, key)
        self._look_at(pool, worker)

    def freed(self, worker: Worker) -> None:
        """One of its attempts holds no slot any more, and nothing else has changed."""
        pool = self._pools.get(worker.pool)
        if pool is not None:  # otherwise it has just come, and ``update`` follows
            self._look_at(pool, worker)

    def _look_at(self, pool: Pool, worker: Worker) -> None:
        before, room = worker.listed, self._stand(pool, worker)
        self._grown = self._grown or room > before
        worker.listed = room
        if room and not before:
            self._line_up_in(pool, worker)

    def remove(self, worker: Worker) -> None:
        """Forgets a worker that is gone."""
        self._leave(worker)
        self._rename(worker, None)

    def called(self, name: str) -> Iterator[Worker]:
        """The workers of this name."""
        return (self._workers[worker_id] for worker_id in self._called.get(name, ()))

    def count_called(self, name: str) -> int:
        """How many workers have this name."""
        return len(self._called.get(name, ()))

    def _rename(self, worker: Worker, name: str | None) -> None:
        if worker.called is not None:
            old = self._called[worker.called]
            del old[worker.id]
            if not old:
                del self._called[worker.called]
        if name is not None:
            self._called.setdefault(name, {})[worker.id] = None
        worker.called = name

    def _name_wanted(self, name: str) -> None:
        """A known lane requires this name now, or none does any more: its workers change their pools."""
        grown = self._grown
        for worker in list(self.called(name)):
            self.update(worker)
        self._grown = grown  # they have no more room than before

    def _stand(self, pool: Pool, worker: Worker) -> int:
        """Counts the worker as it stands now. Returns its room, to be kept as ``listed``."""
        standing = worker.standing()
        if standing is not worker.counted:
            self.lanes.stands(pool, worker.counted, standing)
            worker.counted = standing
        room = worker.free() if standing is Standing.IDLE else 0
        pool.room += room - worker.listed
        return room

    def _line_up_in(self, pool: Pool, worker: Worker) -> None:
        while pool.heap and not self._counts(pool, *pool.heap[0]):
            heapq.heappop(pool.heap)
        heapq.heappush(pool.heap, (worker.used, worker.id))
        if pool.heap[0][1] == worker.id:
            self.lanes.pool_idle(pool, worker.used)
        if len(pool.heap) > 64 + 2 * pool.room:
            pool.heap = sorted(entry for entry in set(pool.heap) if self._counts(pool, *entry))

    def _join(self, worker: Worker, key: PoolKey) -> Pool:
        pool = self._by_key.get(key)
        if pool is None:
            self._numbers += 1
            labels = key[1] if key[2] is None else (*key[1], (NAME, key[2]))
            pool = self._by_key[key] = self._pools[self._numbers] = Pool(self._numbers, key, labels)
            self.lanes.pool_made(pool)
        # All members share one value: to compare a thousand types is then to compare one address.
        worker.types, worker.labels, worker.pool = *pool.key[:2], pool.number
        pool.members += 1
        return pool

    def _leave(self, worker: Worker) -> None:
        pool = self._pools.get(worker.pool)
        if pool is None:
            return
        self.lanes.stands(pool, worker.counted, None)
        pool.room -= worker.listed
        worker.listed, worker.pool, worker.counted = 0, 0, None
        pool.members -= 1
        if not pool.members:  # made again when somebody needs it: nothing piles up
            del self._pools[pool.number], self._by_key[pool.key]
            self.lanes.pool_gone(pool)

    # -- what there is to do

    def reported(self, ready: Iterable[LaneReady], *, claimed: bool) -> None:
        """Takes what a turn has left in the lanes that it touched. ``claimed``: it has claimed something."""
        touched: dict[Group, None] = {}
        for entry in ready:
            # The others have their turn at once, as long as each turn leaves less to ask for.
            self._grown |= self._unasked and (claimed or (not entry.jobs and entry.lane in self._asked))
            group = self.lanes.reported(entry)
            # What was asked for and not claimed is not there: to ask again at once would be to ask for ever. But if a
            # lane has run empty, other lanes of its group may have jobs.
            news = claimed or not entry.jobs or entry.lane not in self._asked
            if group is not None and news:
                touched[group] = None
        self._grown |= any([self.lanes.has_idle(group) for group in touched])

    def hungry(self) -> bool:
        """Whether a turn may find takers that the last one did not have."""
        return self._grown and bool(self.lanes.hot)

    def standing(self, lane: str) -> Counter[Standing]:
        """How many of the workers that match a lane have each standing."""
        group = self.lanes.group_of(lane)
        if group is not None:
            return group.standing
        type_name, requirement = lane_parts(lane)
        names = dict(requirement).get(NAME)
        if names is None:
            found = (pool.standing for pool in self.lanes.matcher.pools_of(type_name, requirement))
            return sum(found, Counter[Standing]())
        called = (worker for name in names for worker in self.called(name) if type_name in worker.types)
        return Counter(w.standing() for w in called if matches(requirement, dict(w.labels), w.name))

    # -- the demand

    def demand(self, most: int, coming: Mapping[str, int] | None = None) -> list[Demand]:
        """Idle workers for lanes that have ready jobs, least recently used first.

        ``most``: how many jobs can be claimed. The store decides by their rank which ones, so each group asks for all
        that it could get. ``coming``: jobs that the same turn puts into lanes.
        """
        self._grown = False
        hot, extra = self.lanes.hot, self.lanes.coming(coming or {})
        groups = [*extra, *(group for group in islice(hot, most) if group not in extra)]
        self._unasked = len(hot) > most
        if len(groups) == 1 and len(groups[0].pools) == 1:
            return self._of_one_pool(groups[0], most, extra.get(groups[0], {}))
        queues: dict[int, LineUp] = {}
        wanted: dict[Group, tuple[str, ...]] = {}
        asked = 0
        for group in groups:
            hot.pop(group, None)
            new = extra.get(group, {})
            room = self._line_up(group, min(group.jobs + sum(new.values()), most), extra, queues)
            if room:
                hot[group] = None  # behind the others
                wanted[group] = tuple(dict.fromkeys([*group.first_lanes(room), *new]))
                asked += room
            if asked >= MOST_ASKED * most:
                self._unasked = self._unasked or group is not groups[-1]
                break  # the others have their turn first next time
        self._asked = frozenset(name for lanes in wanted.values() for name in lanes)
        demand = self._in_order(wanted, queues)
        for queue in queues.values():
            queue.put_back()
        return demand

    def _of_one_pool(self, group: Group, most: int, new: Mapping[str, int]) -> list[Demand]:
        """The usual fleet. It looks at no worker: ``take`` finds the next one when the claims are given out."""
        [pool] = group.pools.values()
        room = min(group.jobs + sum(new.values()), pool.room, most)
        lanes = tuple(dict.fromkeys([*group.first_lanes(room), *new])) if room else ()
        self._asked = frozenset(lanes)
        self.lanes.hot.pop(group, None)
        if not room:
            return []
        self.lanes.hot[group] = None  # behind the others
        return [Demand(pool.number, lanes, room)]

    def _line_up(self, group: Group, jobs: int, extra: Collection[Group], queues: dict[int, LineUp]) -> int:
        """Finds takers for this many jobs of a group, and returns their room.

        Workers that another hot group may take as well do not count, so that the two groups do not share one worker
        while others stand idle.
        """
        alone = found = 0
        places: Counter[int] = Counter()
        order: list[tuple[int, int]] = []
        standing: dict[int, int] = {}
        while alone < jobs and found < MOST_SHARED + jobs:
            number = self._next(group, order, standing, queues)
            if number is None:
                break
            places[number] += 1
            found += 1
            alone += not self._is_shared(number, group, extra)
            queue = queues[number]
            queue.wanted = max(queue.wanted, places[number])
            used = queue.used(places[number])
            if used is not None:
                heapq.heappush(order, (used, number))
        for number, used in standing.items():
            group.idle(used, number)
        return found + self._spare(jobs - alone, standing, queues)

    def _is_shared(self, number: int, group: Group, extra: Collection[Group]) -> bool:
        groups = self._pools[number].groups
        return any(other is not group and (other in self.lanes.hot or other in extra) for other in groups)

    def _spare(self, missing: int, standing: Iterable[int], queues: dict[int, LineUp]) -> int:
        """Each worker is in line once, and jobs are left: asks for more slots of the same workers, too."""
        asked = 0
        for number in standing:
            if asked >= missing:
                break
            queue = queues[number]
            queue.spare = max(queue.spare, min(self._pools[number].room - queue.wanted, missing - asked))
            asked += queue.spare
        return asked

    def _next(
        self,
        group: Group,
        order: list[tuple[int, int]],
        standing: dict[int, int],
        queues: dict[int, LineUp],
    ) -> int | None:
        """The pool whose next worker was used longest ago; ``order`` has the next workers of pools met before.

        ``standing`` takes the pools that were met, with the last use of their first workers.
        """
        while True:
            entry = group.pop_idle()
            if entry is None or (order and order[0] < entry):
                if entry is not None:
                    group.idle(*entry)
                return heapq.heappop(order)[1] if order else None
            number = entry[1]
            if not self._pools[number].room or number in standing:
                continue
            queue = queues.get(number) or queues.setdefault(number, LineUp(self.pop, self._pools[number]))
            used = queue.used(0)
            assert used is not None, "a pool that has room has nobody with room"
            if used != entry[0]:
                group.idle(used, number)  # it stood too early
                continue
            standing[number] = used
            return number

    def _in_order(self, wanted: Mapping[Group, tuple[str, ...]], queues: dict[int, LineUp]) -> list[Demand]:
        lanes: dict[int, tuple[str, ...]] = {}
        for number in queues:
            mine = [wanted[group] for group in self._pools[number].groups if group in wanted]
            lanes[number] = mine[0] if len(mine) == 1 else tuple(dict.fromkeys(name for part in mine for name in part))
        runs = sorted(
            (worker.used, number) for number, queue in queues.items() for worker in queue.workers[: queue.wanted]
        )
        rooms = [(number, 1) for _, number in runs] + [(number, queue.spare) for number, queue in queues.items()]
        demand: list[Demand] = []
        for number, room in rooms:
            if demand and demand[-1].pool == number:
                demand[-1] = Demand(number, lanes[number], demand[-1].room + room)
            elif room > 0:
                demand.append(Demand(number, lanes[number], room))
        return demand

    # -- claims

    def _counts(self, pool: Pool, used: int, name: str) -> bool:
        worker = self._workers.get(name)
        return worker is not None and worker.listed > 0 and worker.used == used and worker.pool == pool.number

    def take(
        self, number: int, avoid: Collection[str], lane: str = "", promised: Mapping[int, int] | None = None
    ) -> Worker | None:
        """The pool's next worker with room; None: nobody there has any.

        It is none of ``avoid`` if the pool has another, or if another pool that matches the lane has one to spare.
        ``promised``: how much room of each pool is for other claims.
        """
        pool = self._pools.get(number)
        if pool is None:
            return None
        found = self._pop_other(pool, avoid) if avoid else self.pop(pool)
        if found is None and pool.room:
            found = self._elsewhere(pool, avoid, lane, promised or {})
        return self.pop(pool) if found is None else found

    def _pop_other(self, pool: Pool, avoid: Collection[str]) -> Worker | None:
        passed: dict[str, Worker] = {}  # a worker may stand in the heap twice
        found = self.pop(pool)
        while found is not None and found.id in avoid:
            passed[found.id] = found
            found = self.pop(pool)
        for worker in passed.values():
            heapq.heappush(pool.heap, (worker.used, worker.id))
        return found

    def _elsewhere(self, pool: Pool, avoid: Collection[str], lane: str, promised: Mapping[int, int]) -> Worker | None:
        """A worker of another pool that matches the lane; it searches the pools that were used longest ago."""
        group = self.lanes.group_of(lane)
        passed: list[tuple[int, int]] = []
        found: Worker | None = None
        while group is not None and found is None and len(passed) < MOST_PASSED_OVER:
            entry = group.pop_idle()
            if entry is None:
                break
            other = self._pools[entry[1]]
            used = self._first_used(other)
            if used == entry[0]:
                passed.append(entry)
                if other is not pool and other.room > promised.get(other.number, 0):
                    found = self._pop_other(other, avoid)
            elif used is not None:
                group.idle(used, other.number)  # it stood too early
        for used, number in passed:
            assert group is not None, "it has passed over pools of no group"
            group.idle(used, number)
        return found

    def _first_used(self, pool: Pool) -> int | None:
        """When the pool's next worker was last used; None: nobody there has room."""
        first = self.pop(pool)
        if first is None:
            return None
        heapq.heappush(pool.heap, (first.used, first.id))
        return first.used

    def pop(self, pool: Pool) -> Worker | None:
        """Takes the pool's next worker with room out of its heap."""
        while pool.heap:
            used, name = heapq.heappop(pool.heap)
            if self._counts(pool, used, name):
                return self._workers[name]
        return None

    def used(self, worker: Worker) -> None:
        """The worker that ``take`` gave has been given a job: it goes to the end of the order."""
        self._used += 1
        worker.used = self._used
        pool = self._pools[worker.pool]
        room = worker.listed = self._stand(pool, worker)
        if room:
            heapq.heappush(pool.heap, (worker.used, worker.id))
