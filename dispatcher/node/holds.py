"""The person at a worker page ends an operator's hold: an order like any other, signed with the worker.

Theory of operation. What is kept of a worker is written as a whole, so the order waits for its turn behind those of
operators. A page names the hold that it ends by when that began: said late, or twice, it ends no other one. The page
says it again while it hears that the hold still holds, so one that fails needs no answer.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from dispatcher.access.acts import Actor
from dispatcher.errors import PagehandError
from dispatcher.node.acts.orders import WorkerOrders

__all__ = ["MOST_ENDING", "DeskHolds"]

#: Orders of pages that may wait at once; others are let go, as their pages say them again.
MOST_ENDING = 1_000


class DeskHolds:
    """The port ``pages.Holds``, over the orders."""

    def __init__(self, orders: WorkerOrders) -> None:
        self._orders = orders
        #: By worker: each has one at a time.
        self._ending: dict[str, asyncio.Task[None]] = {}

    def ended(self, worker_id: str, since_ms: int, actor: Actor) -> None:
        """See ``pages.Holds``."""
        if worker_id not in self._ending and len(self._ending) < MOST_ENDING:
            task = asyncio.get_running_loop().create_task(self._end(worker_id, since_ms, actor))
            self._ending[worker_id] = task
            task.add_done_callback(lambda _: self._ending.pop(worker_id))

    async def _end(self, worker_id: str, since_ms: int, actor: Actor) -> None:
        with suppress(PagehandError):  # nothing was written
            await self._orders.end_hold(worker_id, since_ms, actor=actor)
