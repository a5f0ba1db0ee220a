"""What can be asked of a batch: how far it is, to wait for it, and what has become of its jobs.

The ``Dispatcher`` is made of this; it has the parts that are named here.
"""

from __future__ import annotations

import asyncio

from dispatcher.core.jobs.batches import BatchItem, BatchView
from dispatcher.errors import BatchNotFound
from dispatcher.node.verbs import JobVerbs

__all__ = ["BatchVerbs"]


class BatchVerbs(JobVerbs):
    """Reads of one batch, besides those of a job."""

    async def batch(self, batch_id: str) -> BatchView:
        """One batch. Raises BatchNotFound."""
        with self._readers:
            batch = await self._store.batches.view(batch_id)
        if batch is None:
            raise BatchNotFound(
                f"there is no batch {batch_id!r}: it was never taken here, or its jobs ended long ago and are not kept"
            )
        return batch

    async def wait_for_batch(self, batch_id: str, timeout_s: float) -> BatchView:
        """The batch when all of its jobs are final or in doubt, or as it is after ``timeout_s``.

        It waits for the newest job that is left, and then looks again. Jobs seldom end in the other order; then it
        looks as often as one of them ends. Raises BatchNotFound, Unavailable.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + timeout_s
        with self._readers:
            batch = await self.batch(batch_id)
            while batch.pending is not None and (left_s := until - loop.time()) > 0 and not self._waiters.is_over:
                await self._settle(batch.pending, left_s)
                batch = await self.batch(batch_id)
            return batch

    async def batch_items(self, batch_id: str, after: int = 0) -> list[BatchItem]:
        """What has become of its jobs, in their order, a slice of those behind this place; empty: there are no more."""
        with self._readers:
            return await self._store.batches.items(batch_id, after)
