"""Batches in a store: what is read of them, and how the store in memory reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from dispatcher.core.jobs.rows import JobRow
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.views.batches import BatchItem, BatchTally, BatchView, batch_view

__all__ = ["MOST_ITEMS_READ", "SLICE_BYTES", "BatchReads", "MemoryBatches", "item_of"]

#: A slice of a batch's results ends with the item that fills it: no turn waits for more.
SLICE_BYTES = 256 << 10
MOST_ITEMS_READ = 100


class BatchReads(Protocol):
    """A store's reads of batches."""

    async def view(self, batch_id: str) -> BatchView | None:
        """The batch; None: no job of it is kept."""
        ...

    async def items(self, batch_id: str, after: int) -> list[BatchItem]:
        """What has become of its jobs, in their order, a slice of those behind this seq; empty: there are no more."""
        ...


def item_of(seq: int, job_id: str, state: JobState, result: str | None, error: str | None) -> BatchItem:
    """A job that has succeeded may have failed before: only its result is told."""
    return BatchItem(seq, job_id, state, result, None if state is JobState.SUCCEEDED else error)


class MemoryBatches:
    """See BatchReads."""

    def __init__(self, by_seq: Mapping[int, JobRow], results: Mapping[int, str]) -> None:
        self._by_seq, self._results = by_seq, results

    async def view(self, batch_id: str) -> BatchView | None:
        """See BatchReads."""
        rows = self._rows(batch_id, 0)
        tallies = [BatchTally(r.type, r.state, 1, r.seq, r.id, r.created_at, r.about.owner) for r in rows]
        return batch_view(batch_id, tallies)

    async def items(self, batch_id: str, after: int) -> list[BatchItem]:
        """See BatchReads."""
        rows = self._rows(batch_id, after)[:MOST_ITEMS_READ]
        return [item_of(r.seq, r.id, r.state, self._results.get(r.seq), r.error) for r in rows]

    def _rows(self, batch_id: str, after: int) -> list[JobRow]:
        found = (row for row in self._by_seq.values() if row.batch == batch_id and row.seq > after)
        return sorted(found, key=lambda row: row.seq)
