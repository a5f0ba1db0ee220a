"""All workers of one node, kept in orders: pools for jobs, the roster for people, kinds for rollouts, and by what
their pages could not load.

Theory of operation. A worker is one plain value that others change: what its page says, whether it is there, which
attempts it holds. Whoever has changed one says so here, and all orders hear of it. So none ever has to look at all
workers, and nobody else has to know how many there are.
"""

from __future__ import annotations

from collections.abc import Callable

from dispatcher.core.fleet.doubturls import DoubtUrls
from dispatcher.core.fleet.kinds import PageKinds
from dispatcher.core.fleet.pools import Pools
from dispatcher.core.fleet.roster import Roster
from dispatcher.core.fleet.unloaded import UnloadedTasks
from dispatcher.core.fleet.worker import Worker

__all__ = ["Fleet"]


class Fleet:
    """The table of workers, and the orders in which they are kept. ``now`` tells the present instant, monotonic;
    ``shared``: other nodes hear of its workers.
    """

    def __init__(self, now: Callable[[], float] = lambda: 0.0, *, shared: bool = False) -> None:
        #: Id -> worker.
        self.workers: dict[str, Worker] = {}
        #: The order in which workers get jobs.
        self.pools = Pools(self.workers, now=now)
        #: The workers for people: by name, by state, by type, by label.
        self.roster = Roster(shared=shared)
        #: Those whose pages are connected, by the versions of their tasks.
        self.kinds = PageKinds()
        #: What their pages say of jobs in doubt.
        self.doubt_urls = DoubtUrls(self.workers)
        #: The tasks that connected pages could not load.
        self.unloaded = UnloadedTasks(now)

    def add(self, worker: Worker) -> None:
        """Adds a new worker; it stands in no order until ``changed`` is called."""
        self.workers[worker.id] = worker

    def changed(self, worker: Worker) -> None:
        """Call it after every change to a worker. If only its attempts have changed, it is enough to tell ``pools``."""
        self.pools.update(worker)
        self.roster.update(worker)
        self.kinds.update(worker)
        self.unloaded.update(worker)

    def remove(self, worker: Worker) -> None:
        """Forgets a worker that is gone."""
        self.pools.remove(worker)
        self.roster.remove(worker)
        self.kinds.remove(worker)
        self.unloaded.remove(worker)
        del self.workers[worker.id]
