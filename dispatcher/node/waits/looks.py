"""Looks at batches, shared by those who wait: whoever asks for a batch before a look at it begins gets what it finds.

So a job that ends costs the store one read of its batch, however many wait for it. A look that has begun may have
missed what happened since: who comes then gets the next one. It knows neither requests nor their time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from dispatcher.core.jobs.views.batches import BatchView
from dispatcher.node.waits.waiters import Waiter, Waiters

__all__ = ["BatchLook", "BatchLooks"]


class BatchLook:
    """One read of a batch, and the wait for the job that it found pending."""

    __slots__ = ("has_begun", "reading", "users", "waiter")

    def __init__(self) -> None:
        self.users = 0
        self.has_begun = False
        self.reading: asyncio.Task[BatchView]
        #: Done when the job that was pending has settled; None: none was.
        self.waiter: Waiter | None = None

    async def batch(self) -> BatchView:
        """What it found. Who stops waiting for it stops no other. Raises what the read raised."""
        await asyncio.wait([self.reading])
        return self.reading.result()


class BatchLooks:
    """The newest look at each batch that somebody waits for; at most one runs and one is next."""

    def __init__(self, read: Callable[[str], Awaitable[BatchView]], waiters: Waiters) -> None:
        self._read, self._waiters = read, waiters
        self._newest: dict[str, BatchLook] = {}

    def __len__(self) -> int:
        return len(self._newest)

    @contextmanager
    def joined(self, batch_id: str) -> Iterator[BatchLook]:
        """A look at the batch that has not begun. When the last who uses it leaves, nothing of it stays."""
        look = self._newest.get(batch_id)
        if look is None or look.has_begun:
            look = self._newest[batch_id] = self._after(look, batch_id)
        look.users += 1
        try:
            yield look
        finally:
            look.users -= 1
            if not look.users:
                self._end(look, batch_id)

    def _after(self, before: BatchLook | None, batch_id: str) -> BatchLook:
        look = BatchLook()
        look.reading = asyncio.ensure_future(self._look(look, before, batch_id))
        return look

    async def _look(self, look: BatchLook, before: BatchLook | None, batch_id: str) -> BatchView:
        if before is not None:
            await asyncio.wait([before.reading])
        look.has_begun = True
        with self._waiters.noted() as settled:
            batch = await self._read(batch_id)
        if batch.pending is not None:  # in the step in which the notes end: no settled job can slip through
            look.waiter = self._waiters.join(batch.pending)
            if batch.pending in settled:
                self._waiters.settled(look.waiter, [batch.pending])
        return batch

    def _end(self, look: BatchLook, batch_id: str) -> None:
        if not look.reading.cancel() and not look.reading.cancelled():
            look.reading.exception()  # asyncio complains of an error that nobody has seen
        if look.waiter is not None:
            self._waiters.remove(look.waiter)
        if self._newest.get(batch_id) is look:
            del self._newest[batch_id]
