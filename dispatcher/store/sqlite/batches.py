"""Reads batches. The jobs of a batch lie side by side, and an index names them: no read looks at any other job."""

from __future__ import annotations

import sqlite3
from functools import partial

from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.views.batches import BatchItem, BatchTally, BatchView, batch_view
from dispatcher.store.batches import MOST_ITEMS_READ, SLICE_BYTES, item_of
from dispatcher.store.thread import StoreThread

__all__ = ["SqliteBatches"]

#: Where there is one ``max``, SQLite takes the other columns from the row that has it.
_TALLIES = """
    SELECT type, state, count(*), max(seq), id, created_at, owner FROM jobs WHERE batch = ? GROUP BY type, state
"""
_ITEMS = """
    SELECT j.seq, j.id, j.state, r.value, j.error FROM jobs j LEFT JOIN results r ON r.seq = j.seq
    WHERE j.batch = ? AND j.seq > ? ORDER BY j.seq LIMIT ?
"""


class SqliteBatches:
    """See store.batches.BatchReads."""

    def __init__(self, connection: sqlite3.Connection, thread: StoreThread) -> None:
        self._db, self._thread = connection, thread

    async def view(self, batch_id: str) -> BatchView | None:
        """See BatchReads."""
        return await self._thread.read(partial(self._view, batch_id))

    async def items(self, batch_id: str, after: int) -> list[BatchItem]:
        """See BatchReads."""
        return await self._thread.read(partial(self._items, batch_id, after))

    def _view(self, batch_id: str) -> BatchView | None:
        rows = self._db.execute(_TALLIES, (batch_id,))
        return batch_view(batch_id, [BatchTally(kind, JobState(state), *rest) for kind, state, *rest in rows])

    def _items(self, batch_id: str, after: int) -> list[BatchItem]:
        found: list[BatchItem] = []
        size = 0
        for seq, job_id, state, result, error in self._db.execute(_ITEMS, (batch_id, after, MOST_ITEMS_READ)):
            found.append(item_of(seq, job_id, JobState(state), result, error))
            size += len(result or "")
            if size >= SLICE_BYTES:
                break
        return found
