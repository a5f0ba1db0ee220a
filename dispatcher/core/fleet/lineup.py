"""A pool's idle workers in order, taken out only as a demand asks for them."""

from __future__ import annotations

import heapq
from collections.abc import Callable

from dispatcher.core.fleet.groups import Pool
from dispatcher.core.fleet.worker import Worker

__all__ = ["LineUp"]


class LineUp:
    """Takes workers out of the pool's heap one by one; call ``put_back`` when the demand is made."""

    def __init__(self, pop: Callable[[Pool], Worker | None], pool: Pool) -> None:
        self._pop, self._pool = pop, pool
        #: The workers taken out of the heap so far.
        self.workers: list[Worker] = []
        #: How many of them are wanted, with one slot each, and how many more slots of theirs.
        self.wanted = 0
        self.spare = 0

    def used(self, place: int) -> int | None:
        """When the worker at this place was last used; None: nobody stands there."""
        while place == len(self.workers):
            worker = self._pop(self._pool)
            if worker is None:
                return None
            if not self.workers or self.workers[-1] is not worker:  # it may stand in the heap twice
                self.workers.append(worker)
        return self.workers[place].used

    def put_back(self) -> None:
        """Puts all of them back into the heap: nobody was given a job yet."""
        for worker in self.workers:
            heapq.heappush(self._pool.heap, (worker.used, worker.id))
