"""What can be asked of a batch: how far it is, to wait for it, and what has become of its jobs.

The ``Dispatcher`` is made of this; it has the parts that are named here.
"""

from __future__ import annotations

import asyncio
from contextlib import ExitStack

from dispatcher.core.jobs.views.batches import BatchItem, BatchView
from dispatcher.errors import BatchNotFound
from dispatcher.node.verbs import JobVerbs
from dispatcher.node.waits.looks import BatchLooks

__all__ = ["BatchVerbs"]


class BatchVerbs(JobVerbs):
    """Reads of one batch, besides those of a job."""

    _batch_looks: BatchLooks

    async def batch(self, batch_id: str) -> BatchView:
        """One batch. Raises BatchNotFound."""
        with self._readers:
            batch = await self._store.batches.view(batch_id)
        if batch is None:
            raise BatchNotFound.named(batch_id)
        return batch

    async def wait_for_batch(self, batch_id: str, timeout_s: float) -> BatchView:
        """The batch when all of its jobs are final or in doubt, or as it is after ``timeout_s``.

        It waits for the newest job that is left, and then looks again. Jobs seldom end in the other order; then it
        looks as often as one of them ends, together with all others who wait. Raises BatchNotFound, Unavailable.
        """
        if timeout_s <= 0:
            return await self.batch(batch_id)
        loop = asyncio.get_running_loop()
        until = loop.time() + timeout_s
        with self._readers, ExitStack() as place:
            has_place = False
            while True:
                with self._batch_looks.joined(batch_id) as look:
                    batch, left_s = await look.batch(), until - loop.time()
                    if look.waiter is None or left_s <= 0 or self._waiters.is_over:
                        return batch
                    if not has_place:
                        place.callback(self._waiters.remove, self._waiters.add())
                        has_place = True
                    await asyncio.wait([look.waiter.future], timeout=left_s)

    async def batch_items(self, batch_id: str, after: int = 0) -> list[BatchItem]:
        """What has become of its jobs, in their order, a slice of those behind this place; empty: there are no more."""
        with self._readers:
            return await self._store.batches.items(batch_id, after)
