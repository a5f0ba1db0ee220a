"""Workers that stand in pools, without a machine around them."""

from __future__ import annotations

from dispatcher.core.fleet.lanes import MOST_EMPTY_LANES
from dispatcher.core.fleet.pools import Pools
from dispatcher.core.fleet.worker import Worker
from dispatcher.core.jobs.matching import lane_of, requirement_of
from dispatcher.core.jobs.turn import LaneReady

__all__ = ["Farm", "lane"]


def lane(type_name, **wanted):
    """The key of a lane."""
    return lane_of(type_name, requirement_of(wanted))


class Farm:
    """Workers that stand in pools, without a machine around them."""

    def __init__(self, most_empty_lanes=MOST_EMPTY_LANES) -> None:
        self.workers: dict[str, Worker] = {}
        self.pools = Pools(self.workers, most_empty_lanes)

    def ready(self, **jobs):
        """Tells what the last turn left in lanes."""
        self.left(jobs)

    def left(self, jobs):
        """The same for lanes with any key."""
        self.pools.reported([LaneReady(lane, count, 1.0) for lane, count in jobs.items()], claimed=True)

    def join(self, worker_id, *types, slots=1, name="", labels=None):
        worker = Worker(
            worker_id, "boot", name or worker_id, tuple(sorted(types)), slots, f"s-{worker_id}", attempts={},
            labels=tuple(sorted((labels or {}).items())),
        )  # fmt: skip
        self.workers[worker_id] = worker
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
        self.pools.freed(worker)

    def give(self, number, avoid=(), lane="", promised=None):
        """The name of the worker that gets the next job of this pool; it holds it."""
        worker = self.pools.take(number, (avoid,) if isinstance(avoid, str) else avoid, lane, promised)
        if worker is None:
            return None
        self.hold(worker, f"a{self.pools._used}")
        return worker.id

    def demand(self, most=100):
        return [(d.lanes, d.room) for d in self.pools.demand(most)]
