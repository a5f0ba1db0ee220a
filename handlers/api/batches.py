"""``/api/v1/batches``: how far the jobs are that were submitted together, and what has become of them."""

from __future__ import annotations

from typing import ClassVar

from tornado.iostream import StreamClosedError

from dispatcher.access.scopes import Scope
from dispatcher.core.jobs.views.batches import BatchItem, BatchView
from dispatcher.errors import BatchNotFound, Unauthorized, Unavailable
from handlers import queries
from handlers.api.jobjson import Json, instant, raw
from handlers.api.resources import ConsoleApiHandler
from handlers.base import as_json

__all__ = ["BatchResultsHandler", "OneBatchHandler", "batch_address"]


def batch_address(batch_id: str) -> str:
    """The address of a batch, without the prefix."""
    return f"/api/v1/batches/{batch_id}"


def _batch_json(batch: BatchView) -> Json:
    address = batch_address(batch.id)
    return {
        "id": batch.id,
        "created_at": instant(batch.created_at),
        "jobs": sum(batch.counts.values()),
        "counts": batch.counts,
        "ended": batch.pending is None,
        "links": {"self": address, "results": f"{address}/results", "jobs": f"/api/v1/jobs?batch={batch.id}"},
    }


class _BatchReader(ConsoleApiHandler):
    """Each of its addresses is about one batch."""

    scopes: ClassVar = {"GET": Scope.READ}
    looks_at_jobs = True

    def _check(self, batch: BatchView) -> None:
        """Refuses a batch with jobs of a type that who asks is not for, and one that he may not know of."""
        if self.only_owner not in (None, batch.owner):
            raise BatchNotFound.named(batch.id)
        self.principal.needs_types_of(batch.types, "The batch has jobs of another type.")


class OneBatchHandler(_BatchReader):
    """``/api/v1/batches/<id>``."""

    query_fields = queries.WAIT

    async def get(self, batch_id: str) -> None:
        """Counts by state; with ``?wait=N`` as soon as all jobs are final or in doubt, or after N seconds."""
        wait_s = queries.wait_argument(self)
        if wait_s and (self.principal.types is not None or self.only_owner is not None):
            # Who may not see it must not learn when it ends.
            self._check(await self.site.service.batch(batch_id))
        batch = await self.client.patiently(self.site.service.wait_for_batch(batch_id, wait_s))
        if batch is not None:
            self.admit_again()
            self._check(batch)
            self.answer(_batch_json(batch))

    head = get


class BatchResultsHandler(_BatchReader):
    """``/api/v1/batches/<id>/results``: one line for each job, in their order."""

    async def get(self, batch_id: str) -> None:
        """The lines, read slice by slice, each when the client has taken the one before it."""
        await self._begin(batch_id)
        try:
            await self.client.patiently(self._tell(batch_id))
        except Unauthorized:
            self.break_off()

    async def head(self, batch_id: str) -> None:
        """The same checks, and no lines."""
        await self._begin(batch_id)

    async def _begin(self, batch_id: str) -> None:
        batch = await self.site.service.batch(batch_id)
        self._check(batch)
        self.set_header("Content-Type", "application/x-ndjson; charset=utf-8")

    async def _tell(self, batch_id: str) -> None:
        after = 0
        try:
            while items := await self.site.service.batch_items(batch_id, after):
                if not self.still_opens():
                    self.break_off()
                    return
                self.write(b"".join(map(_line, items)))
                await self.flush()
                after = items[-1].seq
        except StreamClosedError:
            return  # the client has gone
        except Unavailable:
            if not after:
                raise
            self.break_off()  # the server stops


def _line(item: BatchItem) -> bytes:
    return (
        as_json({"id": item.id, "state": item.state.value, "result": raw(item.result), "error": raw(item.error)})
        + b"\n"
    )
