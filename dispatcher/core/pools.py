"""Who is next: pools of idle workers, least recently used first.

Workers that match the same lanes form a pool. A worker stands in its pool's heap while it has room, ordered by when
it was last given a job; so round-robin holds within a pool, and the demand merges the pools by the same order.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection
from itertools import islice

from dispatcher.core.turn import Demand
from dispatcher.core.worker import Worker

__all__ = ["Pools"]


class Pool:
    """The workers that match the same lanes."""

    __slots__ = ("heap", "lanes", "members", "number", "room")

    def __init__(self, number: int, lanes: tuple[str, ...]) -> None:
        self.number = number
        self.lanes = lanes
        self.members = 0
        #: Free slots of the workers that stand in the heap.
        self.room = 0
        #: (last used, worker); an entry counts only while the worker agrees with it.
        self.heap: list[tuple[int, str]] = []


class Pools:
    """All pools, and the order in which workers were last used."""

    def __init__(self, workers: dict[str, Worker]) -> None:
        self._workers = workers
        self._pools: dict[int, Pool] = {}
        self._by_lanes: dict[tuple[str, ...], Pool] = {}
        self._used = 0
        self._numbers = 0
        #: Room has grown since the last demand: jobs that found nobody may find somebody now.
        self.grown = False

    def update(self, worker: Worker) -> None:
        """The worker's room may have changed: to be called after every change to it."""
        pool = self._pools.get(worker.pool)
        if pool is None or pool.lanes != worker.lanes:
            self._leave(worker)
            pool = self._join(worker)
        room = worker.room()
        pool.room += room - worker.listed
        self.grown = self.grown or room > worker.listed
        if room and not worker.listed:
            heapq.heappush(pool.heap, (worker.used, worker.id))
        worker.listed = room
        if len(pool.heap) > 64 + 2 * pool.room:
            pool.heap = sorted(entry for entry in set(pool.heap) if self._counts(pool, *entry))

    def remove(self, worker: Worker) -> None:
        """The worker is gone."""
        self._leave(worker)

    def _join(self, worker: Worker) -> Pool:
        pool = self._by_lanes.get(worker.lanes)
        if pool is None:
            self._numbers += 1
            pool = self._by_lanes[worker.lanes] = self._pools[self._numbers] = Pool(self._numbers, worker.lanes)
        worker.pool = pool.number
        pool.members += 1
        return pool

    def _leave(self, worker: Worker) -> None:
        pool = self._pools.get(worker.pool)
        if pool is None:
            return
        pool.room -= worker.listed
        worker.listed = 0
        worker.pool = 0
        pool.members -= 1
        if not pool.members:  # made again when somebody needs it: nothing piles up
            del self._pools[pool.number], self._by_lanes[pool.lanes]

    def demand(self, most: int) -> list[Demand]:
        """Idle workers by pool, least recently used first, for at most ``most`` jobs."""
        self.grown = False
        pools = [pool for pool in self._pools.values() if pool.room]
        if len(pools) == 1:
            pool = pools[0]
            return [Demand(pool.number, pool.lanes, min(pool.room, most))]
        return self._merged(pools, most)

    def _merged(self, pools: list[Pool], most: int) -> list[Demand]:
        """Runs of workers in order of use, each worker once; then what room is left, pool by pool."""
        ordered = heapq.merge(*(self._in_order(pool) for pool in pools))
        demand: list[Demand] = []
        left = {pool.number: pool.room for pool in pools}
        for _, number in islice(ordered, most):
            left[number] -= 1
            if demand and demand[-1].pool == number:
                demand[-1] = Demand(number, demand[-1].lanes, demand[-1].room + 1)
            else:
                demand.append(Demand(number, self._pools[number].lanes, 1))
        spare = most - sum(entry.room for entry in demand)
        for number, room in left.items():
            if (taken := min(room, spare)) > 0:
                demand.append(Demand(number, self._pools[number].lanes, taken))
                spare -= taken
        return demand

    def _in_order(self, pool: Pool) -> list[tuple[int, int]]:
        return sorted((used, pool.number) for used, name in set(pool.heap) if self._counts(pool, used, name))

    def _counts(self, pool: Pool, used: int, name: str) -> bool:
        worker = self._workers.get(name)
        return worker is not None and worker.listed > 0 and worker.used == used and worker.pool == pool.number

    def take(self, number: int, avoid: Collection[str]) -> Worker | None:
        """The next worker of a pool with room, none of ``avoid`` where there is another; None: nobody has room."""
        pool = self._pools.get(number)
        if pool is None:
            return None
        passed: dict[str, Worker] = {}  # a worker may stand in the heap twice
        found = self._pop(pool)
        while found is not None and found.id in avoid:
            passed[found.id] = found
            found = self._pop(pool)
        for worker in passed.values():
            heapq.heappush(pool.heap, (worker.used, worker.id))
        return self._pop(pool) if found is None else found

    def _pop(self, pool: Pool) -> Worker | None:
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
        room = worker.room()
        pool.room += room - worker.listed
        worker.listed = room
        if room:
            heapq.heappush(pool.heap, (worker.used, worker.id))
