"""Reads batches. An index names the jobs of a batch: no read looks at any other job."""

from __future__ import annotations

from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.views.batches import BatchItem, BatchTally, BatchView, batch_view
from dispatcher.store.batches import MOST_ITEMS_READ, SLICE_BYTES, item_of
from dispatcher.store.postgres.reader import Reader

__all__ = ["PostgresBatches"]


class PostgresBatches:
    """See store.batches.BatchReads."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def view(self, batch_id: str) -> BatchView | None:
        """See BatchReads."""
        rows = await self._reader.one("batch_tallies", batch=batch_id)
        return batch_view(batch_id, [BatchTally(kind, JobState(state), *rest) for kind, state, *rest in rows])

    async def items(self, batch_id: str, after: int) -> list[BatchItem]:
        """See BatchReads."""
        rows = await self._reader.one(
            "batch_items", batch=batch_id, after=after, most=MOST_ITEMS_READ, bytes=SLICE_BYTES
        )
        return [item_of(seq, job, JobState(state), result, error) for seq, job, state, result, error in rows]
