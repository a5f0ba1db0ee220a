"""Workers that stand in pools, without a machine around them."""

from __future__ import annotations

from dispatcher.core.jobs.turn import LaneReady
from dispatcher.core.workers.pools import Pools
from dispatcher.core.workers.worker import Worker

__all__ = ["Farm"]


class Farm:
    """Workers that stand in pools, without a machine around them."""

    def __init__(self) -> None:
        self.workers: dict[str, Worker] = {}
        self.pools = Pools(self.workers)

    def ready(self, **jobs):
        """What the last turn left in lanes."""
        self.pools.reported([LaneReady(lane, count, 1.0) for lane, count in jobs.items()], claimed=True)

    def join(self, name, *lanes, slots=1):
        worker = Worker(name, "boot", name, tuple(sorted(lanes)), slots, f"s-{name}", attempts={})
        self.workers[name] = worker
        self.pools.update(worker)
        return worker

    def leave(self, name):
        self.pools.remove(self.workers[name])
        del self.workers[name]

    def number(self, name):
        return self.workers[name].pool

    def hold(self, worker, attempt):
        worker.attempts[attempt] = None
        self.pools.used(worker)

    def free(self, worker):
        worker.attempts.clear()
        self.pools.update(worker)

    def give(self, number, avoid=()):
        """The name of the worker that gets the next job of this pool; it holds it."""
        worker = self.pools.take(number, (avoid,) if isinstance(avoid, str) else avoid)
        if worker is None:
            return None
        self.hold(worker, f"a{self.pools._used}")
        return worker.id

    def demand(self, most=100):
        return [(d.lanes, d.room) for d in self.pools.demand(most)]
